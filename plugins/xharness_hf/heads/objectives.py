"""What the backend must know of a task type: how it is encoded, learnt and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xharness import Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, Feature, joined
from xharness_hf.backbone.tokens import Tokens

Logits = Callable[[Tensor], Tensor]
"""A head: hidden states to float32 logits."""


class TrainingObjective(Protocol):
    """What a backbone can learn from hidden states of shape (windows, length, width)."""

    @property
    def kind(self) -> str: ...

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """The examples cut into features; `gold` says whether they are to be learnt from."""
        ...

    def terms(self, features: Sequence[Feature]) -> int:
        """How many terms the loss of these features sums."""
        ...

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Sum of the cross-entropies, a scalar in float32."""
        ...


class HeadObjective(TrainingObjective, Protocol):
    """What has a head of its own."""

    def outputs(self, card: TaskCard) -> int:
        """Width of the head."""
        ...


class HeadTask(HeadObjective, Protocol):
    """One kind of task: what is learnt can also be asked."""

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Sequence[Any]:
        """One answer for each feature, off the device."""
        ...

    def join(
        self, examples: Sequence[Any], features: Sequence[Feature], answers: Sequence[Any]
    ) -> list[Prediction]:
        """One prediction for each example."""
        ...


def states_at_marks(states: Tensor, batch: Batch) -> Tensor:
    """The states at every feature's marks, (marks, width); each feature must be one window."""
    counts = np.array([len(feature.marks) for feature in batch.features])
    rows = batch.on_device(np.repeat(np.arange(len(counts)), counts))
    return states[rows, batch.on_device(joined(feature.marks for feature in batch.features))]


def summed_cross_entropy(logits: Tensor, gold: Tensor) -> Tensor:
    """Summed cross-entropy of (n, classes) against (n,)."""
    return functional.cross_entropy(logits, gold, reduction="sum")


def by_example(features: Sequence[Feature], answers: Sequence[Any], count: int) -> list[Any]:
    """The answer of each example's one feature, in the examples' order."""
    ordered: list[Any] = [None] * count
    for feature, answer in zip(features, answers, strict=True):
        ordered[feature.owner] = answer
    return ordered


def argmax(logits: Tensor) -> list[int]:
    """Index of the largest logit of each row."""
    indices: list[int] = torch.argmax(logits, dim=-1).tolist()
    return indices
