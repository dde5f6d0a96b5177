"""Linear layers in half precision on a device, in fewer kernels than autocast takes.

Autocast casts what enters each layer, and gradients on their way back. Here states are cast once;
layers that read the very same ones (queries, keys and values; gate and up) are one product, their
weights lying side by side; products write the gradients of float32 states in float32 at once; and
a bias's gradient is a product with ones, because a sum over rows leaves most of a device idle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xharness_hf.speed.override import Override


@dataclass(frozen=True)
class LinearLayer:
    """The parameters of a linear layer, of shapes (out, in) and (out,)."""

    weight: nn.Parameter
    bias: nn.Parameter | None

    @property
    def form(self) -> tuple[Any, ...]:
        """What layers have in common that can be one product."""
        learns = self.weight.requires_grad, self.bias is not None and self.bias.requires_grad
        return self.weight.shape[1], self.bias is None, *learns


class HalfStates:
    """The last normalised states in half precision, for the linear layers that read them next."""

    def __init__(self) -> None:
        self._states: Tensor | None = None
        self._half: Tensor | None = None

    def put(self, states: Tensor, half: Tensor) -> None:
        self._states, self._half = states, half

    def of(self, states: Tensor, dtype: torch.dtype) -> Tensor:
        """`states` in `dtype`: what the kernel wrote where it is theirs, else a cast."""
        if states is self._states and self._half is not None and self._half.dtype == dtype:
            return self._half
        return states.to(dtype)

    def clear(self) -> None:
        self._states = self._half = None


class JointLayers:
    """Layers that read the same states: copies of their parameters side by side."""

    def __init__(self, layers: Sequence[LinearLayer], dtype: torch.dtype) -> None:
        self.layers = tuple(layers)
        self.sizes = [len(layer.weight) for layer in layers]
        """The `out` of each layer."""
        biases = [layer.bias.data for layer in layers if layer.bias is not None]
        self.weight = torch.cat([layer.weight.data for layer in layers]).to(dtype)
        """(sum of out, in)"""
        self.bias = torch.cat(biases).to(dtype) if biases else None
        """(sum of out,); None where the layers have none."""

    def copies(self) -> Iterator[tuple[nn.Parameter, Tensor]]:
        """Each parameter, and its part of the copies."""
        split: Any = torch.split
        weights = split(self.weight, self.sizes)
        biases = [None] * len(weights) if self.bias is None else split(self.bias, self.sizes)
        for layer, weight, bias in zip(self.layers, weights, biases, strict=True):
            yield layer.weight, weight
            if layer.bias is not None and bias is not None:
                yield layer.bias, bias

    def __call__(self, states: Tensor, half: Tensor, ones: Tensor) -> tuple[Tensor, ...]:
        """(..., in) to (..., out) for each layer.

        `half` are the states as the copies are formatted; `ones` are at least as many, (1, n).
        """
        parameters = [parameter for parameter, _ in self.copies()]
        apply: Any = _Joint.apply
        outputs: tuple[Tensor, ...] = apply(states, half, self, ones, *parameters)
        return outputs


class JointLinear(Override):
    """Inside it, layers compute together; of one that is asked, the others' outputs are kept."""

    def __init__(
        self, joints: Sequence[JointLayers], ones: Tensor, halves: HalfStates | None = None
    ) -> None:
        super().__init__({functional.linear: self._linear})
        self._ones, self._halves = ones, halves or HalfStates()
        self._joints: dict[Tensor, JointLayers] = {
            layer.weight: joint for joint in joints for layer in joint.layers
        }
        self._states: Tensor | None = None
        self._outputs: dict[Tensor, Tensor] = {}

    def __exit__(self, *exception: Any) -> None:
        self._states = None
        self._outputs.clear()
        super().__exit__(*exception)  # type: ignore[no-untyped-call]

    def _linear(self, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        joint = self._joints.get(weight)
        if joint is None:
            return functional.linear(input, weight, bias)
        if input is not self._states or weight not in self._outputs:
            weights = [layer.weight for layer in joint.layers]
            half = self._halves.of(input, joint.weight.dtype)
            self._outputs = dict(zip(weights, joint(input, half, self._ones), strict=True))
            self._states = input
        # Taken out: a layer that is asked twice computes twice, as it would by itself.
        return self._outputs.pop(weight)


def reading_together(
    layers: Sequence[LinearLayer], read: Callable[[], object]
) -> list[list[LinearLayer]]:
    """All `layers`, those together that read the very same states when `read` is called.

    A layer that is met with several others in one place and with none in another stands alone.
    """
    calls: list[tuple[Tensor, Tensor]] = []  # states are kept, so that no others get their number

    def note(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        calls.append((input, weight))
        return functional.linear(input, weight, bias)

    with torch.no_grad(), Override({functional.linear: note}):
        read()
    readers: dict[int, list[Tensor]] = {}
    for states, weight in calls:
        readers.setdefault(id(states), []).append(weight)
    companions: dict[Tensor, set[tuple[Tensor, ...]]] = {}
    for weights in readers.values():
        for weight in weights:
            companions.setdefault(weight, set()).add(tuple(weights))
    by_weight: dict[Tensor, LinearLayer] = {layer.weight: layer for layer in layers}
    groups: dict[tuple[Any, ...], list[LinearLayer]] = {}
    for layer in layers:
        together = companions.get(layer.weight, set())
        # The same companions wherever it is met, and they say so too.
        is_group = len(together) == 1 and all(
            weight in by_weight and companions[weight] == together
            for weight in next(iter(together))
        )
        key = (next(iter(together)), layer.form) if is_group else (layer.weight,)
        groups.setdefault(key, []).append(layer)
    return list(groups.values())


class _Joint(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, half: Tensor, joint: JointLayers, ones: Tensor,
        *parameters: nn.Parameter,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        half = half.reshape(-1, half.shape[-1])
        if joint.bias is None:
            outputs = half @ joint.weight.t()
        else:
            outputs = torch.addmm(joint.bias, half, joint.weight.t())
        ctx.save_for_backward(half, joint.weight, ones)
        ctx.sizes, ctx.shape, ctx.dtype = joint.sizes, states.shape, states.dtype
        ctx.biased = joint.bias is not None
        outputs = outputs.view(*states.shape[:-1], -1)
        if len(joint.sizes) == 1:
            return (outputs,)
        split: Any = torch.split
        parts: tuple[Tensor, ...] = split(outputs, joint.sizes, dim=-1)
        return parts

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        half, weight, ones = ctx.saved_tensors
        rows = [grad.reshape(-1, grad.shape[-1]) for grad in grads]
        grad = rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)
        reads, _, _, _, *learns = ctx.needs_input_grad
        of_states = _product(grad, weight, ctx.dtype).view(ctx.shape) if reads else None
        split: Any = torch.split
        # In the order of `copies`: each layer's bias behind its weight, where there are any.
        parts = [split(grad.t() @ half, ctx.sizes) if any(learns[:: 1 + ctx.biased]) else None]
        if ctx.biased:
            sums = (ones[:, : len(grad)] @ grad).squeeze(0) if any(learns[1::2]) else None
            parts.append(None if sums is None else split(sums, ctx.sizes))
        of_parameters = [
            None if part is None else part[index] for index in range(len(rows)) for part in parts
        ]
        return of_states, None, None, None, *of_parameters


def _product(left: Tensor, right: Tensor, dtype: torch.dtype) -> Tensor:
    """`left @ right` in `dtype`; a GPU's product writes it so at once."""
    if left.dtype == dtype or not left.is_cuda:
        return (left @ right).to(dtype)
    product: Any = torch.mm  # its form with another number format is not in torch's stubs
    output: Tensor = product(left, right, out_dtype=dtype)
    return output
