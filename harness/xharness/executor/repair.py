"""Damage in the store: what is not as it was stored is moved aside, told, and done again."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace

from xharness.errors import printable
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport
from xharness.planning.plan import Plan
from xharness.plugin.api import Executor
from xharness.store import DamagedStageError, Store

_ROUNDS = 8  # a chain of damaged stages shows one a round; a disk that goes on failing is no chain


def run_and_repair(executor: Executor, plan: Plan, context: RunContext) -> RunReport:
    """Have `executor` carry out `plan`; stages found damaged are done again, and what needs them.

    Raises:
        StageError: a damaged score cannot be moved aside.
        KeyboardInterrupt: as `Executor.run`.
    """
    _set_scores_aside(plan, context.store)
    report = executor.run(plan, context)
    for _ in range(_ROUNDS):
        damaged_keys = {outcome.damaged for outcome in report.failed if outcome.damaged}
        if not damaged_keys:
            break
        for key in damaged_keys:
            _set_aside(key, context.store)
        report.merge(executor.run(_part_that_needs(damaged_keys, plan), context))
    return report


def _set_scores_aside(plan: Plan, store: Store) -> None:
    """Before anything runs: nothing else would read these, and the board is made of them."""
    for key in {arm.score.key for arm in plan.arms if store.has(arm.score.key)}:
        try:
            store.open(key)
        except DamagedStageError:
            _set_aside(key, store)


def _set_aside(key: str, store: Store) -> None:
    target = store.set_aside(key)
    if target is not None:
        text = f"{store.folder(key)}: damaged; moved to {target}, and done again"
        print(printable(text), file=sys.stderr)


def _part_that_needs(keys: Collection[str], plan: Plan) -> Plan:
    """The arms that need one of the stages, alone: others may have failed for their own reasons."""
    arms = [arm for arm in plan.arms if any(stage.key in keys for stage in arm.score.with_needs())]
    part_keys = {stage.key for arm in arms for stage in arm.score.with_needs()}
    stages = {key: stage for key, stage in plan.stages.items() if key in part_keys}
    return replace(plan, arms=arms, stages=stages)
