"""The weights that a training on a device computes with, in place of the model's own.

Linear layers compute with copies in half precision that are written once a step, where autocast
would cast each in every pass. Of an embedding table only the active rows are held and learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from xharness_hf.speed.joint_linear import JointLayers, LinearLayer
from xharness_hf.training.active_rows import ActiveRows


class WorkingWeights:
    """Float32 masters for the optimiser, and what the model computes with between two evaluations.

    `joint` are the linear layers that are to compute in half precision, those together that read
    the same states.
    """

    def __init__(
        self,
        learning: Mapping[str, nn.Parameter],
        joint: Sequence[JointLayers],
        rows: ActiveRows | None,
    ) -> None:
        self._learning, self._rows = learning, rows
        table = None if rows is None else rows.parameter
        self._copies = {parameter: copy for layers in joint for parameter, copy in layers.copies()}
        # The masters' memory: given back, the model has what was learnt, and nothing is copied.
        self._originals = {parameter: parameter.data for parameter in self._copies}
        self.masters = {
            name: nn.Parameter(rows.weight if rows and parameter is table else parameter.data)
            for name, parameter in learning.items()
        }
        """By the names of `learning`; those without a copy share their memory with the model."""
        self.copies = {
            name: self._copies[parameter]
            for name, parameter in learning.items()
            if parameter in self._copies
        }
        """In half precision, by the names of `learning`, of the masters that have one."""

    def enter(self) -> None:
        """Let the model compute with the copies and the active rows."""
        self.refresh()
        for parameter, copy in self._copies.items():
            parameter.data = copy
        if self._rows is not None:
            self._rows.enter()

    def leave(self, decay: float) -> None:
        """Let the model have its own weights again; `decay` is of rows that were never met."""
        for parameter, original in self._originals.items():
            parameter.data = original
        if self._rows is not None:
            self._rows.leave(decay)

    def refresh(self) -> None:
        """Write the copies anew, after the masters have learnt."""
        if self.copies:
            masters = [self.masters[name].data for name in self.copies]
            torch._foreach_copy_([*self.copies.values()], masters)

    def full_tensors(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """What a checkpoint keeps of `tensors`, by `name:part`: tables with all their rows."""
        return tensors if self._rows is None else self._rows.full_tensors(tensors)

    def parts(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The way back from `full_tensors`; the table's other rows are put in place."""
        return tensors if self._rows is None else self._rows.parts(tensors)

    @contextmanager
    def own_weights(self, decay: float) -> Iterator[None]:
        """Inside it, the model has its own weights, to be looked at."""
        self.leave(decay)
        try:
            yield
        finally:
            self.enter()


def linear_layers(modules: Sequence[nn.Module]) -> list[LinearLayer]:
    """Linear layers with parameters of their own in float32, those held fixed too."""
    parts = [part for module in modules for part in module.modules()]
    # A layer tied to a table must follow the table's float32 rows, not a copy of its own.
    tables = {id(part.weight) for part in parts if isinstance(part, nn.Embedding)}
    layers = {
        id(part.weight): LinearLayer(cast(nn.Parameter, part.weight), part.bias)
        for part in parts
        if isinstance(part, nn.Linear) and id(part.weight) not in tables
    }
    return [
        layer
        for layer in layers.values()
        if layer.weight.dtype == torch.float32
        and (layer.bias is None or layer.bias.dtype == torch.float32)
    ]
