"""`xharness plan`: the stages of a study, which are stored, and what the others cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags, guard
from xharness.phrases import counted
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.session.account.account import Account, AccountRow
    from xharness.session.costs import Cost, PlannedStage
    from xharness.session.session import Session

_NUMBERS = ("examples", "steps", "items", "time")
_COSTS = ("trainings", "steps", "sub-words", "operations", "time", "written")


@flags.options_from(*flags.QUESTION, "budget")
def plan(
    options: RunOptions,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="NAME", help="What the hours are for: cpu, cuda, h100, a100, l4, …"
        ),
    ] = None,
    stages: Annotated[bool, typer.Option("--stages", help="A line for each stage.")] = False,
    json: flags.Json = False,
) -> None:
    """Show what a run would do, and cost; exit code 3 where data or a model is unavailable.

    Neither data nor models need to be here for it.

    \b
    xharness plan study.yaml
    xharness plan study.yaml --device h100 --budget 20h
    """
    from xharness.session.account.budget import check_budget
    from xharness.session.session import open_session

    session = open_session(options)
    account = session.account(device)
    with guard.readers_may_leave():
        _show(session, account, stages=stages, as_json=json)
    # After the table: who is refused sees what costs most.
    check_budget(account, options.budget)
    raise typer.Exit(guard.UNAVAILABLE if session.plan.unavailable else 0)


def _show(session: Session, account: Account, *, stages: bool, as_json: bool) -> None:
    from xharness.console import show_json, show_table
    from xharness.gaps.scores import record
    from xharness.session.costs import total

    planned = session.stages()
    cost_to_run = total(stage.cost for stage in planned if stage.state in ("run", "continue"))
    if as_json:
        show_json(
            {
                "study": session.study.name,
                "store": str(session.store.root),
                "stages": [_stage_json(stage) for stage in planned],
                "to_run": asdict(cost_to_run),
                "account": _account_json(account),
                "missing": [record(row) for row in session.plan.missing],
            }
        )
        return
    title = session.study.title or session.study.name
    if stages:
        show_table([_row(stage) for stage in planned], title=title, right=_NUMBERS)
    rows = [*account.rows, account.total] if account.rows else []
    show_table([_account_row(row) for row in rows], title=title, right=_COSTS)
    show_table(session.missing(), title="missing")
    for hint in session.hints():
        print(f"  {hint}")
    print(f"{_counts(planned)} (store: {session.store.root}); to run: {_in_words(cost_to_run)}")
    print("\n".join(_notes(account)))


def _account_row(row: AccountRow) -> dict[str, Any]:
    from xharness.console.times import duration

    return {
        "model": row.model,
        "strategy": row.strategy,
        "trainings": row.trainings,
        "steps": f"{row.steps:,}",
        "sub-words": _rounded(row.sub_words),
        "operations": f"{row.operations:.1e}" if row.operations else "0",
        "time": f"~{duration(row.seconds)}",
        "written": _bytes(row.written),
        "": "partly guessed" if row.is_guess else "",
    }


def _account_json(account: Account) -> dict[str, Any]:
    values = {name: value for name, value in asdict(account).items() if name != "seconds"}
    return values | {"total": asdict(account.total)}


def _notes(account: Account) -> list[str]:
    """What the numbers rest on, and the disk they need."""
    from xharness.console.times import duration

    notes = [
        f"about {duration(account.total.seconds)} on one {account.device} ({account.pace_source})",
        f"disk: {_bytes(account.peak_swept)} at most while it runs (runtime.keep: none), "
        f"{_bytes(account.peak_kept)} if all models are kept",
    ]
    if account.downloads:
        notes.append(f"to download: {', '.join(account.downloads)}")
    return notes


def _bytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def _rounded(count: float) -> str:
    return f"{count / 1e6:,.1f} M" if count >= 1e5 else f"{count:,.0f}"


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
        # Enough to tell stages apart: `xharness show` takes the start of a key.
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
