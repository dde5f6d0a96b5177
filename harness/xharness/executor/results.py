"""From finished stages to tidy rows: what the leaderboard is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount
from xharness.errors import StageError, printable
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.predict import protocol
from xharness.executor.score import TOLD_AGAIN, answered
from xharness.gaps.scores import Missing
from xharness.gaps.scores import Score as ScoreRow
from xharness.planning.plan import Arm, Plan
from xharness.plugin.api import TaskCard
from xharness.spec.languages import name_of
from xharness.stages import DataSlice, RetrievalData
from xharness.store import RECEIPT


def collect(plan: Plan, work: RunContext, report: RunReport) -> list[ScoreRow | Missing]:
    """One row per model, strategy, seed, task, language and metric; reasons for what is missing.

    A score whose stored files are damaged is noted in `report` as failed; the others stay.
    """
    rows: list[ScoreRow | Missing] = []
    for arm in plan.arms:
        if report.reason(arm.score) is None and work.store.has(arm.score.key):
            try:
                rows += [*_rows(arm, plan, work)]
                _note_empty(arm, plan, work)
                continue
            except StageError as error:
                if work.debug:
                    raise
                report.outcomes[arm.score.key] = _damaged(arm, plan, error)
        rows.append(_missing(arm, report.reason(arm.score) or "not run yet"))
    rows += plan.missing
    return [_public(row, work) if isinstance(row, Missing) else row for row in rows]


def _public(row: Missing, work: RunContext) -> Missing:
    """The reason on one line, without the paths of this machine: boards are published.

    What follows the first line is a hint for whoever sits before the terminal.
    """
    reason = " ".join(row.reason.partition("\n")[0].split())
    around = work.environment
    places = {"DATA_ROOT": around.data_root, "CACHE": around.cache, "STORE": work.store.root}
    for name, place in places.items():
        for path in (place, place.absolute(), place.resolve()) if place is not None else ():
            reason = _renamed(reason, path, name)
    for path in (around.base.absolute(), around.base.resolve()):
        reason = re.sub(r"(?<![\w./-])\./(?=\w)", "", _renamed(reason, path, "."))
    return row.model_copy(update={"reason": _STRANGE.sub("", reason)})


_STRANGE = re.compile(
    r"""(?:file://)?(?<=['"])/[^'"]*/(?=[^'"/]+['"])"""
    r"""|(?:file://|(?<![\w./~-]))/(?:[^\s/'":,;()]+/)+(?=[^\s/])"""
)
"""The folders of an absolute path; between quotes, a path may have blanks."""


def _renamed(reason: str, path: Path, name: str) -> str:
    """`reason` with `path` called `name`; a relative path alone may just be a word."""
    if len(path.parts) < (2 if path.is_absolute() else 1):
        return reason
    end = r"(?=/|(?!\.?[\w-]))" if path.is_absolute() else "(?=/)"
    return re.sub(rf"(?<![\w./-]){re.escape(str(path))}{end}", lambda _: name, reason)


def _damaged(arm: Arm, plan: Plan, error: StageError) -> StageOutcome:
    label = plan.labels[arm.score.key]
    return StageOutcome(arm.score, label, "failed", printable(str(error)), None, error.exit_code)


def _note_empty(arm: Arm, plan: Plan, work: RunContext) -> None:
    """Languages that turned out to have no row join what the plan knew to be unavailable."""
    for language, reason in _facts(arm, work)["empty"].items():
        plan.leave_out(_missing(arm, reason, language))


def _missing(arm: Arm, reason: str, language: str | None = None) -> Missing:
    return Missing(
        model=arm.model,
        strategy=arm.strategy,
        seed=arm.seed,
        task=arm.target.task,
        language=language,
        reason=reason,
    )


def _rows(arm: Arm, plan: Plan, work: RunContext) -> Iterator[ScoreRow]:
    card = work.catalogue.card(arm.target.task)
    kind = work.catalogue.task_types[card.task_type]
    folder = work.store.open(arm.score.key)
    facts = _facts(arm, work)
    found: dict[str, Any] = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    asked = protocol(arm.score.predictions)
    learnt = _training_notes(facts["trained_on"], plan, work)
    training = (*facts["notes"], *(_shown(note, asked) for note in learnt))
    counts = _Counts(facts["data"])
    chance = kind.chance(card)
    model = plan.study.model(arm.model)
    for portion in answered(arm.score, facts):
        scored = found[portion.language]
        notes = (
            *_notes(card, portion, counts.of([portion])[0]),
            *_notes_beside(arm.score.predictions.retrieval, portion, counts),
            *training,
        )
        for name in arm.score.metrics:
            yield ScoreRow(
                model=arm.model,
                parameters=facts["sizes"]["total"],
                embedding_parameters=facts["sizes"]["embedding"],
                family=model.known_family,
                seen=model.saw(portion.language),
                strategy=arm.strategy,
                seed=arm.seed,
                task=card.name,
                task_type=card.task_type,
                language=portion.language,
                source_language=_source_language(card, plan),
                split=portion.split,
                metric=name,
                main=name == card.metrics[0],
                value=100 * scored["values"][name],
                chance=None if chance is None else 100 * chance,
                n=scored["n"],
                parallel=card.parallel,
                protocol=asked,
                notes=notes,
                stage=arm.score.key,
            )


