"""`ngrams`: naive Bayes over hashed character n-grams, and their cosine for retrieval.

Classification and tagging: multinomial naive Bayes (McCallum & Nigam 1998). Choice: the same over
two classes, right and wrong choices. Span: the same over words in and outside of answers, with the
sliding window of Richardson et al. 2013, a baseline of SQuAD (Rajpurkar et al. 2016, section 5.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xharness import (
    ClassificationExample,
    Example,
    ExtractiveQAExample,
    Floats,
    MultipleChoiceExample,
    Prediction,
    Recipe,
    RetrievalExample,
    TaggingExample,
    TaskCard,
    TextRole,
    TrainingSession,
    TrainingSet,
)
from xharness_baselines.model import CountingModel, gold
from xharness_baselines.span import best_window, in_answer, words
from xharness_baselines.text import Buckets, NgramOptions, buckets, vectors, word_buckets


class NgramModel(CountingModel):
    """Counts of shape (classes, buckets + 1) for each head: the last column counts classes."""

    options: NgramOptions
    _log_probabilities: tuple[NDArray[Any], Floats, Floats] | None = None

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        self._log_probabilities = None
        return super().fit(feeds, recipe, session)

    def learn(self, feed: TrainingSet, example: Example) -> None:
        if isinstance(example, RetrievalExample):
            return  # what is found by cosine needs no counts
        # Choices and spans have two classes, right and wrong, whatever labels the card has.
        label_count = len(feed.card.labels or ())
        class_count = (
            label_count if isinstance(example, ClassificationExample | TaggingExample) else 2
        )
        # The last column counts the class itself, for log p(class).
        counts = self.grow(feed.head, class_count, 2**self.options.bits + 1)
        classes = _classes(example)
        for label, bag in zip(classes, self._features(example), strict=True):
            np.add.at(counts[label], bag, 1)
            counts[label, -1] += 1
        if isinstance(example, ExtractiveQAExample):
            # How long answers are on average is all that is learnt of their length.
            lengths = self.grow(f"{feed.head}.words", 2)
            lengths += [sum(classes), any(classes)]

    def answer(self, card: TaskCard, example: Example) -> Prediction:
        prior, likelihood = self._logarithms(card)
        bags = self._features(example)
        scores = [prior + likelihood[:, bag].sum(axis=1, dtype=np.float64) for bag in bags]
        if isinstance(example, ExtractiveQAExample):
            answers, count = self.arrays[f"{card.head_name}.words"]
            odds = np.array([yes - no for no, yes in scores])
            if card.task_type == "extractive_qa_unanswerable" and not (odds > 0).any():
                return ""  # no word is more likely inside an answer than outside
            size = int(np.ceil(answers / max(count, 1)))
            return best_window(example, odds, size, self.options)
        if isinstance(example, MultipleChoiceExample):
            return int(np.argmax([right - wrong for wrong, right in scores]))
        best = [int(score.argmax()) for score in scores]
        return best if isinstance(example, TaggingExample) else best[0]

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """Damped counts of n-grams; nothing is learnt for them."""
        return vectors(texts, self.options)

    def _features(self, example: Example) -> list[Buckets]:
        """The buckets of each thing that gets a class: the text, each choice, each word."""
        if isinstance(example, ClassificationExample):
            parts = [example.text] if example.pair is None else [example.text, example.pair]
            bags = [buckets(part, self.options, salt) for salt, part in enumerate(parts)]
            return [np.concatenate(bags)]
        if isinstance(example, MultipleChoiceExample):
            return [buckets(choice, self.options) for choice in example.choices]
        if isinstance(example, TaggingExample):
            return self._words(example.tokens)
        if isinstance(example, ExtractiveQAExample):
            return [word_buckets(word, self.options) for word in words(example.context)]
        return []

    def _words(self, tokens: Sequence[str]) -> list[Buckets]:
        """Each word's own n-grams, and those of its neighbours under other names."""
        # Words at the ends have an empty neighbour, which says where a sentence begins.
        padded = ["", *tokens, ""]
        bags = [[word_buckets(word, self.options, salt) for word in padded] for salt in (0, 1, 2)]
        return [
            np.concatenate([bags[1][index - 1], bags[0][index], bags[2][index + 1]])
            for index in range(1, len(padded) - 1)
        ]

    def _logarithms(self, card: TaskCard) -> tuple[Floats, Floats]:
        """log p(class), and log p(n-gram | class) of shape (classes, buckets)."""
        counts = self.head(card)
        # One head's at a time: prediction goes through a task's items head by head.
        if self._log_probabilities is None or self._log_probabilities[0] is not counts:
            smooth = counts.astype(np.float64) + self.options.smoothing
            grams = smooth[:, :-1]
            likelihood = np.log(grams / grams.sum(axis=1, keepdims=True))
            self._log_probabilities = (counts, np.log(smooth[:, -1]), likelihood)
        return self._log_probabilities[1:]


def _classes(example: Example) -> Sequence[int]:
    """The class of each thing that `_features` tells of."""
    if isinstance(example, ExtractiveQAExample):
        return in_answer(example)
    if isinstance(example, MultipleChoiceExample):
        return [int(index == example.label) for index in range(len(example.choices))]
    return gold(example)
