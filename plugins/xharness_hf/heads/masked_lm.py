"""Masked LM: MLM on single sentences, TLM on aligned pairs (Conneau and Lample 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from torch import Tensor

from xharness import BitextExample, Objective, Recipe, StageError
from xharness_hf.backbone.batch import Feature, Window, joined
from xharness_hf.backbone.placement import Longs, Placement, Targets
from xharness_hf.backbone.texts import texts
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.heads import MASKED
from xharness_hf.heads.objectives import Logits, loss_at_marks, mark_targets


class MaskedLmObjective:
    """Restores hidden sub-words; the marks of a feature are those that may be hidden."""

    task_type = MASKED
    fixed_shape = True

    def __init__(self, objective: Objective) -> None:
        self.paired = objective == "tlm"

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """MLM: every text by itself. TLM: both sides in one window, in turn the one then other."""
        if self.paired:
            return self._pairs(examples, tokens, recipe.max_length)
        owners = [
            (index, text) for index, example in enumerate(examples) for text in texts(example)
        ]
        features = []
        for (index, _), ids in zip(owners, tokens.ids([text for _, text in owners]), strict=True):
            window = tokens.single(ids, recipe.max_length)
            last = len(window.ids) - len(tokens.frame.suffix)
            features.append(
                Feature((window,), index, None, np.arange(tokens.skip, last, dtype=np.int32))
            )
        return [feature for feature in features if len(feature.marks)]

    def _pairs(self, examples: Sequence[Any], tokens: Tokens, limit: int) -> list[Feature]:
        if not all(isinstance(example, BitextExample) for example in examples):
            raise StageError(
                "TLM needs aligned sentences", expected="a corpus of task type bitext_retrieval"
            )
        sources = tokens.ids([example.source for example in examples])
        targets = tokens.ids([example.target for example in examples])
        frame = tokens.frame
        features = []
        for index, sides in enumerate(zip(sources, targets, strict=True)):
            # neither language may always stand first
            window = tokens.pair(*(sides if index % 2 == 0 else sides[::-1]), limit)
            last = len(window.ids) - len(frame.pair_suffix)
            first = np.arange(len(frame.pair_prefix), window.second - len(frame.separator))
            marks = joined((first.astype(np.int32), np.arange(window.second, last, dtype=np.int32)))
            features.append(Feature((window,), index, None, marks))
        return [feature for feature in features if len(feature.marks)]

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each hidden sub-word."""
        return sum(len(feature.marks) for feature in features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """One for each sub-word that is hidden, or is to be."""
        num_marks = len(feature.marks)
        return (
            num_marks
            if feature.gold is not None
            else _num_hidden(num_marks, recipe.mlm_probability)
        )

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """The hidden sub-words' positions, and what stood there."""
        pairs = zip(features, placement.starts, strict=True)
        positions = [feature.marks + start for feature, start in pairs]
        return mark_targets(positions, [feature.gold for feature in features], placement)

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over the vocabulary at the hidden sub-words alone."""
        return loss_at_marks(states, head, targets)


def hide(
    features: Sequence[Feature], mask: int, vocabulary: int, rate: float, random: Generator
) -> list[Feature]:
    """The features with a share `rate` of their marks hidden: 80% masked, 10% random, 10% as is.

    The hidden positions become the marks, what stood there the gold (Devlin et al. 2019).
    """
    masked_features = []
    for feature in features:
        window = feature.windows[0]
        count = _num_hidden(len(feature.marks), rate)
        # So many of each text, by no chance: so the number of the loss's terms is known before.
        positions = np.sort(random.choice(feature.marks, size=count, replace=False))
        dice = random.random(count)
        gold, ids = window.ids[positions], window.ids.copy()
        ids[positions[dice < 0.8]] = mask
        swapped = positions[dice >= 0.9]
        ids[swapped] = random.integers(vocabulary, size=len(swapped))
        masked_features.append(
            Feature((Window(ids, window.second),), feature.owner, gold, positions)
        )
    return masked_features


def _num_hidden(num_marks: int, rate: float) -> int:
    """How many of so many sub-words are hidden."""
    # a short text would teach nothing otherwise
    return max(1, round(rate * num_marks))
