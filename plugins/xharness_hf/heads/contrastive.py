"""Pairs: a query and its passage are learnt to be near, the batch's other passages far.

In-batch softmax over cosines times a learnt scale, from one shared backbone, as in the baselines of
XTREME-R for LAReQA and Mewsli-X (Ruder et al. 2021, appendix; Botha et al. 2020, section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from xharness import Recipe, RetrievalExample, TaskCard
from xharness_hf.backbone.batch import Feature
from xharness_hf.backbone.placement import IGNORED, Longs, Placement, Targets, filled, pooled
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.heads.objectives import Logits, summed_cross_entropy


class ContrastiveObjective:
    """A feature is two windows, the query and a passage that is right; the head is the scale.

    A batch computed in pieces (`gradient_accumulation_steps`) has the passages of its piece alone
    to tell apart.
    """

    def __init__(self, task_type: str, embedder: Embedder = RECIPE_EMBEDDER) -> None:
        self.task_type, self._embedder = task_type, embedder

    @property
    def fixed_shape(self) -> bool:
        """Whether vectors are pooled by the recipe: a published embedder reads padded windows."""
        return self._embedder is RECIPE_EMBEDDER

    def with_embedder(self, embedder: Embedder) -> ContrastiveObjective:
        """The same objective on the vectors of `embedder`."""
        return ContrastiveObjective(self.task_type, embedder)

    def outputs(self, card: TaskCard) -> int:
        """One number: the scale."""
        return 1

    def features(
        self,
        examples: Sequence[RetrievalExample],
        tokens: Tokens,
        recipe: Recipe,
        *,
        gold: bool,
    ) -> list[Feature]:
        """One for each example that has a passage."""
        pairs = [
            (index, example)
            for index, example in enumerate(examples)
            if example.positive is not None
        ]
        max_length = recipe.max_length
        max_query_length = min(recipe.max_query_length or max_length, max_length)
        windows = self._embedder.windows
        queries = windows(
            [example.query for _, example in pairs], tokens, "query", max_query_length
        )
        passages = windows(
            [example.positive or "" for _, example in pairs], tokens, "passage", max_length
        )
        return [
            Feature((query, passage), index)
            for (index, _), query, passage in zip(pairs, queries, passages, strict=True)
        ]

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each feature."""
        return len(features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """None: windows are pooled."""
        return 0

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """How windows are pooled, and which pairs are negatives of each other."""
        pooling = placement.pooling(recipe.pooling) if self.fixed_shape else {}
        return pair_targets(features, placement) | pooling

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy of each query's own passage among those of all the features."""
        if self.fixed_shape:
            vectors = functional.normalize(pooled(states, targets))
        else:
            assert targets.batch is not None
            windows = states.view(*targets.batch.ids.shape, -1)
            vectors = self._embedder.vectors(windows, targets.batch, recipe)
        with torch.autocast(states.device.type, enabled=False):  # stretched, cosines must be fine
            # Windows alternate: a query, its passage, the next query.
            similarities = head(vectors[0::2] @ vectors[1::2].T)
        return summed_cross_entropy(excluded_masked(similarities, targets), targets["gold"])


def pair_targets(features: Sequence[Feature], placement: Placement) -> dict[str, Longs]:
    """Targets of pairs: each is its own gold; those that share a text with it are excluded."""
    capacity, count = placement.capacity.features, len(features)
    excluded = np.ones((capacity, capacity), dtype=np.int64)
    excluded[:count, :count] = shared_text_pairs(features)
    np.fill_diagonal(excluded, 0)  # of what fills up too: softmax over nothing is no number
    gold = filled(np.arange(count), capacity, IGNORED)
    return {"excluded": excluded.reshape(-1), "gold": gold}


def excluded_masked(similarities: Tensor, targets: Targets) -> Tensor:
    """(features, features) with -inf where a pair is no negative of another."""
    excluded = targets["excluded"].view_as(similarities) == 1
    return similarities.masked_fill(excluded, -torch.inf)


def shared_text_pairs(features: Sequence[Feature]) -> NDArray[np.bool_]:
    """(features, features): pairs that share a text and so are no negatives of each other."""
    # equal texts have equal ids, and hashes of ids compare as one array
    sides = np.array(
        [[hash(window.ids.tobytes()) for window in feature.windows] for feature in features]
    )
    shared = (sides[:, None] == sides[None]).any(axis=2)
    np.fill_diagonal(shared, False)
    return np.asarray(shared)
