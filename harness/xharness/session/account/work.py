"""What a stage computes and writes, counted from the cards and from a table of lengths.

The table was measured with the tokenizer of XLM-R on the first items of each task's public data
(`python -m benchmarks.lengths`). Other vocabularies of its size differ by a tenth or two.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from xharness.plugin.catalogue import Catalogue
from xharness.session.account.sizes import ParameterCounts, ParameterRegister
from xharness.spec.languages import LANGUAGES
from xharness.spec.recipe import Recipe
from xharness.stages import (
    DataSlice,
    Predict,
    Score,
    SelectModel,
    Stage,
    Train,
    Translate,
)

TABLE = Path(__file__).with_name("lengths.csv")
CAPS = (32, 64, 128, 256, 512, 4096)
"""Numbers of sub-words that sequences are cut at, for which the table has means."""
_BYTES = 4  # a parameter in fp32
_BYTES_BESIDE = 320_000  # tokenizer, configuration and heads: what the smallest models have
_ADAPTER = 0.02  # of all parameters, amply: LoRA of rank 8 on all of XLM-R base learns 0.5%
_UNCOUNTED_ROWS = 1000  # where a card does not say how many there are
_QUESTIONS = ("extractive_qa", "extractive_qa_unanswerable", "checklist")


@dataclass(frozen=True)
class StageWork:
    """The work of one stage."""

    units: int = 0
    """Steps of a training, items of an answering, languages of a scoring."""
    sub_words: float = 0
    operations: float = 0
    """Floating-point operations, as 2 for each parameter outside the embedding and sub-word
    forwards, and 4 backwards (Kaplan et al. 2020, section 2.1)."""
    learning: float = 0
    """Parameters that a step changes, those of words left out."""
    scored: int = 0
    """Items whose answers are compared."""
    weights: int = 0
    """Bytes of the model that it leaves."""
    transient: int = 0
    """Bytes that it needs besides while it runs."""
    is_guess: bool = False


class StageWorks:
    """Counts the work of stages."""

    def __init__(self, catalogue: Catalogue, sizes: ParameterRegister) -> None:
        self._catalogue, self._sizes = catalogue, sizes

    def of(self, stage: Stage) -> StageWork:
        """The work of `stage`."""
        if isinstance(stage, Train):
            return self._training(stage)
        if isinstance(stage, Predict):
            return self._reading(stage.all_data_slices, stage.recipe, self._sizes.of(stage.model))
        if isinstance(stage, SelectModel):
            size = self._sizes.of(stage)
            # Every candidate answers all of the dev rows.
            return self._reading(
                stage.dev * len(stage.candidates), stage.candidates[0].recipe, size
            )
        if isinstance(stage, Translate):
            rows, _, _ = self._count([stage.data_slice], Recipe())
            return StageWork(rows, is_guess=True)
        assert isinstance(stage, Score)
        rows, _, is_guess = self._count(stage.predictions.data_slices, Recipe())
        return StageWork(len(stage.predictions.data_slices), scored=rows, is_guess=is_guess)

    def _training(self, stage: Train) -> StageWork:
        recipe, size = stage.recipe, self._sizes.of(stage.start)
        slices = [part for feed in stage.feeds for part in feed.data_slices]
        rows, sub_words, is_guess = self._count(slices, recipe)
        steps = recipe.steps or math.ceil(rows * recipe.epochs / recipe.batch_size)
        # Examples for a prompt: nothing is learnt.
        if all(feed.objective == "shots" for feed in stage.feeds):
            return StageWork()
        trained_sub_words = steps * recipe.batch_size * (sub_words / max(rows, 1))
        # The other half are gradients of weights, which an adapter's backbone has none of.
        backwards = 2.0 if recipe.adapter else 4 * (1 - recipe.freeze_ratio)
        operations = (2 + backwards) * size.non_embedding * trained_sub_words
        if stage.selection is not None and stage.selection.dev:
            evaluation = self._reading(stage.selection.dev, recipe, size)
            operations += stage.selection.num_evals * evaluation.operations
        adapter_alone = recipe.adapter is not None and not recipe.adapter.merge
        share = _ADAPTER if recipe.adapter else 1 - recipe.freeze_ratio
        # Of a word table few rows are met in a training; a checkpoint has room for all of them.
        learning = share * (size.total if recipe.adapter else size.non_embedding)
        # The backbone that an adapter leaves as it was is not written again.
        written = _ADAPTER * size.total if adapter_alone else size.total
        weights = round(_BYTES * written) + _BYTES_BESIDE
        # A checkpoint holds the weights that learn and Adam's two moments of each.
        transient = round(3 * _BYTES * share * size.total)
        return StageWork(
            steps, trained_sub_words, operations, learning, weights=weights, transient=transient,
            is_guess=is_guess or size.is_guess,
        )  # fmt: skip

    def _reading(
        self, slices: Iterable[DataSlice], recipe: Recipe, size: ParameterCounts
    ) -> StageWork:
        rows, sub_words, is_guess = self._count(slices, recipe)
        operations = 2 * size.non_embedding * sub_words
        return StageWork(rows, sub_words, operations, is_guess=is_guess or size.is_guess)

    def _count(self, slices: Iterable[DataSlice], recipe: Recipe) -> tuple[int, float, bool]:
        """Rows, their sub-words, and whether some of it is a guess."""
        rows, sub_words, is_guess = 0, 0.0, False
        for part in slices:
            card = self._catalogue.card(part.card)
            count = card.expected_rows(part.language, part.split)
            is_guess |= count is None
            count = _UNCOUNTED_ROWS if count is None else count
            count = count if part.limit is None else min(count, part.limit)
            stride = recipe.doc_stride if card.task_type in _QUESTIONS else None
            length = item_length(part.card, part.text_language, recipe.max_length, stride)
            rows += count
            sub_words += count * length.sub_words
            is_guess |= length.is_guess
        return rows, sub_words, is_guess


class ItemLength(NamedTuple):
    """Mean sub-words of an item, over all sequences that a model reads for it."""

    sub_words: float
    sequences: float
    is_guess: bool
    """Whether the task or the family is not in the table, and others stand for it."""


def item_length(task: str, language: str, max_length: int, doc_stride: int | None) -> ItemLength:
    """The length of an item of `task`, its sequences cut at `max_length`.

    With `doc_stride`, long texts are read in windows that overlap by so much, and none is cut.
    """
    entry = LANGUAGES.get(language)
    family = entry.family.split(": ")[-1] if entry else "other"
    table = _table()
    rows = table.get((task, family))
    is_guess = rows is None
    if rows is None:
        # Lengths differ more between tasks than between families of languages.
        same_task = [row for (name, _), row in table.items() if name == task]
        rows = _mean(same_task or [*table.values()])
    sequences, *means = rows
    if doc_stride is None:
        return ItemLength(_interpolated(max_length, means), sequences, is_guess)
    uncut, cut = means[-1], _interpolated(max_length, means)
    # Each window but the first reads `doc_stride` sub-words of the one before again.
    overlap = max_length / max(1, max_length - doc_stride)
    return ItemLength(cut + (uncut - cut) * overlap, sequences * max(1, uncut / cut), is_guess)


def _interpolated(max_length: int, means: list[float]) -> float:
    """The mean at a cap between those of the table."""
    caps = [0, *CAPS]
    values = [0.0, *means]
    for index in range(1, len(caps)):
        if max_length <= caps[index]:
            share = (max_length - caps[index - 1]) / (caps[index] - caps[index - 1])
            return values[index - 1] + share * (values[index] - values[index - 1])
    return values[-1]


def _mean(rows: list[list[float]]) -> list[float]:
    return [fmean(column) for column in zip(*rows, strict=True)]


@cache
def _table() -> dict[tuple[str, str], list[float]]:
    table: dict[tuple[str, str], list[float]] = defaultdict(list)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = [float(row[name]) for name in ("sequences", *(f"to_{cap}" for cap in CAPS))]
            table[row["task"], row["family"]] = values
    return table
