"""Averages over tasks: only over tasks that the arms of a pool have alike.

A pool is one provenance and one protocol: numbers that somebody published are averaged by the same
code, never together with numbers measured here, and prompted answers never with fine-tuned ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import cast

import numpy as np

from xharness.gaps.curves import Curves
from xharness.gaps.intervals import aligned
from xharness.gaps.ranks import ranks
from xharness.gaps.values import Arm, Average, Change, Pool, Seed, TaskGap
from xharness.task_types.base import Floats

_TOLD = 3  # arms whose lack is told before they are counted
_TASKS_SAY = "what is noted under its tasks holds for their average too"
_NO_TASK = "no task has a gap in every arm"


@dataclass(frozen=True)
class Found:
    """What was measured of one arm on one task, with the curves behind it."""

    gap: TaskGap
    curves: Curves
    change: Change | None = None
    changed: Curves | None = None
    """The arm minus the baseline; None for the baseline itself."""
    changes: Mapping[str, float] = field(default_factory=dict)
    """Language to the change of its score."""


def pools(found: Sequence[Found], baseline: str) -> tuple[Pool, ...]:
    """The pools of these arms, measured ones first, then those of more arms."""
    kinds = {
        (one.gap.provenance, one.gap.protocol)
        for one in found
        if one.gap.provenance is not None and one.gap.protocol is not None
    }
    return tuple(sorted((_pool(*kind, found, baseline) for kind in kinds), key=_place))


def _place(pool: Pool) -> tuple[bool, int, str]:
    return pool.provenance != "measured", -len(pool.arms), pool.protocol


def _pool(provenance: str, protocol: str, found: Sequence[Found], baseline: str) -> Pool:
    kind = (provenance, protocol)
    arms = sorted({one.gap.arm for one in found if (one.gap.provenance, one.gap.protocol) == kind})
    own = [one.gap for one in members(found, provenance, protocol, arms)]
    languages = _languages(own, baseline)
    having = _having(own, languages)
    counted = _deciding(having)
    left_out = _left_out(own, counted, languages)
    tasks = {task: some for task, some in languages.items() if task not in left_out}
    return Pool(provenance, protocol, tuple(arms), tuple(tasks), tasks, left_out)


def _languages(gaps: Sequence[TaskGap], baseline: str) -> dict[str, tuple[str, ...]]:
    """Task to the languages that most arms have it in, those of the baseline before others."""
    seen: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for one in gaps:
        if one.gap is not None:
            seen[one.task][one.languages] += len(gaps) if one.strategy == baseline else 1
    return {
        task: max(sorted(counts), key=lambda some: (counts[some], len(some)))
        for task, counts in seen.items()
    }


def _having(
    gaps: Sequence[TaskGap], languages: Mapping[str, tuple[str, ...]]
) -> dict[Arm, set[str]]:
    """Arm to the tasks that it has a gap on, in those languages."""
    having: dict[Arm, set[str]] = {one.arm: set() for one in gaps if one.gap is not None}
    for one in gaps:
        if one.gap is not None and one.languages == languages[one.task]:
            having[one.arm].add(one.task)
    return having


def _deciding(having: Mapping[Arm, set[str]]) -> set[Arm]:
    """The arms that decide which tasks are averaged: those that have at least half of them.

    So an arm that only some tasks can have, or that failed, empties no board. Where most arms have
    little, nobody speaks for them: all decide.
    """
    tasks: set[str] = set().union(*having.values())
    most = {arm for arm, some in having.items() if 2 * len(some) >= len(tasks)}
    return most if 2 * len(most) >= len(having) else set(having)


def lacks(own: Mapping[str, Found], pool: Pool) -> str | None:
    """Why an arm has no average over the pool's tasks; None where it has."""
    if not pool.tasks:
        return _NO_TASK
    without = [task for task in pool.tasks if task not in own or own[task].gap.gap is None]
    if without:
        return f"no gap on {', '.join(without)}"
    other = [task for task in pool.tasks if own[task].gap.languages != pool.languages[task]]
    return f"scored in other languages on {', '.join(other)}" if other else None


def members(
    found: Iterable[Found], provenance: str, protocol: str, arms: Sequence[Arm]
) -> list[Found]:
    """What a pool's arms have there: their scores, and the tasks that gave them none."""
    kinds = {(provenance, protocol), (None, None)}
    return [
        one
        for one in found
        if one.gap.arm in arms and (one.gap.provenance, one.gap.protocol) in kinds
    ]


