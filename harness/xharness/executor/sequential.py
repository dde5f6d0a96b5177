"""The built-in executor: one stage after the other, in this process."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount
from xharness.errors import StageError, UnavailableError, XharnessError
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.perform import perform
from xharness.executor.provenance import provenance
from xharness.files import write_text
from xharness.planning.plan import Plan
from xharness.plugin.api import Executor
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage


class SequentialExecutor(Executor):
    """Runs the stages of a plan in order; a failed one takes only its dependents with it."""

    name = "sequential"
    runs_here = True

    def run(self, plan: Plan, work: RunContext) -> RunReport:
        """Carry out `plan`; stages that are stored, or that nobody needs any more, are reused.

        Under `strict_data`, those that were made from partial data fail instead.

        Raises:
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
        hook = work.catalogue.plugins.manager.hook
        report = RunReport()
        needed = {stage.key for stage in plan.needed(work.store.has)}
        for number, (key, stage) in enumerate(plan.stages.items(), 1):
            label = plan.labels[key]
            if key not in needed:
                report.outcomes[key] = _reuse(stage, label, work, report)
                continue
            hook.xharness_stage_started(
                stage=stage, label=label, position=(number, len(plan.stages))
            )
            outcome, facts = _attempt(stage, label, work, report)
            report.outcomes[key] = outcome
            hook.xharness_stage_finished(
                stage=stage, label=label, outcome=outcome.ending, receipt=facts
            )
        return report


def _reuse(stage: Stage, label: str, work: RunContext, report: RunReport) -> StageOutcome:
    if not work.environment.strict_data:
        return StageOutcome(stage, label, "reused")
    blocker = _blocker(stage, report)
    if blocker is not None:
        return StageOutcome(stage, label, "skipped", blocker)
    try:
        _refuse_partial(stage, work)
    except XharnessError as error:
        if work.debug:
            raise
        return StageOutcome(stage, label, "failed", str(error), None, max(error.exit_code, 1))
    return StageOutcome(stage, label, "reused")


def _refuse_partial(stage: Stage, work: RunContext) -> None:
    """Refuse, under `strict_data`, a stored stage as a fresh one would be.

    Raises:
        UnavailableError: partial data is behind it.
        StageError: its receipt is damaged.
    """
    if not work.environment.strict_data or not work.store.has(stage.key):
        return
    facts = work.store.receipt(stage.key).facts
    for values in (*facts.get("trained_on", ()), *facts.get("data", ())):
        count = RowCount(**values)
        if count.partial:
            raise UnavailableError(
                f"partial data: {count}", hint="leave out --strict-data to go on"
            )


def _blocker(stage: Stage, report: RunReport) -> str | None:
    """Why a stage that `stage` needs has no result."""
    return next((report.reason(need) for need in stage.needs if report.reason(need)), None)


def _attempt(
    stage: Stage, label: str, work: RunContext, report: RunReport
) -> tuple[StageOutcome, Mapping[str, Any] | None]:
    blocker = _blocker(stage, report)
    if blocker is not None:
        return StageOutcome(stage, label, "skipped", blocker), None
    folder = work.store.folder(stage.key)
    try:
        return _carry_out(stage, label, work)
    except XharnessError as error:
        if work.debug:
            raise
        return _failure(stage, label, folder, error, max(error.exit_code, 1)), None
    except Exception as error:  # a backend's defect must not take the other arms down
        if work.debug:
            raise
        told = StageError(" ".join(f"{type(error).__name__}: {error}".split()))
        return _failure(stage, label, folder, told, 1), None


def _carry_out(
    stage: Stage, label: str, work: RunContext
) -> tuple[StageOutcome, Mapping[str, Any]]:
    hook = work.catalogue.plugins.manager.hook

    def waiting() -> None:
        hook.xharness_stage_waiting(stage=stage, label=label)

    with work.store.claim(stage.key, waiting) as folder:
        if work.store.has(stage.key):  # another process finished it while this one waited
            _refuse_partial(stage, work)
            return StageOutcome(stage, label, "reused"), work.store.receipt(stage.key).facts
        started = time.monotonic()
        facts = dict(perform(stage, work, folder))
        facts |= {"label": label, "seconds": round(time.monotonic() - started, 3)}
        receipt = work.store.commit(stage.key, facts | {"provenance": provenance()})
        return StageOutcome(stage, label, "ran"), receipt.facts


def _failure(
    stage: Stage, label: str, folder: Path, error: XharnessError, exit_code: int
) -> StageOutcome:
    """Note the failure beside the stage's files, for the table at the end and for later."""
    log: Path | None = folder / "failure.txt"
    try:
        write_text(folder / "failure.txt", f"{label}\n\n{traceback.format_exc()}")
    except OSError:
        log = None
    return StageOutcome(stage, label, "failed", str(error), log, exit_code)


@hookimpl
def xharness_executors() -> Iterable[Executor]:
    """The executor `sequential`, which runs where no other is named."""
    return [SequentialExecutor()]
