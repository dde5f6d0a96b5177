"""`xharness run`: carry out a study's plan, then write and show its board."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from xharness.cli import guard
from xharness.cli.board import short_board
from xharness.console import show_json, show_table, watching
from xharness.console.times import duration
from xharness.executor import RunContext, RunReport
from xharness.executor.outcome import Ending
from xharness.session import outputs
from xharness.session.devices import check_device
from xharness.session.missing import condensed
from xharness.session.options import Options
from xharness.session.session import Session, open_session

_DETERMINISTIC = {"XHARNESS_DETERMINISTIC": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""What backends read; CUDA's libraries read the second when they are first used."""


def run(wishes: Options, *, quiet: bool, verbose: bool, as_json: bool) -> int:
    """Run what is wished; the exit code says how it went (see `guard`)."""
    job = open_session(wishes)
    folder = outputs.output_folder(job)
    job.store.prepare()
    if not job.plan.arms:
        return _nothing(job, as_json=as_json)
    began = time.monotonic()
    if job.study.runtime.deterministic:
        os.environ.update(_DETERMINISTIC)
    work = RunContext(
        job.catalogue, job.data, job.store, job.environment, job.study.runtime, wishes.debug
    )
    executor = job.catalogue.executors[job.options.executor]
    if executor.runs_here:
        check_device(job, work)
    with watching(job.catalogue.plugins.manager, quiet=quiet, verbose=verbose):
        report = executor.run(job.plan, work)
    board, files = outputs.write(job, work, report, folder)
    code = exit_code(job, report)
    took = time.monotonic() - began
    with guard.readers_may_leave():
        if as_json:
            show_json(_as_json(job, report, code, files) | {"seconds": took})
            return code
        _tell_troubles(job, report)
        if not quiet:
            print(f"{_counts(report)} in {duration(took)}", file=sys.stderr)
            show_table(short_board(board), title=job.study.title or job.study.name)
            print("\n".join(str(path) for path in files))
    return code


def _nothing(job: Session, *, as_json: bool) -> int:
    """No arm has both a model and data: say why, and leave no file."""
    code = guard.UNAVAILABLE if job.plan.unavailable else guard.WRONG
    show_table(condensed(job.plan, job.plan.missing), title="nothing can be run", err=True)
    with guard.readers_may_leave():
        if as_json:
            show_json(_as_json(job, RunReport(), code))
    return code


def exit_code(job: Session, report: RunReport) -> int:
    """0 all done, 1 some stages failed, 3 where only data or models were missing."""
    if report.failed:
        return report.exit_code
    return guard.UNAVAILABLE if job.plan.unavailable else 0


def _tell_troubles(job: Session, report: RunReport) -> None:
    show_table(condensed(job.plan, job.plan.missing), title="missing", err=True)
    show_table(_failures(report), title="failed", err=True)


def _counts(report: RunReport) -> str:
    shown = [f"{count} {ending}" for ending, count in _endings(report).items() if count]
    return f"stages: {', '.join(shown)}"


def _endings(report: RunReport) -> dict[str, int]:
    known: tuple[Ending, ...] = get_args(Ending)
    return {ending: report.count(ending) for ending in known}


def _failures(report: RunReport) -> list[dict[str, Any]]:
    return [
        {"stage": str(one.label), "reason": one.reason, "log": one.log and str(one.log)}
        for one in report.failed
    ]


def _as_json(
    job: Session, report: RunReport, code: int, files: Sequence[Path] = ()
) -> dict[str, Any]:
    return {
        "study": job.study.name,
        "exit_code": code,
        "stages": _endings(report),
        "failed": _failures(report),
        "missing": [one.model_dump(mode="json") for one in job.plan.missing],
        "store": str(job.store.root),
        "files": [str(path) for path in files],
    }
