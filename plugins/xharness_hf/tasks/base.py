"""What the backend must know of a kind: how it is encoded, learnt and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xharness.extend import Prediction, Recipe, TaskCard
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Batch, Unit, joined

Logits = Callable[[Tensor], Tensor]
"""A head: hidden states to float32 logits."""


class Lessons(Protocol):
    """What a body can learn from hidden states of shape (windows, length, width)."""

    @property
    def kind(self) -> str: ...

    def units(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Unit]:
        """The examples cut into units; `gold` says whether they are to be learnt from."""
        ...

    def terms(self, units: Sequence[Unit]) -> int:
        """How many terms the loss of these units sums."""
        ...

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Sum of the cross-entropies, a scalar in float32."""
        ...


class Headed(Lessons, Protocol):
    """What has a head of its own."""

    def outputs(self, card: TaskCard) -> int:
        """Width of the head."""
        ...


class Task(Headed, Protocol):
    """One kind of task: what is learnt can also be asked."""

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Sequence[Any]:
        """One answer for each unit, off the device."""
        ...

    def join(
        self, examples: Sequence[Any], units: Sequence[Unit], answers: Sequence[Any]
    ) -> list[Prediction]:
        """One prediction for each example."""
        ...


def at_marks(states: Tensor, batch: Batch) -> Tensor:
    """The states at every unit's marks, (marks, width); each unit must be one window."""
    counts = np.array([len(unit.marks) for unit in batch.units])
    rows = batch.on_device(np.repeat(np.arange(len(counts)), counts))
    return states[rows, batch.on_device(joined(unit.marks for unit in batch.units))]


def summed(logits: Tensor, gold: Tensor) -> Tensor:
    """Summed cross-entropy of (n, classes) against (n,)."""
    return functional.cross_entropy(logits, gold, reduction="sum")


def only(units: Sequence[Unit], answers: Sequence[Any], count: int) -> list[Any]:
    """The answer of each example's one unit, in the examples' order."""
    found: list[Any] = [None] * count
    for unit, answer in zip(units, answers, strict=True):
        found[unit.owner] = answer
    return found


def best(logits: Tensor) -> list[int]:
    """Place of the largest of each row."""
    places: list[int] = torch.argmax(logits, dim=-1).tolist()
    return places
