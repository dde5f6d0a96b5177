"""AdamW by one kernel over many tensors: clipping, the step, and copies in half precision.

torch writes clipped gradients back and reads weights again for their copies. Here each number is
read and written once: 28 bytes a weight with a gradient and a copy in half precision, where torch's
functions take 38. The kernel is Triton's; where Triton is absent, or does not agree with
`torch.optim.AdamW` when it is first asked for, the caller is told why.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from xharness_hf.speed.switches import VARIABLE, is_on

try:
    import triton.language as tl
except ImportError:  # `refusal` says so
    tl = cast(Any, None)

_BLOCK = 2048  # numbers that a program steps
_COLUMNS = 7  # addresses of five tensors and of the count of steps, and a size
_TOLERANCES = {"weights": 1e-5, "moments": 1e-5, "steps": 0.0, "copies": 2**-7}
"""From float64, relative to the largest number; copies have eight bits, which some cut off."""
_ALIGNED = 16  # bytes and numbers from which loads are as wide as the device has them


class SlotForm(NamedTuple):
    """What a compiled kernel is for, in the order of its last arguments."""

    half: bool
    """Gradients come in bfloat16."""
    copied: bool
    """There is a copy to be written."""
    aligned: bool
    """Loads may be as wide as the device has them."""


class AdamWSlot(NamedTuple):
    """A weight with all that its step takes, float32 but for the gradient and the copy."""

    master: Tensor
    exp_avg: Tensor
    exp_avg_sq: Tensor
    step: Tensor
    """How many steps it has taken, ()."""
    grad: Tensor
    copy: Tensor | None
    """bfloat16; None where the model computes with the master."""
    decay: float

    @property
    def form(self) -> SlotForm:
        """What it shares with the slots that one launch serves."""
        is_divisible = self.master.numel() % _ALIGNED == 0
        starts_aligned = all(address % _ALIGNED == 0 for address in self.addresses[:5])
        return SlotForm(
            half=self.grad.dtype == torch.bfloat16,
            copied=self.copy is not None,
            aligned=is_divisible and starts_aligned,
        )

    @property
    def addresses(self) -> list[int]:
        """Of the five tensors and the count; of no copy 0."""
        tensors = (self.master, self.exp_avg, self.exp_avg_sq, self.grad, self.copy, self.step)
        return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


class AdamWScalars(NamedTuple):
    """Numbers of a step on the device, each ()."""

    rate: Tensor
    scale: Tensor
    """What gradients are divided by."""
    skipped: Tensor
    """1 if nothing is to change, else 0."""


class _Launch(NamedTuple):
    """Slots of one form, as the kernel reads them from the device's memory."""

    table: Tensor
    """(slots, _COLUMNS), int64: addresses and size."""
    decays: Tensor
    """(slots,)"""
    blocks: Tensor
    """(programs, 2), int32: the slot that a program steps, and which block of it."""
    form: SlotForm


