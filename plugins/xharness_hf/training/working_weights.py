"""The weights that a training on a device computes with, in place of the model's own.

Linear layers compute with copies in half precision that are written once a step, where autocast
would cast each in every pass. Of an embedding table only the rows that the training can meet are
held and learnt: AdamW does nothing to the others but decay them, because their moments stay zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class ActiveRows:
    """The rows of an embedding table that a training can meet, and the way back to the whole."""

    def __init__(self, table: nn.Embedding, ids: Iterable[int]) -> None:
        self._table, self._whole = table, table.weight.data
        padding = [] if table.padding_idx is None else [table.padding_idx]
        rows = np.unique(np.fromiter([*ids, *padding], dtype=np.int64))
        self.place_of: NDArray[np.int64] = np.zeros(len(self._whole), dtype=np.int64)
        """For each id its row among the active ones; 0 for those that are never met."""
        self.place_of[rows] = np.arange(len(rows))
        self._rows = torch.from_numpy(rows).to(self._whole.device)
        self._padding = table.padding_idx
        self.weight = self._whole.index_select(0, self._rows)

    def enter(self) -> None:
        """Let the table be the active rows alone."""
        self._table.weight.data = self.weight
        if self._padding is not None:
            self._table.padding_idx = int(self.place_of[self._padding])

    def leave(self, decay: float) -> None:
        """Let the table be whole: learnt rows go back, the others are a factor times the first.

        They stay undecayed themselves, because factors of many parts of a training would round
        otherwise than one of the whole: an interrupted one would end with other weights.
        """
        whole = self._whole if decay == 1 else self._whole * decay
        self._table.weight.data = whole.index_copy_(0, self._rows, self.weight)
        self._table.padding_idx = self._padding

    def whole(self) -> Tensor:
        """The table with its learnt rows, the others undecayed, on the CPU."""
        whole = self._whole.to("cpu", copy=True)
        return whole.index_copy_(0, self._rows.cpu(), self.weight.cpu())

    def restore(self, whole: Tensor) -> None:
        """Let `whole`, its other rows undecayed, be the table."""
        self._whole.copy_(whole)
        self.weight.copy_(self._whole.index_select(0, self._rows))

    def spread(self, rows: Tensor) -> Tensor:
        """`rows` of the active ones in the whole table's shape, zeros elsewhere, on the CPU."""
        whole = torch.zeros(self._whole.shape, dtype=rows.dtype)
        return whole.index_copy_(0, self._rows.cpu(), rows.cpu())

    def gathered(self, whole: Tensor) -> Tensor:
        """The active rows of `whole`."""
        return whole.index_select(0, self._rows.to(whole.device))


class WorkingWeights:
    """Float32 masters for the optimiser, and what the model computes with between two looks."""

    def __init__(
        self,
        learning: Mapping[str, nn.Parameter],
        modules: Sequence[nn.Module],
        half: torch.dtype | None,
        rows: ActiveRows | None,
    ) -> None:
        self._learning, self._rows = learning, rows
        table = None if rows is None else rows._table.weight
        self._linear = _linear(modules) if half else []
        self._whole = {parameter: parameter.data for parameter in self._linear}
        self._copies = {parameter: parameter.data.to(half) for parameter in self._linear}
        self.masters = {
            name: nn.Parameter(rows.weight if rows and parameter is table else parameter.data)
            for name, parameter in learning.items()
        }
        """By the names of `learning`; those without a copy share their memory with the model."""
        self.table = next((name for name, one in learning.items() if one is table), None)
        """The name of the parameter of which only the active rows are held."""
        learnt = [name for name, parameter in learning.items() if parameter in self._copies]
        self._fresh = [self._copies[learning[name]] for name in learnt]
        self._source = [self.masters[name].data for name in learnt]

    def enter(self) -> None:
        """Let the model compute with the copies and the active rows."""
        self.refresh()
        for parameter, copy in self._copies.items():
            parameter.data = copy
        if self._rows is not None:
            self._rows.enter()

    def leave(self, decay: float) -> None:
        """Let the model have its own weights again; `decay` is of rows that were never met."""
        for parameter, whole in self._whole.items():
            parameter.data = whole
        if self._rows is not None:
            self._rows.leave(decay)

    def refresh(self) -> None:
        """Write the copies anew, after the masters have learnt."""
        if self._fresh:
            torch._foreach_copy_(self._fresh, self._source)

    def whole(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a checkpoint keeps of `tensors`, by `name:part`: tables with all their rows."""
        found = dict(tensors)
        for key, rows in tensors.items():
            name, _, part = key.rpartition(":")
            if self._rows is not None and name == self.table and part != "step":
                weight = part == "weight"
                found[key] = self._rows.whole() if weight else self._rows.spread(rows)
        return found

    def parts(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The way back from `whole`; the table's other rows are put in place."""
        found = dict(tensors)
        for key, whole in tensors.items():
            name, _, part = key.rpartition(":")
            if self._rows is not None and name == self.table and part != "step":
                found[key] = self._rows.gathered(whole)
                if part == "weight":
                    self._rows.restore(whole)
        return found

    @contextmanager
    def outside(self, decay: float) -> Iterator[None]:
        """Inside it, the model has its own weights, to be looked at."""
        self.leave(decay)
        try:
            yield
        finally:
            self.enter()


def _linear(modules: Sequence[nn.Module]) -> list[nn.Parameter]:
    """The float32 parameters of linear layers alone, those held fixed too."""
    inside = [part for module in modules for part in module.modules()]
    shared = {id(part.weight) for part in inside if isinstance(part, nn.Embedding)}
    found = {
        id(parameter): parameter
        for part in inside
        if isinstance(part, nn.Linear)
        for parameter in part.parameters(recurse=False)
        if parameter.dtype == torch.float32 and id(parameter) not in shared
    }
    return list(found.values())
