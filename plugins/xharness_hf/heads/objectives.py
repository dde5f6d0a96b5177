"""What the backend must know of a task type: how it is encoded, learnt and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from xharness import Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import (
    Batch,
    DeviceAnswers,
    Feature,
    Layout,
    best_indices,
    joined,
)
from xharness_hf.backbone.placement import (
    IGNORED,
    Longs,
    Placement,
    Targets,
    filled,
    padded_placement,
)
from xharness_hf.backbone.tokens import Tokens

Logits = Callable[[Tensor], Tensor]
"""A head: hidden states to float32 logits."""


class TrainingObjective(Protocol):
    """What a backbone can learn from hidden states of shape (tokens, width)."""

    @property
    def task_type(self) -> str: ...

    @property
    def fixed_shape(self) -> bool:
        """Whether the loss reads the states by its targets alone, not by a padded batch."""
        ...

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """The examples cut into features; `gold` says whether they are to be learnt from."""
        ...

    def terms(self, features: Sequence[Feature]) -> int:
        """How many terms the loss of these features sums."""
        ...

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """At how many of a feature's sub-words the loss looks; 0 where windows are pooled."""
        ...

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """What `loss` reads beside the states, in the sizes that the placement's capacity says."""
        ...

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Sum of the cross-entropies, a scalar in float32.

        Its shapes hang on the targets' alone, and it reads nothing back from a device.
        """
        ...


class HeadObjective(TrainingObjective, Protocol):
    """What has a head of its own."""

    def outputs(self, card: TaskCard) -> int:
        """Width of the head."""
        ...


class HeadTask(HeadObjective, Protocol):
    """The objective of a task type: what is learnt can also be predicted."""

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """One answer for each feature; the device need not have computed it yet."""
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


def exact_targets(
    task: TrainingObjective, batch: Batch, layout: Layout, recipe: Recipe, length: int | None = None
) -> Targets:
    """The targets of a padded batch, beside it, in sizes that hold just what there is.

    `length`: of a row of states, where it is not that of the batch.
    """
    num_marks = sum(task.marks(feature, recipe) for feature in batch.features)
    placement = padded_placement(batch.features, layout, num_marks, length)
    arrays = task.targets(batch.features, placement, recipe)
    return Targets({name: batch.on_device(array) for name, array in arrays.items()}, batch)


def mark_targets(
    positions: Sequence[NDArray[Any]], gold: Sequence[NDArray[Any]], placement: Placement
) -> dict[str, Longs]:
    """Targets of an objective that looks at single states: which they are, and their classes."""
    size = placement.capacity.marks
    return {
        "marks": filled(np.concatenate(positions), size),
        "gold": filled(np.concatenate(gold), size, IGNORED),
    }


def loss_at_marks(states: Tensor, head: Logits, targets: Targets) -> Tensor:
    """Summed cross-entropy over the vocabulary or labels at the states that `mark_targets` says."""
    logits = head(states.index_select(0, targets["marks"]))
    return summed_cross_entropy(logits, targets["gold"])


def summed_cross_entropy(logits: Tensor, gold: Tensor) -> Tensor:
    """Summed cross-entropy of (n, classes) against (n,), what is ignored left out."""
    # A sum, because a batch may be computed in parts: the caller divides by the terms of the whole.
    return functional.cross_entropy(logits, gold, ignore_index=IGNORED, reduction="sum")


def by_example(features: Sequence[Feature], answers: Sequence[Any], count: int) -> list[Any]:
    """The answer of each example's one feature, in the examples' order."""
    ordered: list[Any] = [None] * count
    for feature, answer in zip(features, answers, strict=True):
        ordered[feature.owner] = answer
    return ordered


def argmax(logits: Tensor) -> DeviceAnswers:
    """Index of the largest logit of each row."""
    return DeviceAnswers(best_indices(logits), lambda indices: list(indices.tolist()))