class AdamWKernel:
    """Steps of `slots`, whose memory stays where it is; weights take at most `total` steps."""

    def __init__(
        self, slots: Sequence[AdamWSlot], total: int, betas: tuple[float, float], eps: float
    ) -> None:
        self._slots, self._betas, self._eps = list(slots), betas, eps
        device = self._slots[0].master.device
        # In double precision, once for all; step 0 is never asked for, and would divide by 0.
        counts = torch.arange(total + 1, dtype=torch.float64).clamp(min=1)
        first, second = (1 - beta**counts for beta in betas)
        corrections = torch.stack([first, second.sqrt()], dim=1)
        self._corrections = corrections.to(torch.float32).to(device)
        """(total + 1, 2): by the count of steps, what moments and their roots are divided by."""
        self._launches = [*self._tables(device)]
        self._kernel = _compiled()

    def step(self, scalars: AdamWScalars) -> None:
        """Change masters, moments, counts and copies."""
        first, second = self._betas
        for table, decays, blocks, form in self._launches:
            self._kernel[(len(blocks),)](
                table, decays, blocks, *scalars, self._corrections, first, second,
                1 - first, 1 - second, self._eps, *form, BLOCK=_BLOCK, COLUMNS=_COLUMNS,
            )  # fmt: skip
        increment = 1 - scalars.skipped
        steps = [slot.step for slot in self._slots]
        torch._foreach_add_(steps, [increment] * len(steps))

    def _tables(self, device: torch.device) -> Iterator[_Launch]:
        for form, group in groupby(sorted(self._slots, key=_form), key=_form):
            slots = [*group]
            sizes = [slot.master.numel() for slot in slots]
            blocks = [
                (row, block)
                for row, size in enumerate(sizes)
                for block in range(-(-size // _BLOCK))
            ]
            rows = [[*slot.addresses, size] for slot, size in zip(slots, sizes, strict=True)]
            yield _Launch(
                torch.tensor(rows, dtype=torch.int64, device=device),
                torch.tensor([slot.decay for slot in slots], device=device),
                torch.tensor(blocks, dtype=torch.int32, device=device),
                form,
            )


def refusal(device: torch.device) -> str | None:
    """Why AdamW has to be torch's own on `device`; None where the kernel agrees with it."""
    if not is_on("adamw_kernel"):
        return f"{VARIABLE} leaves it out"
    if device.type != "cuda":
        return f"no kernel for a {device.type}"
    if tl is None:
        return "Triton is not installed"
    return _disagreement(device)


@cache
def _disagreement(device: torch.device) -> str | None:
    try:
        distances = _distances(device)
    except Exception as error:  # a compiler fails in many ways
        reason = str(error).splitlines() or [""]
        return f"Triton does not work here: {type(error).__name__}: {reason[0]}"
    deviations = [
        f"{name} by {distance:.1e}"
        for name, distance in distances.items()
        if distance > _TOLERANCES[name]
    ]
    return (
        f"the kernel does not agree with torch.optim.AdamW: {', '.join(deviations)}"
        if deviations
        else None
    )


@cache
def _compiled() -> Any:
    triton: Any = importlib.import_module("triton")
    return triton.jit(_adamw)


def _form(slot: AdamWSlot) -> SlotForm:
    return slot.form


def _distances(device: torch.device) -> dict[str, float]:
    """How far three steps end from torch's in float64, relative to the largest number of each.

    Sizes and number formats are mixed. torch's fused optimiser would be a poor measure: it rounds
    in ways of its own, other ones on each device.
    """
    scale, rate, decay = 1.7, 1e-2, 0.1
    slots = [*_samples(device, decay)]
    masters = [nn.Parameter(slot.master.double()) for slot in slots]
    exact = torch.optim.AdamW(masters, lr=rate, weight_decay=decay, foreach=False)
    kernel = AdamWKernel(slots, 3, (0.9, 0.999), 1e-8)
    on_device = [torch.tensor(number, device=device) for number in (rate, scale, 0.0, 1.0)]
    for _ in range(3):
        for master, slot in zip(masters, slots, strict=True):
            master.grad = slot.grad.double() / scale
        exact.step()
        kernel.step(AdamWScalars(*on_device[:3]))
    # A fourth step that is skipped must leave everything as the third one did.
    kernel.step(AdamWScalars(on_device[0], on_device[1], on_device[3]))
    pairs = {
        "weights": [(slot.master, master) for slot, master in zip(slots, masters, strict=True)],
        "moments": [
            (slot.exp_avg_sq, exact.state[master]["exp_avg_sq"])
            for slot, master in zip(slots, masters, strict=True)
        ],
        "steps": [
            (slot.step, exact.state[master]["step"].to(device))
            for slot, master in zip(slots, masters, strict=True)
        ],
        "copies": [(slot.copy, slot.master) for slot in slots if slot.copy is not None],
    }
    return {
        name: max(
            float((ours - other).detach().abs().max() / other.detach().abs().max())
            for ours, other in tensors
        )
        for name, tensors in pairs.items()
    }


def _samples(device: torch.device, decay: float) -> Iterator[AdamWSlot]:
    for size in (7, 64, _BLOCK + 48, 2 * _BLOCK + 5):
        for half in (torch.float32, torch.bfloat16):
            master = torch.linspace(-1, 1, size, device=device).sin()
            grad = torch.linspace(3, -2, size, device=device).cos().to(half)
            copy = None if half == torch.float32 and size % 2 else master.to(torch.bfloat16)
            moments = torch.zeros_like(master), torch.zeros_like(master)
            yield AdamWSlot(master, *moments, torch.zeros((), device=device), grad, copy, decay)


def _adamw(
    table: tl.tensor, decays: tl.tensor, blocks: tl.tensor,
    rate: tl.tensor, scale: tl.tensor, skipped: tl.tensor, corrections: tl.tensor,
    beta1: tl.tensor, beta2: tl.tensor, gain1: tl.tensor, gain2: tl.tensor, eps: tl.tensor,
    HALF: tl.constexpr, COPIED: tl.constexpr, ALIGNED: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr, COLUMNS: tl.constexpr,  # noqa: N803
) -> None:  # fmt: skip
    """A program's part: Triton compiles it, so it knows nothing but its arguments."""
    number: tl.constexpr = tl.bfloat16 if HALF else tl.float32
    if tl.load(skipped) == 0:
        slot = tl.load(blocks + 2 * tl.program_id(0))
        row = table + slot * COLUMNS
        first = tl.load(blocks + 2 * tl.program_id(0) + 1).to(tl.int64) * BLOCK
        size = tl.load(row + 6) - first
        master = tl.load(row).to(tl.pointer_type(tl.float32)) + first
        exp_avg = tl.load(row + 1).to(tl.pointer_type(tl.float32)) + first
        exp_avg_sq = tl.load(row + 2).to(tl.pointer_type(tl.float32)) + first
        grad = tl.load(row + 3).to(tl.pointer_type(number)) + first
        copy = tl.load(row + 4).to(tl.pointer_type(tl.bfloat16)) + first
        if ALIGNED:
            size = tl.multiple_of(size, 16)
            master, exp_avg = tl.multiple_of(master, 16), tl.multiple_of(exp_avg, 16)
            exp_avg_sq, grad = tl.multiple_of(exp_avg_sq, 16), tl.multiple_of(grad, 16)
            copy = tl.multiple_of(copy, 16)
        count = tl.load(tl.load(row + 5).to(tl.pointer_type(tl.float32))).to(tl.int32) + 1
        learning_rate, decay = tl.load(rate), tl.load(decays + slot)
        stride = learning_rate / tl.load(corrections + 2 * count)
        root = tl.load(corrections + 2 * count + 1)
        offsets = tl.arange(0, BLOCK)
        mask = offsets < size
        slope = tl.load(grad + offsets, mask=mask, other=0).to(tl.float32) / tl.load(scale)
        average = tl.load(exp_avg + offsets, mask=mask, other=0)
        average = beta1 * average + gain1 * slope
        square = tl.load(exp_avg_sq + offsets, mask=mask, other=0)
        square = beta2 * square + gain2 * slope * slope
        weight = tl.load(master + offsets, mask=mask, other=0)
        weight -= learning_rate * decay * weight
        weight -= stride * average / (tl.sqrt(square) / root + eps)
        tl.store(exp_avg + offsets, average, mask=mask)
        tl.store(exp_avg_sq + offsets, square, mask=mask)
        tl.store(master + offsets, weight, mask=mask)
        if COPIED:
            tl.store(copy + offsets, weight.to(tl.bfloat16), mask=mask)
