"""`xharness run`: carry out a study's plan, then show its board."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, get_args

import typer

from xharness.cli import flags, guard
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.executor import RunReport
    from xharness.session.session import Session


@flags.options_from(*flags.RUN)
def run(
    options: RunOptions,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = False,
    json: flags.Json = False,
) -> None:
    """Run a study, or go on with it.

    What is stored is reused; the same command again goes on where it stopped.

    \b
    xharness run
    xharness run study.yaml --data-root data --device cuda
    xharness run study.yaml --limit 50 --languages en,sw
    """
    from xharness.session.session import open_session

    session = open_session(options)
    carry_out(session, quiet=quiet, verbose=verbose, as_json=json)
    raise typer.Exit(session.exit_code)


def carry_out(session: Session, *, quiet: bool, verbose: bool, as_json: bool) -> None:
    """Run a session under the progress bar, and show what came out."""
    from xharness.console import show_json, show_table, watching

    start = time.monotonic()
    # With nothing to run `Session.run` would raise; the table below says why, arm by arm.
    if session.plan.arms:
        with watching(session.catalogue.plugins.manager, quiet=quiet, verbose=verbose):
            session.run()
    seconds = time.monotonic() - start
    # A reader that leaves early must not change the exit code of a run that is done.
    with guard.readers_may_leave():
        missing_title = "missing" if session.plan.arms else "nothing can be run"
        if as_json:
            show_json(_as_json(session) | {"seconds": seconds})
        if not as_json or not session.plan.arms:
            # On standard error, so that what a script reads holds results alone.
            show_table(session.missing(), title=missing_title, err=True)
            for hint in session.hints():
                print(f"  {hint}", file=sys.stderr)
        if not as_json and session.report is not None:
            show_table(_failures(session.report), title="failed", err=True)
            if not quiet:
                _show_results(session, seconds)


def _show_results(session: Session, seconds: float) -> None:
    from xharness.console import show_table
    from xharness.console.times import duration
    from xharness.leaderboard import summarize

    counts = [f"{count} {ending}" for ending, count in _endings(session.report).items() if count]
    print(f"stages: {', '.join(counts)} in {duration(seconds)}", file=sys.stderr)
    rows = session.board.overview()
    show_table(rows, title=session.study.title or session.study.name)
    summary = summarize(session.board)
    print(summary.headline)
    # Why an average is undefined must not wait until somebody opens the board.
    if summary.open_line:
        print(summary.open_line)
    print("\n".join(str(path) for path in session.files))


def _endings(report: RunReport | None) -> dict[str, int]:
    from xharness.executor.outcome import Ending

    return {ending: report.count(ending) if report else 0 for ending in get_args(Ending)}


def _failures(report: RunReport | None) -> list[dict[str, Any]]:
    outcomes = report.failed if report is not None else []
    return [
        {
            "stage": str(outcome.label),
            "reason": outcome.reason,
            "log": outcome.log and str(outcome.log),
        }
        for outcome in outcomes
    ]


def _as_json(session: Session) -> dict[str, Any]:
    from xharness.gaps.scores import record

    return {
        "study": session.study.name,
        "exit_code": session.exit_code,
        "stages": _endings(session.report),
        "failed": _failures(session.report),
        "missing": [record(row) for row in session.plan.missing],
        "hints": [*session.plan.hints],
        "store": str(session.store.root),
        "files": [str(path) for path in session.files],
    }
