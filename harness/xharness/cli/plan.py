"""`xharness plan`: the stages of a study, which are stored, and what the others cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from xharness.cli import flags, guard
from xharness.phrases import counted
from xharness.session.options import Options

if TYPE_CHECKING:
    from xharness.session.costs import Cost, PlannedStage
    from xharness.session.session import Session

_NUMBERS = ("examples", "steps", "items", "time")


@flags.options_from(*flags.QUESTION)
def plan(options: Options, json: flags.Json = False) -> None:
    """Show what a run would do, and cost; exit code 3 where data or a model is unavailable.

    \b
    xharness plan study.yaml --data-root data
    """
    from xharness.session.session import open_session

    session = open_session(options)
    with guard.readers_may_leave():
        _show(session, as_json=json)
    raise typer.Exit(guard.UNAVAILABLE if session.plan.unavailable else 0)


def _show(session: Session, *, as_json: bool) -> None:
    from xharness.console import show_json, show_table
    from xharness.session.costs import total

    stages = session.stages()
    cost_to_run = total(stage.cost for stage in stages if stage.state in ("run", "continue"))
    if as_json:
        show_json(
            {
                "study": session.study.name,
                "store": str(session.store.root),
                "stages": [_stage_json(stage) for stage in stages],
                "to_run": asdict(cost_to_run),
                "missing": [row.model_dump(mode="json") for row in session.plan.missing],
            }
        )
        return
    show_table(
        [_row(stage) for stage in stages],
        title=session.study.title or session.study.name,
        right=_NUMBERS,
    )
    show_table(session.missing(), title="missing")
    print(f"{_counts(stages)} (store: {session.store.root}); to run: {_in_words(cost_to_run)}")


def _stage_json(stage: PlannedStage) -> dict[str, Any]:
    return {
        "state": stage.state,
        "stage": str(stage.label),
        "sort": stage.stage.name,
        "key": stage.stage.key,
        "needs": [need.key for need in stage.stage.needs],
        **asdict(stage.cost),
    }


def _row(stage: PlannedStage) -> dict[str, Any]:
    from xharness.console.times import duration

    cost = stage.cost
    return {
        "state": stage.state,
        "stage": str(stage.label),
        "examples": cost.examples,
        "steps": cost.steps,
        "items": cost.items,
        "time": None if cost.seconds is None else f"~{duration(cost.seconds)}",
        "key": stage.stage.key[:10],
    }


def _counts(stages: Sequence[PlannedStage]) -> str:
    states = Counter(stage.state for stage in stages)
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{counted(len(stages), 'stage')}: {counts}" if stages else "no stages"


def _in_words(cost: Cost) -> str:
    """The costs that are known, in words."""
    from xharness.console.times import duration

    counts = (
        (cost.examples, "training examples"),
        (cost.steps, "steps"),
        (cost.items, "items"),
    )
    phrases = [f"{count:,} {noun}".replace(",", " ") for count, noun in counts if count]
    if cost.seconds is not None:
        phrases.append(f"about {duration(cost.seconds)} for what has been timed before")
    return ", ".join(phrases) or "nothing"
