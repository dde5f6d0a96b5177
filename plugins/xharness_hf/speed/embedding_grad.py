"""Gradients of embeddings on a CPU: added where words were looked up, into memory that is kept.

A step meets some hundred of the hundred thousands of words of a multilingual vocabulary. torch
answers it with new memory for a gradient of the whole table, cleared page by page, and throws it
away after the step: for a small backbone that takes as long as its layers' products. Here the
memory stays, and the rows that were met are cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from xharness_hf.speed.override import Override
from xharness_hf.speed.switches import is_on

_LARGE = 2**20  # numbers in a table from which on it is worth the while
RowsByTable = Mapping[Tensor, NDArray[np.int64]]
"""Tables of which some rows alone are held, to the row that each id has there."""
_NO_TABLES: RowsByTable = MappingProxyType({})


def keeps_grad(table: Tensor) -> bool:
    """Whether the gradient of `table` is kept: of a large one on a CPU."""
    return table.device.type == "cpu" and table.numel() >= _LARGE and is_on("embedding_grad")


class EmbeddingGradients(Override):
    """Watches what is looked up in large tables while they learn; one for each training.

    The tables in `row_of` are looked up by row.
    """

    def __init__(self, row_of: RowsByTable = _NO_TABLES) -> None:
        super().__init__({functional.embedding: self._embedding})
        self._row_of = {table: torch.from_numpy(rows) for table, rows in row_of.items()}
        self._met: dict[Tensor, list[Tensor]] = {}
        """Table to the ids looked up in it since its gradient was cleared."""
        self._dense_tables: set[Tensor] = set()
        """Those with a gradient in rows that were not looked up."""
        self._hooks: list[RemovableHandle] = []

    def clear(self, optimizer: Optimizer) -> None:
        """In place of `optimizer.zero_grad()`: the gradients' memory of large tables is kept."""
        kept_grads = {table: table.grad for table in self._met}
        optimizer.zero_grad(set_to_none=True)
        for table, grad in kept_grads.items():
            rows = torch.cat([torch.zeros(0, dtype=torch.long), *self._met[table]])
            if grad is not None:
                grad.index_fill_(0, rows, 0) if table not in self._dense_tables else grad.zero_()
            table.grad = grad
            self._met[table] = []
        self._dense_tables.clear()

    def close(self) -> None:
        """Let go of the gradients' memory, when the training has ended."""
        for table in self._met:
            table.grad = None
        for hook in self._hooks:
            hook.remove()
        self._met.clear()

    def _fits(
        self,
        input: Tensor,
        weight: Tensor,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> bool:
        is_plain = max_norm is None and not scale_grad_by_freq and not sparse
        # Only a leaf keeps its gradient; of anything computed there is no memory to keep.
        learns = torch.is_grad_enabled() and weight.requires_grad and weight.is_leaf
        # Of a table with some of its rows, a node of torch's graph may still expect all of them.
        return is_plain and learns and (weight in self._row_of or keeps_grad(weight))

    def _embedding(self, input: Tensor, weight: Tensor, *args: Any, **keywords: Any) -> Tensor:
        if weight in self._row_of:
            input = self._row_of[weight][input]
        fits = self._fits(input, weight, *args, **keywords)
        look_up = self._lookup if fits else functional.embedding
        return look_up(input, weight, *args, **keywords)

    def _lookup(
        self,
        input: Tensor,
        weight: Tensor,
        padding_idx: int | None = None,
        *more: Any,
        **other: Any,
    ) -> Tensor:
        if weight not in self._met:
            self._met[weight] = []
            self._watch(weight)
        met = input.flatten() if padding_idx is None else input[input != padding_idx]
        self._met[weight].append(met)
        vectors: Tensor = _Lookup.apply(weight, input, padding_idx)  # type: ignore[no-untyped-call]
        return vectors

    def _watch(self, table: Tensor) -> None:
        """Note a gradient that comes another way: what is multiplied with gets one everywhere."""

        def note(grad: Tensor | None) -> None:
            if grad is not None:
                self._dense_tables.add(table)

        watch: Any = table.register_hook
        self._hooks.append(watch(note))


class _Lookup(torch.autograd.Function):
    """(…) ids to (…, width); gradients go into `table.grad`, and are not handed on."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor, padding_idx: int | None) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.table, ctx.padding_idx = table, padding_idx
        return functional.embedding(ids, table.detach())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None]:
        (ids,), table, grad = ctx.saved_tensors, ctx.table, grads[0]
        rows, gradients = ids.flatten(), grad.reshape(-1, grad.shape[-1]).to(table.dtype)
        if ctx.padding_idx is not None:
            real = rows != ctx.padding_idx
            rows, gradients = rows[real], gradients[real]
        if table.grad is None:
            table.grad = torch.zeros_like(table)
        table.grad.index_add_(0, rows, gradients)
        return None, None, None
