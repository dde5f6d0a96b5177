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

from xharness import Recipe, RetrievalExample, TaskCard
from xharness_hf.backbone.batch import Batch, Feature
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.heads.objectives import Logits, summed


class ContrastiveObjective:
    """A feature is two windows, the query and a passage that is right; the head is the scale.

    A batch computed in pieces (`accumulate`) has the passages of its piece alone to tell apart.
    """

    def __init__(self, kind: str, vectors: Embedder = RECIPE_EMBEDDER) -> None:
        self.kind, self._vectors = kind, vectors

    def by(self, vectors: Embedder) -> ContrastiveObjective:
        """The same, learnt by other vectors."""
        return ContrastiveObjective(self.kind, vectors)

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
        pairs = [(place, one) for place, one in enumerate(examples) if one.positive is not None]
        long = recipe.max_length
        short = min(recipe.max_query_length or long, long)
        windows = self._vectors.windows
        queries = windows([one.query for _, one in pairs], tokens, "query", short)
        passages = windows([one.positive or "" for _, one in pairs], tokens, "passage", long)
        return [
            Feature((query, passage), place)
            for (place, _), query, passage in zip(pairs, queries, passages, strict=True)
        ]

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each feature."""
        return len(features)

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy of each query's own passage among those of all the features."""
        vectors = self._vectors.of(states, batch, recipe)
        with torch.autocast(states.device.type, enabled=False):  # stretched, cosines must be fine
            alike = head(vectors[0::2] @ vectors[1::2].T)
        alike = alike.masked_fill(batch.on_device(sharing(batch.features), torch.bool), -torch.inf)
        return summed(alike, torch.arange(len(alike), device=alike.device))


def sharing(features: Sequence[Feature]) -> NDArray[np.bool_]:
    """(features, features): different pairs that share a text, which are no foes of each other."""
    sides = np.array(
        [[hash(window.ids.tobytes()) for window in feature.windows] for feature in features]
    )
    same = (sides[:, None] == sides[None]).any(axis=2)
    np.fill_diagonal(same, False)
    return np.asarray(same)
