"""`xharness score`: folders of predictions and labels, scored as the official evaluator does."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xharness import submission
from xharness.cli import guard
from xharness.console import show_table
from xharness.errors import ConfigurationError
from xharness.files import write_json
from xharness.gaps.suites import Aggregate, SuiteScore, Variant
from xharness.session.session import open_catalogue, warn_of_broken
from xharness.submission import ScoringRequest, SubmissionScores


def score(
    wanted: ScoringRequest,
    suite: str,
    extra: Iterable[str],
    folders: Iterable[Path],
    file: Path | None,
) -> None:
    """Print the scores, and write them to `file` if there is one: all of them, or none."""
    catalogue = open_catalogue(extra, folders)
    warn_of_broken(catalogue.plugins)
    scored = submission.score(wanted, suite, catalogue)
    suites = [scored.suite(variant) for variant in scored.variants()]
    if file is not None:
        _save(file, as_json(scored, suites))
    with guard.readers_may_leave():
        for name in scored.languages:
            _show_task(scored, name)
        for one in suites:
            _show_suite(one, alone=len(suites) == 1)
    if scored.unnamed_folders:
        names = ", ".join(scored.unnamed_folders)
        print(f"left out, no task of {suite} is called so: {names}", file=sys.stderr)


def as_json(scored: SubmissionScores, suites: Sequence[SuiteScore]) -> dict[str, Any]:
    """Everything scored, in points; an undefined score is null beside its reason."""
    return {
        "suite": scored.benchmark.name,
        "title": scored.benchmark.title,
        "tasks": {
            name: {code: {"items": one.items, **one.points} for code, one in languages.items()}
            for name, languages in scored.languages.items()
        },
        "rules": {name: rule for name in scored.languages if (rule := scored.tasks[name].rule)},
        "scores": [_suite(one) for one in suites],
        "left_out": list(scored.unnamed_folders),
    }


def _suite(found: SuiteScore) -> dict[str, Any]:
    return {
        "question_answering": found.variant.value,
        "tasks": {
            one.task: {
                "value": one.value, "languages": len(one.scores), "of": len(one.languages),
            }
            for one in found.scored
        },
        "families": {one.name: _aggregate(one) for one in found.families},
        "suite": _aggregate(found.whole),
    }  # fmt: skip


def _aggregate(found: Aggregate) -> dict[str, Any]:
    return {"value": found.value, "undefined": found.undefined, "tasks": list(found.tasks)}


def _save(file: Path, value: dict[str, Any]) -> None:
    try:
        write_json(file, value)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(file)) from None


def _show_task(scored: SubmissionScores, name: str) -> None:
    languages = scored.languages[name]
    rows = [
        {"language": code, "items": one.items, **_shown(one.points)}
        for code, one in languages.items()
    ]
    task = scored.tasks[name]
    show_table(rows, title=name, right=("items", *task.card.metrics))
    if task.rule:
        print(f"{name}: {task.rule}\n")


def _shown(points: Mapping[str, float]) -> dict[str, str]:
    return {metric: f"{value:.2f}" for metric, value in points.items()}


def _show_suite(found: SuiteScore, *, alone: bool) -> None:
    """Tasks, families and the suite, all under one variant."""
    rows = [_task_row(one.task, one.value, len(one.scores), len(one.languages))
            for one in found.scored]  # fmt: skip
    rows += [_aggregate_row("family", one) for one in found.families]
    rows.append(_aggregate_row("suite", found.whole))
    print(_heading(found, alone=alone))  # rich would break it at the table's width
    show_table(rows, right=("score",))


def _heading(found: SuiteScore, *, alone: bool) -> str:
    if alone:
        return found.benchmark.name
    official = " (official)" if found.variant is Variant.OFFICIAL else ""
    return f"{found.benchmark.name}, question answering as {found.variant.value}{official}"


def _task_row(name: str, value: float | None, scored: int, of: int) -> dict[str, Any]:
    shown = None if value is None else f"{value:.2f}"
    return {"of": "task", "name": name, "score": shown, "over": f"{scored} of {of} languages"}


def _aggregate_row(what: str, found: Aggregate) -> dict[str, Any]:
    if found.value is None:
        return {"of": what, "name": found.name, "score": "undefined", "over": found.undefined}
    over = f"{len(found.tasks)} tasks" if len(found.tasks) > 1 else "1 task"
    return {"of": what, "name": found.name, "score": f"{found.value:.2f}", "over": over}
