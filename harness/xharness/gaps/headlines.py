"""The bold sentence: each strategy's change, averaged over the models.

A direction is affordable there sooner than for one model: the mean over four tells changes from
zero that are a third as large as those that one model would need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from xharness.gaps.changes import MeasuredChange
from xharness.gaps.intervals import detectable_changes, estimates
from xharness.gaps.measured import QUANTITIES
from xharness.gaps.spread import Spread, stacked
from xharness.gaps.values import Headline, Quantity
from xharness.gaps.wordings import Tested, wordings
from xharness.task_types.base import Floats


@dataclass(frozen=True)
class ModelCovariance:
    """How the items of one task move the changes of several models together, one strategy."""

    models: tuple[str, ...]
    matrices: Mapping[Quantity, Floats]
    """(models, models); only what stands beside the diagonal is used."""


Covariances = Mapping[tuple[str, str], ModelCovariance]
"""(strategy, task) to the covariance between models."""


def headlines(
    changes: Sequence[MeasuredChange], covariances: Covariances, baseline: str, source: str
) -> tuple[Headline, ...]:
    """One headline a strategy, corrected over two tests each; `source` names the language.

    `changes` are those of one pool: numbers of two protocols, or measured and published ones, share
    no sentence.
    """
    strategies = sorted({measured_change.change.strategy for measured_change in changes})
    strategy_headlines = {name: _headline(name, changes, baseline) for name in strategies}
    averaged = {
        name: [
            measured_change
            for measured_change in changes
            if measured_change.change.strategy == name
            and measured_change.change.model in headline.models
        ]
        for name, headline in strategy_headlines.items()
        if headline.undefined is None
    }
    spreads = {
        name: {quantity: _spread(model_changes, covariances, quantity) for quantity in QUANTITIES}
        for name, model_changes in averaged.items()
    }
    tested = [_tested(averaged[name], spreads[name]) for name in averaged]
    for name, change, wording in zip(averaged, tested, wordings(tested), strict=True):
        strategy_headlines[name] = replace(
            strategy_headlines[name],
            source=change.estimates["source"],
            others=change.estimates["others"],
            gap=change.estimates["gap"],
            adjusted=wording.adjusted,
            verdict=wording.verdict,
            reads_as=wording.reads_as(source),
            detectable=detectable_changes(change.spreads),
        )
    return tuple(strategy_headlines.values())


def _headline(strategy: str, changes: Sequence[MeasuredChange], baseline: str) -> Headline:
    """The models that are averaged, and why others are not."""
    strategy_changes = [
        measured_change
        for measured_change in changes
        if measured_change.change.strategy == strategy
    ]
    left_out = {
        measured_change.change.model: reason
        for measured_change in strategy_changes
        if (reason := _why_left_out(measured_change)) is not None
    }
    # Over all models that may be compared, whatever they show: leaving some out would choose.
    models = tuple(
        measured_change.change.model
        for measured_change in strategy_changes
        if measured_change.change.model not in left_out
    )
    tasks = next(
        (
            measured_change.change.tasks
            for measured_change in strategy_changes
            if measured_change.may_claim
        ),
        (),
    )
    problem = None if models else "; ".join(dict.fromkeys(left_out.values()))
    return Headline(strategy, baseline, models, left_out, tasks, undefined=problem)


def _why_left_out(measured_change: MeasuredChange) -> str | None:
    """Why a model's change is not in its strategy's headline; None where it is."""
    change = measured_change.change
    if not measured_change.may_claim:
        return change.reads_as or change.undefined or "no change is known"
    # more steps on the target look like a strategy
    if change.equal_budget is False:
        return "unequal budgets"
    gap = change.gap
    return "no interval" if gap is None or gap.p is None else None


def _spread(
    changes: Sequence[MeasuredChange], covariances: Covariances, quantity: Quantity
) -> Spread:
    """Of the mean over models: seeds add up, items are drawn together."""
    count = len(changes)
    contrasts = [change.contrasts[quantity] for change in changes]
    item_variance = sum(contrast.item_variance for contrast in contrasts)
    interaction = sum(contrast.interaction for contrast in contrasts)
    unchanged = sum(contrast.unchanged_variance for contrast in contrasts)
    variance = (
        max(0.0, item_variance + _between(changes, covariances, quantity) - interaction) + unchanged
    )
    parts = [contrast.seed_variances for contrast in contrasts]
    seed_variances = np.concatenate([variances for variances, _ in parts]) / count**2
    degrees = np.concatenate([part_degrees for _, part_degrees in parts])
    return Spread(np.asarray(variance / count**2), seed_variances, degrees)


def _between(
    changes: Sequence[MeasuredChange], covariances: Covariances, quantity: Quantity
) -> float:
    """The sum over all pairs of models of their changes' item covariance, over the tasks."""
    tasks, strategy = changes[0].change.tasks, changes[0].change.strategy
    total = 0.0
    for task in tasks:
        covariance = covariances.get((strategy, task))
        if covariance is None:
            continue
        indices = [
            covariance.models.index(measured_change.change.model)
            for measured_change in changes
            if measured_change.change.model in covariance.models
        ]
        matrix = covariance.matrices[quantity][np.ix_(indices, indices)]
        total += float(matrix.sum() - np.trace(matrix))
    # items of different tasks are drawn apart
    return total / len(tasks) ** 2


def _tested(changes: Sequence[MeasuredChange], spreads: Mapping[Quantity, Spread]) -> Tested:
    values = np.array(
        [fmean(change.contrasts[quantity].value for change in changes) for quantity in QUANTITIES]
    )
    joint = stacked([spreads[quantity] for quantity in QUANTITIES])
    estimated = estimates(values, joint, test=True)
    return Tested(dict(zip(QUANTITIES, estimated, strict=True)), spreads)
