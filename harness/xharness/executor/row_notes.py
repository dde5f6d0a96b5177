"""What a reader of a score must know about the data under it, one note a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xharness.data.counts import RowCount
from xharness.executor.context import RunContext
from xharness.phrases import listed
from xharness.planning.plan import Plan
from xharness.plugin.api import TaskCard
from xharness.spec.languages import name_of
from xharness.stages import DataSlice, RetrievalData


class DataCounts:
    """What was counted when a stage read its rows, by data slice."""

    def __init__(self, facts: Sequence[Mapping[str, Any]]) -> None:
        counts = [RowCount(**fact) for fact in facts]
        self._counts = {(count.card, count.language, count.split): count for count in counts}

    def of(self, data_slices: Sequence[DataSlice]) -> list[RowCount]:
        """The counts of some data slices, in their order."""
        return [
            self._counts[data_slice.card, data_slice.language, data_slice.split]
            for data_slice in data_slices
        ]


def evaluation_notes(card: TaskCard, data_slice: DataSlice, counts: DataCounts) -> Iterator[str]:
    """Notes on the items that were scored: their split, their number, their translation."""
    (count,) = counts.of([data_slice])
    if data_slice.split != card.eval_split:
        yield f"scored on {data_slice.split}, not on the card's {card.eval_split}"
    if count.partial:
        yield f"partial data: {count.split} has {count.rows} of {count.expected} rows"
    if count.used < count.rows:
        yield f"limited: first {count.used} items"
    if data_slice.translation is not None:
        language = name_of(data_slice.translation.target)
        translator = data_slice.translation.translator.backend
        yield f"items translated into {language} by '{translator}' before they were answered"


def retrieval_notes(
    retrieval: RetrievalData | None, data_slice: DataSlice, counts: DataCounts
) -> Iterator[str]:
    """Notes on the candidates, and on the items that a threshold was tuned on."""
    if retrieval is None:
        return
    candidates = counts.of(retrieval.candidates_for(data_slice))
    yield from _partial_data("candidates from", candidates)
    tuning_slice = retrieval.tuning_for(data_slice)
    if tuning_slice is None:
        return
    (count,) = counts.of([tuning_slice])
    tuning_candidates = counts.of(retrieval.candidates_for(tuning_slice))
    yield from _partial_data("tuned on", [count, *tuning_candidates])
    if tuning_slice == data_slice:
        yield "tuned on the items that are scored"
    elif count.used < count.rows:
        yield f"tuned on the first {count.used} items"


def _partial_data(role: str, counts: Sequence[RowCount]) -> Iterator[str]:
    """A note on each card whose rows, of all the languages together, are not the publisher's."""
    for card in dict.fromkeys(count.card for count in counts if count.partial):
        card_counts = [
            count for count in counts if count.card == card and count.expected is not None
        ]
        rows = sum(count.rows for count in card_counts)
        expected = sum(count.expected or 0 for count in card_counts)
        yield f"{role} partial data: {card} has {rows} of {expected} rows"


def training_notes(
    facts: Mapping[str, Any], protocol: str, plan: Plan, context: RunContext
) -> Iterator[str]:
    """Notes on the data that the model was trained on, or that a prompted model was shown."""
    yield from facts["notes"]
    counts = [RowCount(**values) for values in facts["trained_on"]]
    for note in _trained_on(counts, plan, context):
        # A prompted model learns nothing: the same rows stand in its prompt as examples.
        yield note.replace("trained on", "shown", 1) if protocol.startswith("prompted") else note


def _trained_on(counts: Sequence[RowCount], plan: Plan, context: RunContext) -> Iterator[str]:
    yield from _training_languages(counts, plan, context)
    partial_cards = [
        f"{count.card} has {count.rows} of {count.expected} rows"
        for count in counts
        if count.partial
    ]
    if partial_cards:
        yield f"trained on partial data: {listed(partial_cards)}"
    limited: dict[int, list[str]] = {}
    for count in counts:
        # Sampled rows are told with their number; unlearnable ones below, by their reason.
        if not count.sampled and count.used + count.unlearnable < count.rows:
            limited.setdefault(count.used, []).append(count.card)
    for num_examples, cards in sorted(limited.items()):
        yield f"trained on the first {num_examples} examples of {listed(cards)}"
    for count in counts:
        if count.repaired:
            answers = f"{count.repaired} of {count.answers} answers of {count.card}"
            yield f"{answers} stood elsewhere than the data says and were repaired"
        if count.unlearnable:
            rows = f"{count.unlearnable} rows of {count.card}"
            yield f"{rows} have nothing to learn from and were left out"


def _training_languages(
    counts: Sequence[RowCount], plan: Plan, context: RunContext
) -> Iterator[str]:
    """Which tasks were learnt in another language than the source: those cells are no zero-shot."""
    languages: dict[tuple[str, str], list[str]] = {}
    for count in counts:
        in_source = count.language == plan.study.source_language
        # A corpus has no labels, and training on the whole source language is what all arms do.
        is_corpus = context.catalogue.card(count.card).role == "corpus"
        if is_corpus or (in_source and not count.sampled):
            continue
        sampled = f"{count.used} sampled examples of " if count.sampled else ""
        translator = f", translated by '{count.translated}'" if count.translated else ""
        group = (f"{sampled}{count.card}", translator)
        languages.setdefault(group, []).append(name_of(count.language))
    for (examples, translator), names in languages.items():
        yield f"trained on {examples} in {listed(names)}{translator}"