def _left_out(
    gaps: Sequence[TaskGap], counted: set[Arm], languages: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """The tasks that are in no average, with the reason: an arm of `counted` is without."""
    tasks: dict[str, list[TaskGap]] = defaultdict(list)
    for one in gaps:
        tasks[one.task].append(one)
    why = {task: _why_left_out(own, counted, languages.get(task)) for task, own in tasks.items()}
    return {task: reason for task, reason in why.items() if reason is not None}


def _why_left_out(
    found: Sequence[TaskGap], counted: set[Arm], languages: tuple[str, ...] | None
) -> str | None:
    lacking = {one.arm: one.undefined or "" for one in found if one.gap is None}
    if len(lacking) == len(found):
        heard = [why for arm, why in lacking.items() if arm in counted] or lacking.values()
        return "; ".join(dict.fromkeys(heard))
    lacking |= dict.fromkeys(counted - {one.arm for one in found}, "no row")
    told = [f"{' × '.join(arm)}: {why}" for arm, why in sorted(lacking.items()) if arm in counted]
    if told:
        few = f" ({'; '.join(told)})" if len(told) <= _TOLD else ""
        return f"no gap in {len(told)} of {len(counted)} arms{few}"
    if any(one.languages != languages for one in found if one.arm in counted):
        return "the arms were not scored in the same languages"
    return None


def average(
    found: Sequence[Found], pools: Sequence[Pool], baseline: str
) -> tuple[tuple[Average, ...], tuple[Change, ...]]:
    """Each arm averaged over its pool's tasks, and its change against the baseline likewise."""
    averages: list[Average] = []
    changes: list[Change] = []
    for pool in pools:
        arms = _by_arm(members(found, pool.provenance, pool.protocol, pool.arms))
        averages += _averages(arms, pool)
        changes += [
            _change(arm, own, pool, baseline) for arm, own in arms.items() if arm[1] != baseline
        ]
    pooled = {arm for pool in pools for arm in pool.arms}
    for arm, own in _by_arm(found).items():
        if arm not in pooled:
            averages.append(_failed(arm, own))
            changes += [_change(arm, own, None, baseline)] if arm[1] != baseline else []
    return tuple(averages), tuple(changes)


def _by_arm(found: Iterable[Found]) -> dict[Arm, dict[str, Found]]:
    arms: dict[Arm, dict[str, Found]] = defaultdict(dict)
    for one in found:
        arms[one.gap.arm][one.gap.task] = one
    return dict(sorted(arms.items()))


def _failed(arm: Arm, found: Mapping[str, Found]) -> Average:
    reasons = dict.fromkeys(one.gap.undefined or "" for one in found.values())
    return Average(*arm, undefined="; ".join(reasons))


def _averages(arms: Mapping[Arm, Mapping[str, Found]], pool: Pool) -> list[Average]:
    curves = {
        arm: mean([own[task].curves for task in pool.tasks])
        for arm, own in arms.items()
        if lacks(own, pool) is None
    }
    places = ranks(curves)
    return [
        _average(arm, own, curves[arm], pool, places.get(arm, {}))
        if arm in curves
        else _without(arm, own, pool)
        for arm, own in arms.items()
    ]


def _without(arm: Arm, found: Mapping[str, Found], pool: Pool) -> Average:
    if all(one.gap.gap is None for one in found.values()):
        return _failed(arm, found)
    return Average(*arm, pool.provenance, pool.protocol, undefined=lacks(found, pool))


def _average(
    arm: Arm, found: Mapping[str, Found], curves: Curves, pool: Pool, ranks: Mapping[str, int]
) -> Average:
    gaps = [found[task].gap for task in pool.tasks]
    return Average(
        *arm,
        provenance=pool.provenance,
        protocol=pool.protocol,
        tasks=pool.tasks,
        seeds=curves.seeds,
        source=curves.score(curves.source),
        mean=curves.score(curves.mean),
        gap=curves.estimate(curves.gap),
        relative=curves.ratio(curves.gap, curves.source),
        ranks=ranks,
        over=curves.over,
        near_chance=tuple(one.task for one in gaps if one.near_chance),
        notes=(*curves.notes, *([_TASKS_SAY] if any(one.notes for one in gaps) else ())),
    )


def _change(arm: Arm, found: Mapping[str, Found], pool: Pool | None, baseline: str) -> Change:
    why = lacks(found, pool) if pool is not None else _NO_TASK
    tasks = pool.tasks if pool is not None and why is None else ()
    wanted = {task: cast(Curves, found[task].changed) for task in tasks or found}
    for task, one in wanted.items():
        if one.undefined is not None:
            why = f"{task}: {one.undefined}"
            break
    if why is not None:
        return Change(*arm, against=baseline, task=None, undefined=why)
    curves = mean(list(wanted.values()))
    return Change(
        *arm,
        against=baseline,
        task=None,
        tasks=tuple(tasks),
        seeds=curves.seeds,
        source=curves.estimate(curves.source),
        mean=curves.estimate(curves.mean),
        gap=curves.estimate(curves.gap),
        over=curves.over,
        notes=(*curves.notes, *(f"{task}: {note}" for task, one in wanted.items()
                                for note in one.notes)),
    )  # fmt: skip


def mean(tasks: Sequence[Curves]) -> Curves:
    """The unweighted mean over tasks; it covers only what every task's interval covers."""
    sets = [set(one.seeds) for one in tasks]
    every: set[Seed] = set().union(*sets)
    seeds = tuple(sorted(every, key=lambda one: (one is not None, one or 0)))
    return Curves(
        source=_each(tasks, seeds, lambda one: one.source),
        mean=_each(tasks, seeds, lambda one: one.mean),
        seeds=seeds,
        counted=fmean(one.counted for one in tasks),
        over=tuple(what for what in tasks[0].over if all(what in one.over for one in tasks)),
        notes=() if all(one == every for one in sets) else ("seeds differ between tasks",),
    )


def _each(
    tasks: Sequence[Curves], seeds: Sequence[Seed], read: Callable[[Curves], Floats | None]
) -> Floats:
    alike = [aligned(cast(Floats, read(one)), one.seeds, seeds) for one in tasks]
    return cast(Floats, np.mean(alike, axis=0))
