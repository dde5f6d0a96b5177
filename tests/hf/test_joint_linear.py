"""Linear layers that compute together give what each gives alone."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from tests.hf import tiny
from tests.hf.tape import Counting
from xharness_hf.speed.joint_linear import (
    JointLayers,
    JointLinear,
    LinearLayer,
    reading_together,
)


class Block(nn.Module):
    """Three layers on the same states, and one on what they give."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8, bias), nn.Linear(8, 4, bias)
        self.third, self.last = nn.Linear(8, 4, bias), nn.Linear(16, 8, bias)

    def forward(self, states: Tensor) -> Tensor:
        parts = [layer(states) for layer in (self.first, self.second, self.third)]
        outputs: Tensor = self.last(torch.cat(parts, dim=-1))
        return outputs


def _layers(module: nn.Module) -> list[LinearLayer]:
    linear = (part for part in module.modules() if isinstance(part, nn.Linear))
    return [LinearLayer(cast(nn.Parameter, part.weight), part.bias) for part in linear]


def _learnt(module: nn.Module, states: Tensor, grad: Tensor) -> list[Tensor]:
    states = states.clone().requires_grad_()
    outputs = module(states)
    return [outputs, *torch.autograd.grad(outputs, [states, *module.parameters()], grad)]


@pytest.mark.parametrize("bias", [True, False])
def test_layers_on_the_same_states_are_one_product(bias: bool) -> None:
    torch.manual_seed(0)
    block, states = Block(bias).double(), torch.randn(2, 5, 8, dtype=torch.double)
    grad = torch.randn(2, 5, 8, dtype=torch.double)
    separate = _learnt(copy.deepcopy(block), states, grad)
    groups = reading_together(_layers(block), lambda: block(states))
    assert [len(group) for group in groups] == [3, 1]
    joints = [JointLayers(group, torch.double) for group in groups]
    for parameter, part in (pair for joint in joints for pair in joint.copies()):
        parameter.data = part
    unit = torch.ones(1, 10, dtype=torch.double)
    with JointLinear(joints, unit), Counting() as count:
        together = _learnt(block, states, grad)
    assert count.names.count("mm") + count.names.count("addmm") == (8 if bias else 6)
    for tensor, rival in zip(together, separate, strict=True):
        assert tensor.dtype == rival.dtype
        assert torch.allclose(tensor, rival)


def test_states_that_are_read_twice_are_computed_twice() -> None:
    """A layer that is asked again, and one on other states, get outputs of their own."""
    layers = [nn.Linear(4, 4), nn.Linear(4, 4)]
    states = torch.randn(3, 4)
    joint = JointLayers(_layers(nn.ModuleList(layers)), torch.float32)
    with JointLinear([joint], torch.ones(1, 3)):
        outputs = [layers[0](states), layers[0](states), layers[1](states), layers[1](states + 1)]
    apart = [layers[0](states), layers[0](states), layers[1](states), layers[1](states + 1)]
    for tensor, rival in zip(outputs, apart, strict=True):
        assert torch.allclose(tensor, rival, atol=1e-6)


@pytest.mark.parametrize("changes", ["twice", "held", "unbiased"])
def test_layers_that_differ_stand_alone(changes: str) -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4, bias=changes != "unbiased")
    second.requires_grad_(changes != "held")
    states = torch.randn(3, 4)

    def read() -> None:
        first(states), second(states)
        if changes == "twice":
            second(states + 1)

    groups = reading_together(_layers(nn.ModuleList([first, second])), read)
    assert [len(group) for group in groups] == [1, 1]


def test_queries_keys_and_values_are_found_together(folders: dict[str, Path]) -> None:
    """And gate and up, where a family has them."""
    for family, sizes in (("bert", [1, 1, 1, 3]), ("gemma", [1, 1, 2, 3])):
        reader = tiny.start(folders[family]).backbone.reader
        layers = _layers(
            reader.get_submodule("encoder.layer.0" if family == "bert" else "layers.0")
        )
        groups = reading_together(layers, partial(reader, input_ids=torch.tensor([[5, 6]])))
        assert sorted(len(group) for group in groups) == sizes
