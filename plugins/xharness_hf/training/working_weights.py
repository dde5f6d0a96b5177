"""The weights that a training on a device computes with, in place of the model's own.

Linear layers compute with copies in half precision that are written once a step, where autocast
would cast each in every pass. Of an embedding table only the rows that the training can meet are
held and learnt: AdamW does nothing to the others but decay them, because their moments stay zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xharness_hf.heads.heads import MaskedHead
from xharness_hf.speed.joint_linear import JointLayers, LinearLayer
from xharness_hf.speed.switches import is_on
from xharness_hf.training.step import TrainingContext


class ActiveRows:
    """The rows of an embedding table that a training can meet, and the way back to the whole."""

    def __init__(self, table: nn.Embedding, ids: Iterable[int]) -> None:
        self._table, self._all_rows = table, table.weight.data
        padding = [] if table.padding_idx is None else [table.padding_idx]
        rows = np.unique(np.fromiter([*ids, *padding], dtype=np.int64))
        self.row_of: NDArray[np.int64] = np.zeros(len(self._all_rows), dtype=np.int64)
        """For each id its row among the active ones; 0 for those that are never met."""
        self.row_of[rows] = np.arange(len(rows))
        self._rows = torch.from_numpy(rows).to(self._all_rows.device)
        self._padding = table.padding_idx
        self.weight = self._all_rows.index_select(0, self._rows)

    @property
    def parameter(self) -> nn.Parameter:
        """The table's own parameter, in place of which the active rows are learnt."""
        return cast(nn.Parameter, self._table.weight)

    def enter(self) -> None:
        """Let the table be the active rows alone."""
        self._table.weight.data = self.weight
        if self._padding is not None:
            self._table.padding_idx = int(self.row_of[self._padding])

    def leave(self, decay: float) -> None:
        """Let the table be whole: learnt rows go back, the others are a factor times the first.

        They stay undecayed themselves, because factors of many parts of a training would round
        otherwise than one of the whole: an interrupted one would end with other weights.
        """
        # No copy where nothing decays: the table may be most of a model.
        decayed = self._all_rows if decay == 1 else self._all_rows * decay
        self._table.weight.data = decayed.index_copy_(0, self._rows, self.weight)
        self._table.padding_idx = self._padding

    def full_table(self) -> Tensor:
        """The table with its learnt rows, the others undecayed, on the CPU."""
        table = self._all_rows.to("cpu", copy=True)
        return table.index_copy_(0, self._rows.cpu(), self.weight.cpu())

    def restore(self, table: Tensor) -> None:
        """Let `table`, its other rows undecayed, be the whole."""
        self._all_rows.copy_(table)
        self.weight.copy_(self._all_rows.index_select(0, self._rows))

    def scattered(self, rows: Tensor) -> Tensor:
        """`rows` of the active ones in the whole table's shape, zeros elsewhere, on the CPU."""
        table = torch.zeros(self._all_rows.shape, dtype=rows.dtype)
        return table.index_copy_(0, self._rows.cpu(), rows.cpu())

    def gathered(self, table: Tensor) -> Tensor:
        """The active rows of `table`."""
        return table.index_select(0, self._rows.to(table.device))


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
        self.table = next(
            (name for name, parameter in learning.items() if parameter is table), None
        )
        """The name of the parameter of which only the active rows are held."""
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

    def full_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a checkpoint keeps of `tensors`, by `name:part`: tables with all their rows."""
        stored = dict(tensors)
        for key, rows in tensors.items():
            name, _, part = key.rpartition(":")
            if self._rows is not None and name == self.table and part != "step":
                weight = part == "weight"
                stored[key] = self._rows.full_table() if weight else self._rows.scattered(rows)
        return stored

    def parts(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The way back from `full_tensors`; the table's other rows are put in place."""
        loaded = dict(tensors)
        for key, table in tensors.items():
            name, _, part = key.rpartition(":")
            if self._rows is not None and name == self.table and part != "step":
                loaded[key] = self._rows.gathered(table)
                if part == "weight":
                    self._rows.restore(table)
        return loaded

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


def active_rows(context: TrainingContext) -> ActiveRows | None:
    """The rows that the feeds' sub-words have; None where a product touches all of them."""
    vocabulary = context.backbone.vocabulary
    if vocabulary is None or not is_on("active_rows"):
        return None
    table = context.backbone.embedding
    parameters = context.backbone.module.named_parameters(remove_duplicate=False)
    users = sum(parameter is table.weight for _, parameter in parameters)
    # A table that states are multiplied with, too, has a gradient in each of its rows.
    tied = users > 1 or any(isinstance(head, MaskedHead) for head in context.heads)
    learns = any(parameter is table.weight for parameter in context.learning.values())
    if tied or not learns or any(feed.masked for feed in context.feeds):
        return None
    features = (feature for feed in context.feeds for feature in feed.features)
    windows = [window.ids for feature in features for window in feature.windows]
    pads = [feed.layout.pad for feed in context.feeds]
    return ActiveRows(table, [*np.unique(np.concatenate(windows)).tolist(), *pads])
