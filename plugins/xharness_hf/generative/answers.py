"""Answers as sub-words to be foretold: learnt by cross-entropy, ranked by log-probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import Recipe, StageError, TaskCard
from xharness_hf.backbone.batch import Batch, Feature, joined
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.generative.prompt_encoder import AnswerTokens, PromptEncoder
from xharness_hf.generative.verbalizer import VerbalizedItem, fitted, question, verbaliser
from xharness_hf.heads.objectives import Logits, summed

_AT_ONCE = 256  # states taken to the vocabulary together when answers are only ranked


class AnswerObjective:
    """What a language model learns from a card's items, and how it ranks their answers."""

    kind = "words"

    def __init__(self, card: TaskCard, spelling: PromptEncoder, shots: Sequence[str] = ()) -> None:
        self._card, self._spoken = card, verbaliser(card)
        self.spelling = spelling.spoken(self._spoken.language)
        """With the code of the items' language, where the model has any."""
        self._before = "".join(shot + self._spoken.fewshot_delimiter for shot in shots)
        self._shots = len(shots)

    def questions(self, examples: Sequence[Any]) -> list[VerbalizedItem]:
        """The examples in words."""
        return [question(one, self._card) for one in examples]

    def prompt(
        self, asked: VerbalizedItem, recipe: Recipe, longest: int, *, learn: bool = False
    ) -> str:
        """What stands before the separator, the examples shown included, with room for an answer.

        Raises:
            StageError: it is longer than the recipe's `max_length`.
        """
        spelling, spoken = self.spelling, self._spoken
        used = spelling.count(self._before) if self._before else 0
        room = recipe.max_length - spelling.extra - longest - used
        try:
            return self._before + fitted(asked, spoken, room, spelling.count, learn=learn)
        except StageError as error:
            if not self._shots:
                raise
            raise StageError(
                f"{self._shots} examples take {used} of {recipe.max_length} sub-words, which "
                "leaves no room for the question",
                hint="raise max_length, or show fewer",
            ) from error

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """A feature for each example: with the right answer alone, or with all it may have."""
        found = []
        for place, asked in enumerate(self.questions(examples)):
            answers = [asked.gold] if gold else [*asked.answers]
            if answers and all(answers):
                longest = max(self.spelling.count(one) for one in answers) + 2
                text = self.prompt(asked, recipe, min(longest, recipe.max_length // 2), learn=gold)
                found.append(
                    self.spelling.feature(place, text, self._spoken.target_delimiter, answers)
                )
        return found

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each sub-word of an answer."""
        return sum(len(answer.ids) for feature in features for answer in feature.gold)

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy over the vocabulary at the answers' sub-words."""
        rows, places, ids = _places(batch)
        return summed(head(states[rows, places]), ids)

    def answers(
        self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe
    ) -> list[NDArray[np.float64]]:
        """The log-probabilities of each feature's answers, each summed over its sub-words."""
        rows, places, ids = _places(batch)
        picked = states[rows, places]
        sure = torch.cat(
            [
                _log_probabilities(head(some), gold)
                for some, gold in zip(
                    torch.split(picked, _AT_ONCE), torch.split(ids, _AT_ONCE), strict=True
                )
            ]
        )
        flat = iter(np.split(sure.double().cpu().numpy(), _borders(batch.features)))
        return [np.array([next(flat).sum() for _ in feature.gold]) for feature in batch.features]


def best(
    asked: Sequence[VerbalizedItem], scores: Sequence[NDArray[np.float64]], *, normalised: bool
) -> list[int]:
    """The place of each question's likeliest answer, per character if so wished; 0 without any.

    lm-evaluation-harness calls the two accuracies `acc` and `acc_norm`.
    """
    found = []
    for one, sums in zip(asked, scores, strict=True):
        lengths = np.array([max(len(answer), 1) for answer in one.answers])
        found.append(int(np.argmax(sums / lengths if normalised else sums)) if len(sums) else 0)
    return found


def _log_probabilities(logits: Tensor, ids: Tensor) -> Tensor:
    return logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(dim=1)


def _places(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Row, position and sub-word of everything that is foretold."""
    rows, places, first = [], [], 0
    said: list[AnswerTokens] = []
    for feature in batch.features:
        for answer in feature.gold:
            rows.append(np.full(len(answer.ids), first + answer.row))
            places.append(np.arange(answer.first, answer.first + len(answer.ids)))
            said.append(answer)
        first += len(feature.windows)
    return (
        batch.on_device(np.concatenate(rows)),
        batch.on_device(np.concatenate(places)),
        batch.on_device(joined(answer.ids for answer in said)),
    )


def _borders(features: Sequence[Feature]) -> NDArray[np.int64]:
    lengths = [len(answer.ids) for feature in features for answer in feature.gold]
    return np.cumsum(lengths)[:-1]
