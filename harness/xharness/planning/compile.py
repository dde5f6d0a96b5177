"""A study compiles to a plan: one graph of stages, and the arms that read their scores from it.

Strategies are pure functions, stages are values with content keys, so two arms that need the same
checkpoint name the same stage, and it is trained once. Nothing heavy is imported here.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from xharness.errors import raise_all
from xharness.planning.arms import ArmCompiler
from xharness.planning.auxiliary_data import ScoredData
from xharness.planning.checks import check_choices, name_errors, studied_cards
from xharness.planning.context import ArmContext, PlanningContext
from xharness.planning.plan import Plan
from xharness.planning.starts import StartFinder
from xharness.spec.study import TargetSpec


def compile_plan(context: PlanningContext) -> Plan:
    """The plan of a study.

    Raises:
        ConfigurationError: an unknown name, or an arm that can never work.
    """
    targets = _checked_targets(context)
    plan = Plan(context.named_study)
    with _no_collections():
        for arms in _arm_compilers(context, plan):
            for target in targets:
                arms.add(target)
    # Only now: which cards a strategy trains on is known once its routes are.
    check_choices(context, studied_cards(plan, context))
    return plan


def _checked_targets(context: PlanningContext) -> tuple[TargetSpec, ...]:
    """The targets; whatever names in the study are wrong are told in one pass."""
    raise_all([*name_errors(context)])
    return context.targets


@contextmanager
def _no_collections() -> Iterator[None]:
    """What planning makes stays: looking for garbage would go over it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _arm_compilers(context: PlanningContext, plan: Plan) -> Iterator[ArmCompiler]:
    """Every model under every strategy, selection and seed."""
    scored_data = ScoredData(context)
    for model_index, model in enumerate(context.study.models):
        starts = StartFinder(context, context.document.model(model_index, model))
        for strategy_index, strategy in enumerate(context.study.strategies):
            if not strategy.takes(model):
                continue
            for index, selection in enumerate(strategy.selection or context.study.selection):
                name = selection.label(strategy.name, first=index == 0)
                for seed in context.study.seeds_of(strategy):
                    arm = ArmContext(context, model, strategy, selection, seed)
                    yield ArmCompiler(
                        plan, arm, starts, scored_data, name, ("strategies", strategy_index)
                    )
