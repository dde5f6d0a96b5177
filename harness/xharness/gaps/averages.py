"""Averages over tasks: only over tasks that every arm has alike, so that rows can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from xharness.gaps.curves import Curves
from xharness.gaps.values import Arm, Average, Change, Seed, TaskGap
from xharness.kinds.base import Floats

_TASKS_SAY = "what is noted under its tasks holds for their average too"


@dataclass(frozen=True)
class Found:
    """What was measured of one arm on one task, with the curves behind it."""

    gap: TaskGap
    curves: Curves
    change: Change | None = None
    changed: Curves | None = None
    """The arm minus the baseline; None for the baseline itself."""


def common_tasks(gaps: Sequence[TaskGap]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The tasks whose gap all arms have in the same languages, and why the others are left out.

    An arm without a single gap has no say, so that one model that failed empties no board.
    """
    counted = {one.arm for one in gaps if one.gap is not None}
    tasks: dict[str, list[TaskGap]] = defaultdict(list)
    for one in gaps:
        tasks[one.task].append(one)
    why = {task: _why_left_out(found, counted) for task, found in tasks.items()}
    common = tuple(task for task, reason in why.items() if reason is None)
    return common, {task: reason for task, reason in why.items() if reason is not None}


def _why_left_out(found: Sequence[TaskGap], counted: set[Arm]) -> str | None:
    lacking = {one.arm: one.undefined or "" for one in found if one.gap is None}
    if len(lacking) == len(found):
        heard = [why for arm, why in lacking.items() if arm in counted] or lacking.values()
        return "; ".join(dict.fromkeys(heard))
    lacking |= dict.fromkeys(counted - {one.arm for one in found}, "no row")
    told = [f"{' × '.join(arm)}: {why}" for arm, why in sorted(lacking.items()) if arm in counted]
    if told:
        return f"not every arm has a gap ({'; '.join(told)})"
    if len({(one.source_language, one.languages) for one in found if one.arm in counted}) > 1:
        return "the arms were not scored in the same languages"
    return None


def average(
    found: Sequence[Found], common: Sequence[str], baseline: str
) -> tuple[tuple[Average, ...], tuple[Change, ...]]:
    """Each arm averaged over the common tasks, and its change against the baseline likewise."""
    arms: dict[Arm, dict[str, Found]] = defaultdict(dict)
    for one in found:
        arms[one.gap.arm][one.gap.task] = one
    averages = tuple(_average(arm, arms[arm], common) for arm in sorted(arms))
    changes = tuple(
        _change(arm, arms[arm], common, baseline) for arm in sorted(arms) if arm[1] != baseline
    )
    return averages, changes


def _average(arm: Arm, found: Mapping[str, Found], common: Sequence[str]) -> Average:
    if all(one.gap.gap is None for one in found.values()):
        reasons = dict.fromkeys(one.gap.undefined or "" for one in found.values())
        return Average(*arm, undefined="; ".join(reasons))
    if not common:
        return Average(*arm, undefined="no task has a gap in every arm")
    gaps = [found[task].gap for task in common]
    curves = _mean([found[task].curves for task in common])
    return Average(
        *arm,
        tasks=tuple(common),
        seeds=curves.seeds,
        source=curves.estimate(curves.source),
        mean=curves.estimate(curves.mean),
        gap=curves.estimate(curves.gap),
        over=curves.over,
        near_chance=tuple(one.task for one in gaps if one.near_chance),
        notes=(*curves.notes, *([_TASKS_SAY] if any(one.notes for one in gaps) else ())),
    )


def _change(arm: Arm, found: Mapping[str, Found], common: Sequence[str], baseline: str) -> Change:
    nothing = Change(*arm, against=baseline, task=None, undefined="no task has a gap in every arm")
    if not common or any(task not in found for task in common):
        return nothing
    changed = [cast(Curves, found[task].changed) for task in common]
    for task, one in zip(common, changed, strict=True):
        if one.undefined is not None:
            return Change(*arm, against=baseline, task=None, undefined=f"{task}: {one.undefined}")
    curves = _mean(changed)
    notes = [f"{task}: {note}" for task, one in zip(common, changed, strict=True)
             for note in one.notes]  # fmt: skip
    return Change(
        *arm,
        against=baseline,
        task=None,
        tasks=tuple(common),
        seeds=curves.seeds,
        source=curves.estimate(curves.source),
        mean=curves.estimate(curves.mean),
        gap=curves.estimate(curves.gap),
        over=curves.over,
        notes=(*curves.notes, *notes),
    )


def _mean(tasks: Sequence[Curves]) -> Curves:
    """The unweighted mean over tasks; it covers only what every task's interval covers."""
    seeds = [set(one.seeds) for one in tasks]
    every: set[Seed] = set().union(*seeds)
    return Curves(
        source=_each(tasks, lambda one: one.source),
        mean=_each(tasks, lambda one: one.mean),
        seeds=tuple(sorted(every, key=lambda one: (one is not None, one or 0))),
        over=tuple(what for what in tasks[0].over if all(what in one.over for one in tasks)),
        notes=() if all(one == every for one in seeds) else ("seeds differ between tasks",),
    )


def _each(tasks: Sequence[Curves], read: Callable[[Curves], Floats | None]) -> Floats:
    return cast(Floats, np.mean([cast(Floats, read(one)) for one in tasks], axis=0))
