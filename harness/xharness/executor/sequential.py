"""The shipped executor: one stage after the other, in this process."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xharness.errors import StageError, XharnessError
from xharness.executor.outcome import Outcome, Report
from xharness.executor.perform import perform
from xharness.executor.provenance import provenance
from xharness.executor.work import Work
from xharness.plan import Plan
from xharness.stages import Stage
from xharness.store import write_text


class Sequential:
    """Runs the stages of a plan in order; a failed one takes only its dependents with it."""

    name = "sequential"

    def run(self, plan: Plan, work: Work) -> Report:
        """Carry out `plan`; stages that are stored, or that nobody needs any more, are reused.

        Raises:
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
        hook = work.catalogue.plugins.manager.hook
        report = Report()
        needed = {stage.key for stage in plan.needed(work.store.has)}
        for number, (key, stage) in enumerate(plan.stages.items(), 1):
            label = plan.labels[key]
            if key not in needed:
                report.outcomes[key] = Outcome(stage, label, "reused")
                continue
            hook.xharness_stage_started(stage=stage, label=label, place=(number, len(plan.stages)))
            outcome, facts = _attempt(stage, label, work, report)
            report.outcomes[key] = outcome
            hook.xharness_stage_finished(
                stage=stage, label=label, outcome=outcome.ending, receipt=facts
            )
        return report


def _attempt(
    stage: Stage, label: str, work: Work, report: Report
) -> tuple[Outcome, Mapping[str, Any] | None]:
    blocker = next((report.reason(need) for need in stage.needs if report.reason(need)), None)
    if blocker is not None:
        return Outcome(stage, label, "skipped", blocker), None
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
        told = StageError(f"{type(error).__name__}: {error}")
        return _failure(stage, label, folder, told, 1), None


def _carry_out(stage: Stage, label: str, work: Work) -> tuple[Outcome, Mapping[str, Any]]:
    with work.store.claim(stage.key) as folder:
        if work.store.has(stage.key):  # another process finished it while this one waited
            return Outcome(stage, label, "reused"), work.store.receipt(stage.key).facts
        started = time.monotonic()
        facts = dict(perform(stage, work, folder))
        facts |= {"label": label, "seconds": round(time.monotonic() - started, 3)}
        receipt = work.store.commit(stage.key, facts | {"provenance": provenance()})
        return Outcome(stage, label, "ran"), receipt.facts


def _failure(
    stage: Stage, label: str, folder: Path, error: XharnessError, exit_code: int
) -> Outcome:
    """Note the failure beside the stage's files, for the table at the end and for later."""
    log: Path | None = folder / "failure.txt"
    try:
        write_text(folder / "failure.txt", f"{label}\n\n{traceback.format_exc()}")
    except OSError:
        log = None
    return Outcome(stage, label, "failed", str(error), log, exit_code)
