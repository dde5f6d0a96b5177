"""From finished stages to what boards are made of: tidy rows, and statistics per item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xharness.data.counts import RowCount
from xharness.errors import StageError, printable
from xharness.executor.budgets import budget_columns, labelled_languages
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.predict import protocol
from xharness.executor.row_notes import (
    DataCounts,
    evaluation_notes,
    retrieval_notes,
    training_notes,
)
from xharness.executor.score import KEPT_FACTS, STATISTICS, VALUES, answered_slices
from xharness.gaps import Items
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.json_text import read_json
from xharness.planning.plan import Arm, Plan
from xharness.plugin.api import TaskCard
from xharness.stages import Score
from xharness.store import RECEIPT
from xharness.store.tables import read_table


def collect(plan: Plan, context: RunContext, report: RunReport) -> list[ScoreRow | MissingRow]:
    """One row per model, strategy, seed, task, language and metric; reasons for what is missing.

    A score whose stored files are damaged is noted in `report` as failed; the others stay.
    """
    rows: list[ScoreRow | MissingRow] = []
    for arm in plan.arms:
        if report.reason(arm.score) is None and context.store.has(arm.score.key):
            try:
                rows += [*_rows(arm, plan, context)]
                _note_empty(arm, plan, context)
                continue
            except StageError as error:
                if context.debug:
                    raise
                report.outcomes[arm.score.key] = _damaged(arm, plan, error)
        # Damage is the arm's own: an unreadable receipt becomes a missing row, not the run's end.
        rows.append(_missing(arm, report.reason(arm.score) or "not run yet"))
    rows += plan.missing
    return [_public(row, context) if isinstance(row, MissingRow) else row for row in rows]


def _public(row: MissingRow, context: RunContext) -> MissingRow:
    """The reason on one line, without the paths of this machine: boards are published.

    What follows the first line is a hint for whoever sits before the terminal.
    """
    reason = " ".join(row.reason.partition("\n")[0].split())
    environment = context.environment
    folders = {
        "DATA_ROOT": environment.data_root,
        "CACHE": environment.cache,
        "STORE": context.store.root,
    }
    # All three spellings: a path may be told as given, as absolute, or with links resolved.
    for name, folder in folders.items():
        for path in (folder, folder.absolute(), folder.resolve()) if folder is not None else ():
            reason = _with_name_for(path, name, reason)
    for path in (environment.base.absolute(), environment.base.resolve()):
        reason = re.sub(r"(?<![\w./-])\./(?=\w)", "", _with_name_for(path, ".", reason))
    return replace(row, reason=_ABSOLUTE_FOLDERS.sub("", reason))


_ABSOLUTE_FOLDERS = re.compile(
    r"""(?:file://)?(?<=['"])/[^'"]*/(?=[^'"/]+['"])"""
    r"""|(?:file://|(?<![\w./~-]))/(?:[^\s/'":,;()]+/)+(?=[^\s/])"""
)
"""The folders of an absolute path; between quotes, a path may have blanks."""


def _with_name_for(path: Path, name: str, reason: str) -> str:
    """`reason` with `path` called `name`; a relative path alone may just be a word."""
    if len(path.parts) < (2 if path.is_absolute() else 1):
        return reason
    end = r"(?=/|(?!\.?[\w-]))" if path.is_absolute() else "(?=/)"
    return re.sub(rf"(?<![\w./-]){re.escape(str(path))}{end}", lambda _: name, reason)


def _damaged(arm: Arm, plan: Plan, error: StageError) -> StageOutcome:
    label = plan.labels[arm.score.key]
    return StageOutcome(arm.score, label, "failed", printable(str(error)), None, error.exit_code)


def _note_empty(arm: Arm, plan: Plan, context: RunContext) -> None:
    """Languages that turned out to have no row join what the plan knew to be unavailable."""
    for language, reason in _facts(arm, context)["empty"].items():
        plan.leave_out(_missing(arm, reason, language))


def _missing(arm: Arm, reason: str, language: str | None = None) -> MissingRow:
    return MissingRow(
        model=arm.model,
        strategy=arm.strategy,
        seed=arm.seed,
        task=arm.target.task,
        language=language,
        reason=reason,
    )


