"""Root-mean-square norms of decoders by torch's one kernel, on a device.

Families write these norms out in some nine operations, and their gradients take some sixteen; torch
has one kernel each way. What a family multiplies by, its weight or one more than it, and in which
format it answers, is found out by asking the module, so that no list of classes is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from xharness_hf.speed.switches import VARIABLE, is_on

_EPSILONS = ("eps", "variance_epsilon")  # what families call it


class _RmsNorm(NamedTuple):
    """A module that computes `states / rms(states) * (weight + offset)`."""

    module: nn.Module
    weight: nn.Parameter
    offset: float
    eps: float
    keeps_format: bool
    """Whether half-precision states stay so; else the weight's format rules."""

    def __call__(self, hidden_states: Tensor) -> Tensor:
        weight = self.weight.float() + self.offset if self.offset else self.weight.float()
        states = functional.rms_norm(hidden_states.float(), weight.shape, weight, self.eps)
        return states.type_as(hidden_states) if self.keeps_format else states.type_as(self.weight)


class RmsNorms:
    """The norms of `reader` that torch's kernel computes while `running`."""

    def __init__(self, reader: nn.Module) -> None:
        self._norms = [norm for module in reader.modules() if (norm := _rms_norm(module))]

    def __len__(self) -> int:
        return len(self._norms)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside it, each module is the kernel."""
        for norm in self._norms:
            norm.module.forward = partial(_RmsNorm.__call__, norm)
        try:
            yield
        finally:
            for norm in self._norms:
                del norm.module.forward


def rms_norm_refusal(device: torch.device) -> str | None:
    """Why families' own operations compute it on `device`; None where the kernel does."""
    if not is_on("rms_norm"):
        return f"{VARIABLE} leaves it out"
    return None if device.type == "cuda" else f"no gain on a {device.type}"


@torch.no_grad()
def _rms_norm(module: nn.Module) -> _RmsNorm | None:
    """`module` as such a norm, which is tried rather than known by its class's name."""
    names = [name for name, _ in module.named_parameters()]
    eps = next((vars(module)[name] for name in _EPSILONS if name in vars(module)), None)
    if names != ["weight"] or not isinstance(eps, float) or isinstance(module, nn.LayerNorm):
        return None
    weight = module.get_parameter("weight")
    if weight.ndim != 1:
        return None
    ramp = torch.linspace(-2, 3, 2 * len(weight), device=weight.device)
    states = ramp.sin().view(1, 2, -1).to(weight.dtype)
    try:
        answers, half_answers = module(states), module(states.bfloat16())
    except (TypeError, RuntimeError):  # it takes something else than states
        return None
    keeps_format = half_answers.dtype == torch.bfloat16
    for offset in (0.0, 1.0):
        norm = _RmsNorm(module, weight, offset, eps, keeps_format)
        if torch.allclose(norm(states), answers, rtol=1e-5, atol=1e-6):
            return norm
    return None
