"""Matrix products on a CPU: oneDNN's where torch's own choice leaves half of the CPU unused.

For float32, torch asks MKL, which computes on an AMD processor with AVX2 even if that has AVX-512;
oneDNN comes with torch too and takes what there is. Both round in float32. Small products stay with
MKL: oneDNN writes code for each new number of rows, and those of batches are seldom the same.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from xharness import processor_name
from xharness_hf.speed.override import Override
from xharness_hf.speed.switches import is_on

_LARGE = 1 << 26  # multiplications for which half a millisecond of writing code is paid back


def fast_matmul(device: torch.device) -> AbstractContextManager[Any]:
    """The matrix products of linear layers by whichever library is faster on `device`."""
    if device.type == "cpu" and _mkl_is_slower() and is_on("matmul"):
        return Override({functional.linear: _linear})
    return nullcontext()


def _fits(states: Tensor, weight: Tensor) -> bool:
    """Whether it is a large product in float32, outside of autocast."""
    is_float32 = states.dtype == weight.dtype == torch.float32 and weight.ndim == 2
    is_large = states.numel() * weight.shape[0] >= _LARGE
    # Under autocast products are in bf16, for which torch asks oneDNN itself.
    return is_float32 and is_large and not torch.is_autocast_enabled("cpu")


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., in) to (..., out), as `torch.nn.functional.linear`, by oneDNN; gradients too."""
    if not _fits(input, weight):
        return functional.linear(input, weight, bias)
    flat = input.reshape(-1, input.shape[-1])
    if torch.is_grad_enabled():
        outputs: Tensor = _Linear.apply(flat, weight, bias)  # type: ignore[no-untyped-call]
    else:
        outputs = _product(flat, weight, bias)
    return outputs.view(*input.shape[:-1], weight.shape[0])


class _Linear(torch.autograd.Function):
    """(n, in) to (n, out), whose gradients are oneDNN's too."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states, weight)
        return _product(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        states, weight = ctx.saved_tensors
        grad = grads[0]
        of_states, of_weight, of_bias = ctx.needs_input_grad
        return (
            _product(grad, weight.t()) if of_states else None,
            _product(grad.t(), states.t()) if of_weight else None,
            grad.sum(dim=0) if of_bias else None,
        )


def _product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """`left @ right.T + bias` for matrices."""
    outputs: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], "")
    return outputs


@cache
def _mkl_is_slower() -> bool:
    """Whether MKL would leave AVX-512 unused here and oneDNN is there to take it."""
    libraries: Any = torch.backends
    return (
        libraries.mkl.is_available()
        and libraries.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and "AMD" in processor_name()
    )