def _facts(arm: Arm, work: RunContext) -> Mapping[str, Any]:
    """What the predictions were made with, as the score tells it again.

    Raises:
        StageError: a receipt is damaged.
    """
    facts = work.store.receipt(arm.score.key).facts
    lacking = [name for name in TOLD_AGAIN if name not in facts]
    if lacking:
        folder = work.store.folder(arm.score.key)
        raise StageError(
            f"the receipt does not tell {', '.join(lacking)}",
            where=str(folder / RECEIPT),
            hint=f"delete {folder} and run again",
        )
    return facts


def _source_language(card: TaskCard, plan: Plan) -> str | None:
    """Where the gap is measured from: the study's source language, if the task tests it."""
    language = plan.study.source_language
    return language if card.source_language is not None and language in card.languages else None


def _notes(card: TaskCard, portion: DataSlice, count: RowCount) -> Iterator[str]:
    """What a reader of the number must know about the data under it."""
    if portion.split != card.eval_split:
        yield f"scored on {portion.split}, not on the card's {card.eval_split}"
    if count.partial:
        yield f"partial data: {count.split} has {count.rows} of {count.expected} rows"
    if count.used < count.rows:
        yield f"limited: first {count.used} items"
    if portion.translation is not None:
        into, by = name_of(portion.translation.target), portion.translation.translator.backend
        yield f"items translated into {into} by '{by}' before they were answered"


class _Counts:
    """What was counted when a stage read its rows, by portion."""

    def __init__(self, facts: Sequence[Mapping[str, Any]]) -> None:
        counts = [RowCount(**fact) for fact in facts]
        self._counts = {(one.card, one.language, one.split): one for one in counts}

    def of(self, portions: Sequence[DataSlice]) -> list[RowCount]:
        """The counts of some portions."""
        return [self._counts[one.card, one.language, one.split] for one in portions]


def _notes_beside(
    beside: RetrievalData | None, portion: DataSlice, counts: _Counts
) -> Iterator[str]:
    """What a reader must know of the candidates, and of the items that were tuned on."""
    if beside is None:
        return
    yield from _partial("candidates from", counts.of(beside.candidates_for(portion)))
    tuned = beside.tuning_for(portion)
    if tuned is None:
        return
    (count,) = counts.of([tuned])
    yield from _partial("tuned on", [count, *counts.of(beside.candidates_for(tuned))])
    if tuned == portion:
        yield "tuned on the items that are scored"
    elif count.used < count.rows:
        yield f"tuned on the first {count.used} items"


def _partial(what: str, counts: Sequence[RowCount]) -> Iterator[str]:
    """A note on each card whose rows, of all the languages together, are not the publisher's."""
    for card in dict.fromkeys(one.card for one in counts if one.partial):
        some = [one for one in counts if one.card == card and one.expected is not None]
        rows, expected = sum(one.rows for one in some), sum(one.expected or 0 for one in some)
        yield f"{what} partial data: {card} has {rows} of {expected} rows"


def _shown(note: str, asked: str) -> str:
    """`note` about a model that learnt nothing: it is shown examples."""
    return note.replace("trained on", "shown", 1) if asked.startswith("prompted") else note


def _training_notes(
    trained_on: Sequence[Mapping[str, Any]], plan: Plan, work: RunContext
) -> Iterator[str]:
    """What a reader must know about the data the model was trained on, a note a reason."""
    counts = [RowCount(**values) for values in trained_on]
    yield from _languages_learnt(counts, plan, work)
    partial = [f"{one.card} has {one.rows} of {one.expected} rows" for one in counts if one.partial]
    if partial:
        yield f"trained on partial data: {_listed(partial)}"
    limited: dict[int, list[str]] = {}
    for one in counts:
        if not one.sampled and one.used + one.unlearnable < one.rows:
            limited.setdefault(one.used, []).append(one.card)
    for used, cards in sorted(limited.items()):
        yield f"trained on the first {used} examples of {_listed(cards)}"
    for one in counts:
        if one.repaired:
            told = f"{one.repaired} of {one.answers} answers of {one.card}"
            yield f"{told} stood elsewhere than the data says and were repaired"
        if one.unlearnable:
            yield f"{one.unlearnable} rows of {one.card} have nothing to learn from and were left out"


def _languages_learnt(counts: Sequence[RowCount], plan: Plan, work: RunContext) -> Iterator[str]:
    """Which tasks were learnt in another language than the source: those cells are no zero-shot."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in counts:
        named = one.language == plan.study.source_language
        if work.catalogue.card(one.card).role == "corpus" or (named and not one.sampled):
            continue
        sampled = f"{one.used} sampled examples of " if one.sampled else ""
        by = f", translated by '{one.translated}'" if one.translated else ""
        found.setdefault((f"{sampled}{one.card}", by), []).append(name_of(one.language))
    for (what, by), languages in found.items():
        yield f"trained on {what} in {_listed(languages)}{by}"


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`, each once."""
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} and {last}" if most else last
