"""`xharness plan`: the stages of a study, which are stored, and what the others cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from xharness.cli import flags, guard
from xharness.session.options import Options

if TYPE_CHECKING:
    from xharness.session.costs import Cost
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

    stages = _stages(session)
    cost_to_run = total(cost for row, cost in stages if row["state"] in ("run", "continue"))
    if as_json:
        show_json(
            {
                "study": session.study.name,
                "store": str(session.store.root),
                "stages": [{**row, **asdict(cost)} for row, cost in stages],
                "to_run": asdict(cost_to_run),
                "missing": [row.model_dump(mode="json") for row in session.plan.missing],
            }
        )
        return
    rows = [_row(row, cost) for row, cost in stages]
    show_table(rows, title=session.study.title or session.study.name, right=_NUMBERS)
    show_table(session.missing(), title="missing")
    print(f"{_counts(stages)} (store: {session.store.root}); to run: {_in_words(cost_to_run)}")


def _stages(session: Session) -> list[tuple[dict[str, Any], Cost]]:
    """Each stage with its state: stored, continue, run, or not needed any more."""
    from xharness.session.costs import Estimates

    plan, store = session.plan, session.store
    needed = {stage.key for stage in plan.needed(store.has)}
    estimates = Estimates(session.catalogue, store)
    stages = []
    for key, stage in plan.stages.items():
        state = "stored" if store.has(key) else "not needed"
        if key in needed:
            state = "continue" if store.started(key) else "run"
        row = {
            "state": state,
            "stage": str(plan.labels[key]),
            "sort": stage.name,
            "key": key,
            "needs": [need.key for need in stage.needs],
        }
        stages.append((row, estimates.of(stage, plan.labels[key].model)))
    return stages


def _row(row: dict[str, Any], cost: Cost) -> dict[str, Any]:
    from xharness.console.times import duration

    cells = {"state": row["state"], "stage": row["stage"]}
    cells |= {"examples": cost.examples, "steps": cost.steps, "items": cost.items}
    cells["time"] = None if cost.seconds is None else f"~{duration(cost.seconds)}"
    return cells | {"key": row["key"][:10]}


def _counts(stages: list[tuple[dict[str, Any], Cost]]) -> str:
    states = Counter(row["state"] for row, _ in stages)
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{len(stages)} stages: {counts}" if stages else "no stages"


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
