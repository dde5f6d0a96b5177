"""Of an embedding table, the rows that a training can meet: they alone are held and learnt.

AdamW does nothing to the others but decay them, because their moments stay zero. A batch meets
hundreds of the hundred thousands of sub-words of a multilingual vocabulary, whose table is most of
a small model: to read and write all of it would take most of a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xharness_hf.heads.heads import MaskedHead
from xharness_hf.speed.switches import is_on
from xharness_hf.training.step import TrainingContext


class ActiveRows:
    """The rows of an embedding table that a training can meet, and the way back to the whole."""

    def __init__(self, name: str, table: nn.Embedding, ids: Iterable[int]) -> None:
        self.name = name
        """The name of the table's parameter among those that learn."""
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

    def full_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a checkpoint keeps of `tensors`, by `name:part`: the table with all its rows."""
        weight = f"{self.name}:weight"
        full = {key: self._scattered(tensors[key]) for key in self._keys_of_rows(tensors)}
        return {**tensors, **full, weight: self._full_table()}

    def parts(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The way back from `full_tensors`; the table's other rows are put in place."""
        self._restore(tensors[f"{self.name}:weight"])
        active = {key: self._gathered(tensors[key]) for key in self._keys_of_rows(tensors)}
        return {**tensors, **active}

    def _keys_of_rows(self, tensors: Mapping[str, Tensor]) -> list[str]:
        """Of the table's weight and moments; how many steps it took has no rows."""
        own = {key for key in tensors if key.rpartition(":")[0] == self.name}
        return sorted(own - {f"{self.name}:step"})

    def _full_table(self) -> Tensor:
        """The table with its learnt rows, the others undecayed, on the CPU."""
        table = self._all_rows.to("cpu", copy=True)
        return table.index_copy_(0, self._rows.cpu(), self.weight.cpu())

    def _restore(self, table: Tensor) -> None:
        """Let `table`, its other rows undecayed, be the whole."""
        self._all_rows.copy_(table)
        self.weight.copy_(self._all_rows.index_select(0, self._rows))

    def _scattered(self, rows: Tensor) -> Tensor:
        """`rows` of the active ones in the whole table's shape, zeros elsewhere, on the CPU."""
        table = torch.zeros(self._all_rows.shape, dtype=rows.dtype)
        return table.index_copy_(0, self._rows.cpu(), rows.cpu())

    def _gathered(self, table: Tensor) -> Tensor:
        """The active rows of `table`."""
        return table.index_select(0, self._rows.to(table.device))


def active_rows(context: TrainingContext) -> ActiveRows | None:
    """The rows that the feeds' sub-words have; None where others change, too.

    That is, where a product touches all of them, or an optimiser goes by the whole table.
    """
    vocabulary = context.backbone.vocabulary
    if vocabulary is None or context.recipe.optimizer != "adamw" or not is_on("active_rows"):
        return None
    table = context.backbone.embedding
    parameters = context.backbone.module.named_parameters(remove_duplicate=False)
    users = sum(parameter is table.weight for _, parameter in parameters)
    # A table that states are multiplied with, too, has a gradient in each of its rows.
    tied = users > 1 or any(isinstance(head, MaskedHead) for head in context.heads)
    learning = context.learning.items()
    name = next((name for name, parameter in learning if parameter is table.weight), None)
    if tied or name is None or any(feed.masked for feed in context.feeds):
        return None
    features = (feature for feed in context.feeds for feature in feed.features)
    windows = [window.ids for feature in features for window in feature.windows]
    pads = [feed.layout.pad for feed in context.feeds]
    return ActiveRows(name, table, [*np.unique(np.concatenate(windows)).tolist(), *pads])
