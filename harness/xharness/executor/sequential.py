"""The built-in executor: one stage after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterable

from xharness.executor.attempt import attempt, reuse
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport
from xharness.planning.plan import Plan
from xharness.plugin.api import Executor
from xharness.plugin.hookspecs import hookimpl


class SequentialExecutor(Executor):
    """Runs the stages of a plan in order; a failed one takes only its dependents with it."""

    name = "sequential"
    runs_here = True

    def run(self, plan: Plan, context: RunContext) -> RunReport:
        """Carry out `plan`; stages that are stored, or that nobody needs any more, are reused.

        Under `strict_data`, those that were made from partial data fail instead.

        Raises:
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
        hook = context.catalogue.plugins.manager.hook
        report = RunReport()
        needed = {stage.key for stage in plan.needed(context.store.has)}
        strict = context.environment.strict_data
        for number, (key, stage) in enumerate(plan.stages.items(), 1):
            label = plan.labels[key]
            if key not in needed:
                skipped = report.skipped(stage, label) if strict else None
                report.add(skipped or reuse(stage, label, context))
                continue
            position = (number, len(plan.stages))
            hook.xharness_stage_started(stage=stage, label=label, position=position)
            outcome = report.skipped(stage, label) or attempt(stage, label, context)
            report.add(outcome)
            hook.xharness_stage_finished(
                stage=stage, label=label, outcome=outcome.ending, receipt=outcome.facts
            )
        return report


@hookimpl
def xharness_executors() -> Iterable[Executor]:
    """The executor `sequential`, which runs where no other is named."""
    return [SequentialExecutor()]
