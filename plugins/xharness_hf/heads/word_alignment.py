"""Aligned words: translations get like bags of sub-word embeddings (`align`).

Translation ranking (Feng et al. 2022, LaBSE, section 2.2: in-batch negatives, both directions), on
the mean of sub-word embeddings as in bilingual bag-of-words models (Gouws et al. 2015, BilBOWA).
No layer is read, so a second of it does for a small model what minutes of TLM do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional

from xharness import BitextExample, Recipe, StageError
from xharness_hf.backbone.batch import Feature, Window
from xharness_hf.backbone.placement import Longs, Placement, Targets, pooled
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.contrastive import excluded_masked, pair_targets
from xharness_hf.heads.objectives import Logits, summed_cross_entropy

_TEMPERATURE = 0.2


class WordAlignmentObjective:
    """Finds each sentence's translation in the batch; a feature is both sides, without specials."""

    task_type = "align"
    fixed_shape = True

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """One for each pair of sentences that have sub-words at all."""
        if not all(isinstance(example, BitextExample) for example in examples):
            raise StageError(
                "'align' needs aligned sentences", expected="a corpus of task type bitext_retrieval"
            )
        sides = [
            # No specials and no positions: only the sub-words' own embeddings are averaged.
            [ids[: recipe.max_length] for ids in tokens.ids(side)]
            for side in (
                [example.source for example in examples],
                [example.target for example in examples],
            )
        ]
        return [
            Feature(tuple(Window(ids, len(ids)) for ids in pair), index)
            for index, pair in enumerate(zip(*sides, strict=True))
            if all(len(ids) for ids in pair)
        ]

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each side of each pair."""
        return 2 * len(features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """None: windows are pooled."""
        return 0

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """How sentences are pooled, and which pairs are negatives of each other."""
        return pair_targets(features, placement) | placement.pooling("mean")

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy of the translation among the batch's, from either side."""
        vectors = functional.normalize(pooled(states, targets))
        similarities = vectors[0::2] @ vectors[1::2].T / _TEMPERATURE
        similarities, gold = excluded_masked(similarities, targets), targets["gold"]
        return summed_cross_entropy(similarities, gold) + summed_cross_entropy(similarities.T, gold)


def identity(states: Tensor) -> Tensor:
    """In place of a head: aligning needs none."""
    return states
