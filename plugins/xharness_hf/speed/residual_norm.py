"""Dropout, a residual and a layer norm by one kernel, on rows of a device.

Encoders of BERT's kind end each half of a layer so. torch computes it in three kernels forward and
some six backward, which read and write the states each time, and in a small model launching them
is what a step costs. Here one kernel goes forward and two come back; what drops out is drawn anew
on the way back instead of being kept. Sums are in float32, as autocast has them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from xharness_hf.speed.joint_linear import HalfStates
from xharness_hf.speed.switches import VARIABLE, is_on

try:
    import triton.language as tl
except ImportError:  # `residual_norm_refusal` says so
    tl = cast(Any, None)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _jit(function: _Function) -> _Function:
    """What Triton compiles when it is first launched; itself where there is no Triton."""
    if tl is None:
        return function
    triton: Any = importlib.import_module("triton")
    return cast(_Function, triton.jit(function))


_WIDEST = 4096  # numbers of a state that one program holds
_PROGRAMS = 264  # that share the rows on the way back: two for each processor of a large device
_SEEDS = 2**31 - 1  # kernels are handed an int32


class _Residual(NamedTuple):
    """A module that computes `LayerNorm(dropout(dense(states)) + residual)`."""

    module: nn.Module
    dense: nn.Module
    dropout: nn.Dropout
    norm: nn.LayerNorm


class ResidualNorms:
    """The modules of `reader` that the kernel computes while `running`."""

    def __init__(self, reader: nn.Module, halves: HalfStates) -> None:
        self._residuals = [*_residuals(reader)]
        self._halves = halves

    def __len__(self) -> int:
        return len(self._residuals)

    @contextmanager
    def running(self, device: torch.device) -> Iterator[None]:
        """Inside it, each module is the kernel; one draw from torch's generator seeds them all.

        So what drops out hangs on torch's seed alone, in a replayed graph as well.
        """
        seeds = torch.randint(_SEEDS, (len(self),), dtype=torch.int32, device=device)
        for number, residual in enumerate(self._residuals):
            forward = partial(self._forward, residual, seeds[number : number + 1])
            residual.module.forward = forward
        try:
            yield
        finally:
            self._halves.clear()
            for residual in self._residuals:
                del residual.module.forward

    def _forward(
        self, residual: _Residual, seed: Tensor, hidden_states: Tensor, input_tensor: Tensor
    ) -> Tensor:
        states, norm = residual.dense(hidden_states), residual.norm
        rate = residual.dropout.p if residual.dropout.training else 0.0
        normalised, half = dropped_norm(states, input_tensor, norm, rate, seed)
        self._halves.put(normalised, half)
        return normalised


def residual_norm_refusal(device: torch.device) -> str | None:
    """Why torch's own kernels compute it on `device`; None where this one agrees with them."""
    if not is_on("residual_norm"):
        return f"{VARIABLE} leaves it out"
    if device.type != "cuda":
        return f"no kernel for a {device.type}"
    if tl is None:
        return "Triton is not installed"
    return _disagreement(device)


def dropped_norm(
    states: Tensor, residual: Tensor, norm: nn.LayerNorm, rate: float, seed: Tensor
) -> tuple[Tensor, Tensor]:
    """`norm(dropout(states) + residual)` in float32, and the same as `states` are formatted.

    States and residuals are (..., width), rows lie one after the other; `seed` is (1,), int32. No
    gradient goes through the second one.
    """
    apply: Any = _DroppedNorm.apply
    outputs: tuple[Tensor, Tensor] = apply(
        states, residual, norm.weight, norm.bias, norm.eps, rate, seed
    )
    return outputs


