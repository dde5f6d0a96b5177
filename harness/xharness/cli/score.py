"""`xharness score`: folders of predictions and labels, scored as the official evaluator does."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags, guard
from xharness.files import write_json, writing
from xharness.phrases import counted
from xharness.session.options import words_in

if TYPE_CHECKING:
    from xharness.gaps.suites import Aggregate, SuiteScore
    from xharness.submission import SubmissionScores


def score(
    suite: flags.Suite,
    predictions: Annotated[
        Path, typer.Option("--predictions", metavar="DIR", help="TASK/test-LANGUAGE.* to score.")
    ],
    labels: Annotated[
        Path, typer.Option("--labels", metavar="DIR", help="The right answers, in the same layout.")
    ],
    tasks: Annotated[
        list[str] | None,
        typer.Option("--tasks", metavar="NAMES", help="Only these; default: all that are there."),
    ] = None,
    languages: flags.Languages = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores there, too.")
    ] = None,
    plugin: flags.Plugins = None,
    cards: flags.Cards = None,
) -> None:
    """Score a submission as the official evaluator does.

    \b
    xharness score --suite xtreme-r --predictions mine --labels gold
    """
    from xharness import submission
    from xharness.session.catalogue import open_catalogue, warn_of_broken

    request = submission.ScoringRequest(predictions, labels, words_in(tasks), words_in(languages))
    catalogue = open_catalogue(plugin or (), cards or ())
    warn_of_broken(catalogue.plugins)
    scores = submission.score(request, suite, catalogue)
    suite_scores = [scores.suite(variant) for variant in scores.variants()]
    # Before the tables: a reader of those that leaves early must not cost the file.
    if json is not None:
        with writing(json):
            write_json(json, as_json(scores, suite_scores))
    with guard.readers_may_leave():
        for task in scores.languages:
            _show_task(scores, task)
        for suite_score in suite_scores:
            _show_suite(suite_score, with_variant=len(suite_scores) > 1)
    if scores.unnamed_folders:
        names = ", ".join(scores.unnamed_folders)
        print(f"left out, no task of {suite} is called so: {names}", file=sys.stderr)


def as_json(scores: SubmissionScores, suite_scores: Sequence[SuiteScore]) -> dict[str, Any]:
    """Everything scored, in points; an undefined score is null beside its reason."""
    return {
        "suite": scores.benchmark.name,
        "title": scores.benchmark.title,
        "tasks": {
            task: {
                code: {"items": language.items, **language.points}
                for code, language in languages.items()
            }
            for task, languages in scores.languages.items()
        },
        "rules": {task: rule for task in scores.languages if (rule := scores.tasks[task].rule)},
        "scores": [_suite_json(suite_score) for suite_score in suite_scores],
        "left_out": list(scores.unnamed_folders),
    }


def _suite_json(suite_score: SuiteScore) -> dict[str, Any]:
    return {
        "question_answering": suite_score.variant.value,
        "tasks": {
            task.task: {
                "value": task.value, "languages": len(task.scores), "of": len(task.languages),
            }
            for task in suite_score.scored
        },
        "families": {family.name: _aggregate_json(family) for family in suite_score.families},
        "suite": _aggregate_json(suite_score.whole),
    }  # fmt: skip


def _aggregate_json(aggregate: Aggregate) -> dict[str, Any]:
    return {
        "value": aggregate.value,
        "undefined": aggregate.undefined,
        "tasks": list(aggregate.tasks),
    }


def _show_task(scores: SubmissionScores, name: str) -> None:
    from xharness.console import show_table

    rows = [
        {"language": code, "items": language.items, **_formatted(language.points)}
        for code, language in scores.languages[name].items()
    ]
    task = scores.tasks[name]
    show_table(rows, title=name, right=("items", *task.card.metrics))
    if task.rule:
        print(f"{name}: {task.rule}\n")


def _formatted(points: Mapping[str, float]) -> dict[str, str]:
    return {metric: f"{value:.2f}" for metric, value in points.items()}


def _show_suite(suite_score: SuiteScore, *, with_variant: bool) -> None:
    """Tasks, families and the suite, all under one variant."""
    from xharness.console import show_table

    rows = [
        _task_row(task.task, task.value, len(task.scores), len(task.languages))
        for task in suite_score.scored
    ]
    rows += [_aggregate_row("family", family) for family in suite_score.families]
    rows.append(_aggregate_row("suite", suite_score.whole))
    # Not as the table's title, which rich would break at the table's width.
    print(_heading(suite_score, with_variant=with_variant))
    show_table(rows, right=("score",))


def _heading(suite_score: SuiteScore, *, with_variant: bool) -> str:
    from xharness.gaps.suites import Variant

    if not with_variant:
        return suite_score.benchmark.name
    official = " (official)" if suite_score.variant is Variant.OFFICIAL else ""
    variant = suite_score.variant.value
    return f"{suite_score.benchmark.name}, question answering as {variant}{official}"


def _task_row(
    name: str, value: float | None, score_count: int, language_count: int
) -> dict[str, Any]:
    score = None if value is None else f"{value:.2f}"
    return {
        "of": "task",
        "name": name,
        "score": score,
        "over": f"{score_count} of {language_count} languages",
    }


def _aggregate_row(sort: str, aggregate: Aggregate) -> dict[str, Any]:
    if aggregate.value is None:
        score, tasks = "undefined", aggregate.undefined
    else:
        score = f"{aggregate.value:.2f}"
        tasks = counted(len(aggregate.tasks), "task")
    return {"of": sort, "name": aggregate.name, "score": score, "over": tasks}
