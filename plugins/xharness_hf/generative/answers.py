"""Answers as sub-words to be predicted: learnt by cross-entropy, ranked by log-probability."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import Recipe, StageError, TaskCard, VerbalizedItem, verbalize, verbalizer_of
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature, joined
from xharness_hf.backbone.placement import Longs, Placement, Targets
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.generative.fitted_prompt import fitted_prompt
from xharness_hf.generative.prompt_encoder import AnswerTokens, PromptEncoder
from xharness_hf.heads.objectives import Logits, loss_at_marks, mark_targets

_STATES_AT_ONCE = 256  # taken to the vocabulary together when answers are only ranked


class AnswerObjective:
    """What a language model learns from a card's items, and how it ranks their answers."""

    task_type = "words"
    fixed_shape = True

    def __init__(self, card: TaskCard, encoder: PromptEncoder, shots: Sequence[str] = ()) -> None:
        self._card, self._verbalizer = card, verbalizer_of(card)
        self.encoder = encoder.in_language(self._verbalizer.language)
        """With the code of the items' language, where the model has any."""
        self._shots_text = "".join(shot + self._verbalizer.fewshot_delimiter for shot in shots)
        self._num_shots = len(shots)

    def items(self, examples: Sequence[Any]) -> list[VerbalizedItem]:
        """The examples in words."""
        return [verbalize(example, self._card) for example in examples]

    def prompt(
        self, item: VerbalizedItem, recipe: Recipe, longest: int, *, learn: bool = False
    ) -> str:
        """What stands before the separator, the examples shown included, with room for an answer.

        Raises:
            StageError: it is longer than the recipe's `max_length`.
        """
        encoder, verbalizer = self.encoder, self._verbalizer
        shots_length = encoder.count(self._shots_text) if self._shots_text else 0
        room = recipe.max_length - encoder.num_specials - longest - shots_length
        try:
            return self._shots_text + fitted_prompt(
                item, verbalizer, room, encoder.count, learn=learn
            )
        except StageError as error:
            if not self._num_shots:
                raise
            raise StageError(
                f"{self._num_shots} examples take {shots_length} of {recipe.max_length} sub-words, "
                "which leaves no room for the question",
                hint="raise max_length, or show fewer",
            ) from error

    def features(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """A feature for each example: with the right answer alone, or with all it may have."""
        features = []
        for index, item in enumerate(self.items(examples)):
            answers = [item.gold] if gold else [*item.answers]
            # an empty answer has no sub-word to predict
            if answers and all(answers):
                # beside its prompt an answer may take one sub-word more, and its end another
                longest = max(self.encoder.count(answer) for answer in answers) + 2
                text = self.prompt(item, recipe, min(longest, recipe.max_length // 2), learn=gold)
                features.append(
                    self.encoder.feature(index, text, self._verbalizer.target_delimiter, answers)
                )
        return features

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each sub-word of an answer."""
        return sum(len(answer.ids) for feature in features for answer in feature.gold)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """One for each sub-word of an answer."""
        return sum(len(answer.ids) for answer in feature.gold)

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """The positions before the answers' sub-words, and those sub-words."""
        positions, first_window = [], 0
        for feature in features:
            for answer in feature.gold:
                start = placement.starts[first_window + answer.row] + answer.first
                positions.append(np.arange(start, start + len(answer.ids)))
            first_window += len(feature.windows)
        ids = [answer.ids for feature in features for answer in feature.gold]
        return mark_targets(positions, ids, placement)

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over the vocabulary at the answers' sub-words."""
        return loss_at_marks(states, head, targets)

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """The log-probabilities of each feature's answers, each summed over its sub-words."""
        rows, positions, ids = _answer_positions(batch)
        answer_states = states[rows, positions]
        # In chunks: a vocabulary of 250,000 makes a megabyte of float32 logits a state.
        log_probabilities = torch.cat(
            [
                _log_probabilities(head(chunk), gold)
                for chunk, gold in zip(
                    torch.split(answer_states, _STATES_AT_ONCE),
                    torch.split(ids, _STATES_AT_ONCE),
                    strict=True,
                )
            ]
        )
        # a long answer's sum would lose digits in float32
        return DeviceAnswers(log_probabilities.double(), partial(_sums, batch.features))


def best_answers(
    items: Sequence[VerbalizedItem],
    scores: Sequence[NDArray[np.float64]],
    *,
    length_normalized: bool,
) -> list[int]:
    """The index of each question's likeliest answer, in sum or per character; 0 without any.

    lm-evaluation-harness calls the two accuracies `acc` and `acc_norm`.
    """
    choices = []
    for item, sums in zip(items, scores, strict=True):
        lengths = np.array([max(len(answer), 1) for answer in item.answers])
        choices.append(
            int(np.argmax(sums / lengths if length_normalized else sums)) if len(sums) else 0
        )
    return choices


def _log_probabilities(logits: Tensor, ids: Tensor) -> Tensor:
    """Of each sub-word (n,) under its logits (n, vocabulary): (n,)."""
    return logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(dim=1)


def _answer_positions(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Row, position and sub-word of everything that is predicted."""
    rows, positions, first_window = [], [], 0
    answers: list[AnswerTokens] = []
    for feature in batch.features:
        for answer in feature.gold:
            rows.append(np.full(len(answer.ids), first_window + answer.row))
            positions.append(np.arange(answer.first, answer.first + len(answer.ids)))
            answers.append(answer)
        first_window += len(feature.windows)
    return (
        batch.on_device(np.concatenate(rows)),
        batch.on_device(np.concatenate(positions)),
        batch.on_device(joined(answer.ids for answer in answers)),
    )


def _sums(
    features: Sequence[Feature], log_probabilities: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """The log-probability of each feature's answers from those of all their sub-words."""
    answers = iter(np.split(log_probabilities, _borders(features)))
    return [np.array([next(answers).sum() for _ in feature.gold]) for feature in features]


def _borders(features: Sequence[Feature]) -> NDArray[np.int64]:
    """Where each answer but the first begins among the sub-words of all of them."""
    lengths = [len(answer.ids) for feature in features for answer in feature.gold]
    return np.cumsum(lengths)[:-1]
