"""`xharness plan`: the stages of a study, which are stored, and what the others cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from xharness.cli import guard
from xharness.console import show_json, show_table
from xharness.console.times import duration
from xharness.session.costs import Cost, Estimates, total
from xharness.session.missing import condensed
from xharness.session.options import Options
from xharness.session.session import Session, open_session

_NUMBERS = ("examples", "steps", "items", "time")


def show(wishes: Options, *, as_json: bool) -> int:
    """Print the plan of what is wished; 3 where data or a model is unavailable, else 0."""
    job = open_session(wishes)
    with guard.readers_may_leave():
        _show(job, as_json=as_json)
    return guard.UNAVAILABLE if job.plan.unavailable else 0


def _show(job: Session, *, as_json: bool) -> None:
    stages = _stages(job)
    todo = total(cost for row, cost in stages if row["state"] in ("run", "continue"))
    if as_json:
        told = [{**row, **asdict(cost)} for row, cost in stages]
        missing = [one.model_dump(mode="json") for one in job.plan.missing]
        show_json(
            {
                "study": job.study.name,
                "store": str(job.store.root),
                "stages": told,
                "to_run": asdict(todo),
                "missing": missing,
            }
        )
        return
    rows = [_row(row, cost) for row, cost in stages]
    show_table(rows, title=job.study.title or job.study.name, right=_NUMBERS)
    show_table(condensed(job.plan, job.plan.missing), title="missing")
    print(f"{_counts(stages)} (store: {job.store.root}); to run: {_said(todo)}")


def _stages(job: Session) -> list[tuple[dict[str, Any], Cost]]:
    """Each stage with its state: stored, continue, run, or not needed any more."""
    plan, store = job.plan, job.store
    needed = {stage.key for stage in plan.needed(store.has)}
    estimates = Estimates(job.catalogue, store)
    found = []
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
        found.append((row, estimates.of(stage, plan.labels[key].model)))
    return found


def _row(row: dict[str, Any], cost: Cost) -> dict[str, Any]:
    shown = {"state": row["state"], "stage": row["stage"]}
    shown |= {"examples": cost.examples, "steps": cost.steps, "items": cost.items}
    shown["time"] = None if cost.seconds is None else f"~{duration(cost.seconds)}"
    return shown | {"key": row["key"][:10]}


def _counts(stages: list[tuple[dict[str, Any], Cost]]) -> str:
    states = Counter(row["state"] for row, _ in stages)
    shown = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{len(stages)} stages: {shown}" if stages else "no stages"


def _said(cost: Cost) -> str:
    """The costs that are known, in words."""
    known = [
        f"{count:,} {what}".replace(",", " ")
        for count, what in (
            (cost.examples, "training examples"),
            (cost.steps, "steps"),
            (cost.items, "items"),
        )
        if count
    ]
    if cost.seconds is not None:
        known.append(f"about {duration(cost.seconds)} for what has been timed before")
    return ", ".join(known) or "nothing"