def _rows(arm: Arm, plan: Plan, context: RunContext) -> Iterator[ScoreRow]:
    card = context.catalogue.card(arm.target.task)
    facts = _facts(arm, context)
    file = context.store.open(arm.score.key) / VALUES
    scores: dict[str, Any] = read_json(file)
    training = tuple(training_notes(facts, protocol(arm.score.predictions), plan, context))
    counts = DataCounts(facts["data"])
    model = plan.study.model(arm.model)
    arm_columns = _arm_columns(arm, card, facts, plan, context)
    for data_slice in answered_slices(arm.score, facts):
        language_scores = scores[data_slice.language]
        notes = (
            *evaluation_notes(card, data_slice, counts),
            *retrieval_notes(arm.score.predictions.retrieval, data_slice, counts),
            *training,
        )
        for metric in arm.score.metrics:
            main = metric == card.metrics[0]
            yield ScoreRow(
                **arm_columns,
                seen=model.saw(data_slice.language),
                language=data_slice.language,
                split=data_slice.split,
                metric=metric,
                main=main,
                value=100 * language_scores["values"][metric],
                **(_floor(language_scores) if main else {}),
                n=language_scores["n"],
                notes=notes,
            )


def _arm_columns(
    arm: Arm, card: TaskCard, facts: Mapping[str, Any], plan: Plan, context: RunContext
) -> dict[str, Any]:
    """What all rows of an arm share."""
    chance = context.catalogue.task_types[card.task_type].chance(card)
    model = plan.study.model(arm.model)
    return {
        "model": arm.model,
        "parameters": facts["sizes"]["total"],
        "embedding_parameters": facts["sizes"]["embedding"],
        "family": model.known_family,
        "strategy": arm.strategy,
        "seed": arm.seed,
        "task": card.name,
        "task_type": card.task_type,
        "source_language": _source_language(card, plan),
        "source_score_from": plan.study.source_score_from.get(card.name, card.source_score_from),
        "chance": None if chance is None else 100 * chance,
        "parallel": card.parallel,
        "protocol": protocol(arm.score.predictions),
        "trained_languages": _trained_languages(facts, plan, context),
        "stage": arm.score.key,
        **budget_columns(
            facts["trainings"],
            {card.name, *card.train_on},
            pretrained=model.pretrain is not None,
        ),
    }


def _floor(language_scores: Mapping[str, Any]) -> dict[str, Any]:
    """The chance floor and the commonest answer, in points and percent."""
    floor, share = language_scores.get("floor"), language_scores.get("constant_share")
    return {
        "floor": None if floor is None else 100 * floor,
        "constant_answer": language_scores.get("constant_answer"),
        "constant_share": None if share is None else 100 * share,
    }


def _trained_languages(
    facts: Mapping[str, Any], plan: Plan, context: RunContext
) -> tuple[str, ...]:
    """The languages beside the source that some task was learnt in: no zero-shot there.

    Text that is only masked has no labels: a task's card may serve as a corpus.
    """
    languages = labelled_languages(facts["trainings"])
    if languages is None:
        counts = [RowCount(**values) for values in facts["trained_on"]]
        languages = {
            count.language
            for count in counts
            # Texts without labels teach a language and no task.
            if context.catalogue.card(count.card).role != "corpus"
        }
    return tuple(sorted(languages - {plan.study.source_language}))


def _facts(arm: Arm, context: RunContext) -> Mapping[str, Any]:
    """What the predictions were made with, as the score tells it again.

    Raises:
        StageError: a receipt is damaged.
    """
    facts = context.store.receipt(arm.score.key).facts
    # A score outlives its predictions' folder, so it must repeat what they were made with.
    missing_names = [name for name in KEPT_FACTS if name not in facts]
    if missing_names:
        folder = context.store.folder(arm.score.key)
        raise StageError(
            f"the receipt does not tell {', '.join(missing_names)}",
            where=str(folder / RECEIPT),
            hint=f"delete {folder} and run again",
        )
    return facts


def _source_language(card: TaskCard, plan: Plan) -> str | None:
    """Where the gap is measured from: the study's source language, if the task tests it."""
    language = plan.study.source_language
    return language if card.source_language is not None and language in card.languages else None


def collect_items(plan: Plan, context: RunContext, report: RunReport) -> Iterator[Items]:
    """The statistics of each arm's main metric, for every language that has scores.

    Arms that `report` has a reason against are left out, as `collect` leaves them out.
    """
    # Arms may share a score, whose items are stored once.
    for key, score in {arm.score.key: arm.score for arm in plan.arms}.items():
        if context.store.has(key) and report.reason(score) is None:
            yield from _stage_items(score, context)


def _stage_items(score: Score, context: RunContext) -> Iterator[Items]:
    catalogue, main = context.catalogue, score.metrics[0]
    task_type = catalogue.task_types[catalogue.card(score.predictions.card).task_type]
    columns = [f"{main}.{name}" for name in task_type.metrics[main].statistics]
    folder = context.store.open(score.key) / STATISTICS
    for data_slice in answered_slices(score, context.store.receipt(score.key).facts):
        table = read_table(folder / f"{data_slice.language}.parquet")
        statistics = np.stack([table[name].to_numpy() for name in columns], axis=1)
        yield Items.of(score.key, data_slice.language, table["item"].to_pylist(), statistics)