class _DroppedNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, residual: Tensor, weight: Tensor, bias: Tensor,
        eps: float, rate: float, seed: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        states, residual = states.contiguous(), residual.contiguous()
        width, rows = states.shape[-1], states.numel() // states.shape[-1]
        normalised = torch.empty_like(states, dtype=torch.float32)
        # `scaled`: before weight and bias; `roots`: one over each row's standard deviation.
        scaled, half = torch.empty_like(normalised), torch.empty_like(states)
        roots = torch.empty(rows, dtype=torch.float32, device=states.device)
        kernel: Any = _forward
        kernel[(rows,)](
            states, residual, weight, bias, seed, normalised, half, scaled, roots,
            width, eps, rate, 1 / (1 - rate), DROPS=rate > 0, BLOCK=_block(width),
        )  # fmt: skip
        ctx.save_for_backward(scaled, roots, weight, seed)
        ctx.rate, ctx.formats = rate, (states.dtype, residual.dtype)
        ctx.mark_non_differentiable(half)
        return normalised, half

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        scaled, roots, weight, seed = ctx.saved_tensors
        grad = grad.contiguous()
        width, rows = scaled.shape[-1], len(roots)
        of_states, of_residual = (torch.empty_like(scaled, dtype=form) for form in ctx.formats)
        stretch = -(-rows // _PROGRAMS)  # rows of a program
        programs = -(-rows // stretch)
        sums = torch.empty(2, programs, width, dtype=torch.float32, device=grad.device)
        kernel: Any = _backward
        kernel[(programs,)](
            grad, scaled, roots, weight, seed, of_states, of_residual, sums,
            rows, width, ctx.rate, 1 / (1 - ctx.rate), STRETCH=stretch, DROPS=ctx.rate > 0,
            BLOCK=_block(width),
        )  # fmt: skip
        of_weight, of_bias = sums.sum(dim=1).unbind()
        return of_states, of_residual, of_weight, of_bias, None, None, None


def _residuals(reader: nn.Module) -> Iterator[_Residual]:
    """The modules that compute so, which is tried rather than known by their classes' names."""
    for module in reader.modules():
        parts = dict(module.named_children())
        norm, dropout = parts.get("LayerNorm"), parts.get("dropout")
        if (
            parts.keys() == {"dense", "dropout", "LayerNorm"}
            and isinstance(norm, nn.LayerNorm)
            and isinstance(dropout, nn.Dropout)
            and norm.weight is not None
            and norm.bias is not None
            and norm.normalized_shape[0] <= _WIDEST
        ):
            residual = _Residual(module, parts["dense"], dropout, norm)
            if _computes_so(residual):
                yield residual


@torch.no_grad()
def _computes_so(residual: _Residual) -> bool:
    module, dense, dropout, norm = residual
    width = getattr(dense, "in_features", None)
    if width is None:
        return False
    weight, learns = norm.weight, dropout.training
    states = torch.linspace(-1, 1, 2 * width).sin().view(1, 2, width).to(weight)
    added = torch.linspace(1, -2, 2 * len(weight)).cos().view(1, 2, -1).to(weight)
    dropout.eval()
    try:
        return torch.equal(module(states, added), norm(dense(states) + added))
    except (TypeError, RuntimeError):  # it takes something else than states and residuals
        return False
    finally:
        dropout.train(learns)


@cache
def _disagreement(device: torch.device) -> str | None:
    try:
        agrees = all(_agrees(device, *case) for case in ((384, 0.0), (1024, 0.5), (40, 0.1)))
        return None if agrees else "the kernel does not agree with torch's layer norm"
    except Exception as error:  # a compiler fails in many ways
        reason = str(error).splitlines() or [""]
        return f"Triton does not work here: {type(error).__name__}: {reason[0]}"


def _agrees(device: torch.device, width: int, rate: float) -> bool:
    """Whether states and gradients are torch's, given what dropped out."""
    rows, norm = _PROGRAMS + 5, nn.LayerNorm(width, device=device)
    ramp = torch.linspace(-3, 3, rows * width, device=device).view(rows, width)
    states, residual = ramp.sin().to(torch.bfloat16).requires_grad_(), ramp.cos().requires_grad_()
    seed = torch.full((1,), 17, dtype=torch.int32, device=device)
    leaves = [states, residual, norm.weight, norm.bias]
    ours, half = dropped_norm(states, residual, norm, rate, seed)
    gradients = torch.autograd.grad(ours, leaves, ramp)
    kept = gradients[0] != 0
    dropped = torch.where(kept, states.float() / (1 - rate), 0)
    torch_own = functional.layer_norm(
        dropped + residual, (width,), norm.weight, norm.bias, norm.eps
    )
    expected = torch.autograd.grad(torch_own, leaves, ramp)
    pairs = [(ours, torch_own), (half, torch_own), *zip(gradients, expected, strict=True)]
    share = 1 - float(kept.float().mean())
    return abs(share - rate) < 0.02 and all(_distance(*pair) < 0.01 for pair in pairs)


def _distance(tensor: Tensor, other: Tensor) -> float:
    """How far they are apart, relative to the other's length; bf16 rounds by 0.002."""
    tensor, other = tensor.detach().float(), other.detach()
    return float((tensor - other).norm() / other.norm())


def _block(width: int) -> int:
    """The least power of two that holds a state: Triton's programs have such sizes."""
    return 1 << (width - 1).bit_length()


@_jit
def _mixed(bits: tl.tensor) -> tl.tensor:
    """A hash of 32 bits in which each bit of what goes in turns half of what comes out.

    Its constants are those of lowbias32 (Wellons 2018).
    """
    bits ^= bits >> 16
    bits *= 0x7FEB352D
    bits ^= bits >> 15
    bits *= 0x846CA68B
    return bits ^ (bits >> 16)


@_jit
def _uniform(offsets: tl.tensor, seed: tl.tensor) -> tl.tensor:
    """Numbers in [0, 1) that hang on offsets and seed alone.

    Triton's own generator would take longer than all the rest of a row: of each four numbers that
    it makes three would be thrown away. Masks need less, and hashing the offsets before the seed
    comes in keeps the mask of a seed from being that of another one, shifted.
    """
    return (_mixed(_mixed(offsets.to(tl.uint32)) + seed.to(tl.uint32)) >> 8).to(tl.float32) / 2**24


@_jit
def _forward(
    states: tl.tensor, residual: tl.tensor, weight: tl.tensor, bias: tl.tensor, seed: tl.tensor,
    normalised: tl.tensor, half: tl.tensor, scaled: tl.tensor, roots: tl.tensor,
    width: tl.tensor, eps: tl.tensor, rate: tl.tensor, gain: tl.tensor,
    DROPS: tl.constexpr, BLOCK: tl.constexpr,  # noqa: N803
) -> None:  # fmt: skip
    """A program's row: Triton compiles it, so it knows nothing but its arguments."""
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = columns < width
    offsets = row * width + columns
    state = tl.load(states + offsets, mask=mask, other=0).to(tl.float32)
    if DROPS:
        state = tl.where(_uniform(offsets, tl.load(seed)) >= rate, state * gain, 0.0)
    state += tl.load(residual + offsets, mask=mask, other=0).to(tl.float32)
    mean = tl.sum(state, axis=0) / width
    state = tl.where(mask, state - mean, 0.0)
    root = 1 / tl.sqrt(tl.sum(state * state, axis=0) / width + eps)
    state *= root
    tl.store(roots + row, root)
    tl.store(scaled + offsets, state, mask=mask)
    state = state * tl.load(weight + columns, mask=mask, other=0)
    state += tl.load(bias + columns, mask=mask, other=0)
    tl.store(normalised + offsets, state, mask=mask)
    tl.store(half + offsets, state.to(half.dtype.element_ty), mask=mask)


@_jit
def _backward(
    grad: tl.tensor, scaled: tl.tensor, roots: tl.tensor, weight: tl.tensor, seed: tl.tensor,
    of_states: tl.tensor, of_residual: tl.tensor, sums: tl.tensor,
    rows: tl.tensor, width: tl.tensor, rate: tl.tensor, gain: tl.tensor,
    STRETCH: tl.constexpr, DROPS: tl.constexpr, BLOCK: tl.constexpr,  # noqa: N803
) -> None:  # fmt: skip
    """A program's stretch of rows, and its part of the weight's and the bias's gradients."""
    program = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    factor = tl.load(weight + columns, mask=inside, other=0)
    of_weight = tl.zeros([BLOCK], dtype=tl.float32)
    of_bias = tl.zeros([BLOCK], dtype=tl.float32)
    for number in range(STRETCH):
        row = program * STRETCH + number
        mask = inside & (row < rows)
        offsets = row * width + columns
        slope = tl.load(grad + offsets, mask=mask, other=0).to(tl.float32)
        state = tl.load(scaled + offsets, mask=mask, other=0)
        of_weight += slope * state
        of_bias += slope
        slope *= factor
        along = tl.sum(slope * state, axis=0) / width
        slope = slope - tl.sum(slope, axis=0) / width - state * along
        slope *= tl.load(roots + row, mask=row < rows, other=0)
        tl.store(of_residual + offsets, slope.to(of_residual.dtype.element_ty), mask=mask)
        if DROPS:
            slope = tl.where(_uniform(offsets, tl.load(seed)) >= rate, slope * gain, 0.0)
        tl.store(of_states + offsets, slope.to(of_states.dtype.element_ty), mask=mask)
    programs = tl.num_programs(0)
    tl.store(sums + program * width + columns, of_weight, mask=inside)
    tl.store(sums + (programs + program) * width + columns, of_bias, mask=inside)
