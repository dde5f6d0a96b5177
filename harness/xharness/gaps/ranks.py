"""Places on the board: arms that the data can't tell apart share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

from xharness.gaps.curves import Curves
from xharness.gaps.intervals import aligned, estimate
from xharness.gaps.values import Arm, Estimate
from xharness.task_types.base import Floats

_BEST: Mapping[Literal["gap", "mean"], int] = {"gap": 1, "mean": -1}  # 1: the lowest comes first


def ranks(arms: Mapping[Arm, Curves]) -> dict[Arm, dict[str, int]]:
    """Each arm's place by gap and by mean of the others; an arm without interval has none.

    An arm shares the place of the best one that it can't be told from: of the arms sorted by the
    number, the first opens a place, and each after it stays there until the paired interval of its
    difference from the opener leaves zero out.
    """
    known = {arm: one for arm, one in arms.items() if one.over and one.gap is not None}
    places: dict[Arm, dict[str, int]] = {arm: {} for arm in known}
    for what, way in _BEST.items():
        for arm, place in _places(known, what, way).items():
            places[arm][what] = place
    return places


def difference(one: Curves, other: Curves, what: Literal["gap", "mean"]) -> Estimate:
    """One arm minus another, whatever their models: paired by item, and by seed where shared."""
    seeds = (*one.seeds, *(seed for seed in other.seeds if seed not in one.seeds))
    ours, theirs = (aligned(_curve(arm, what), arm.seeds, seeds) for arm in (one, other))
    over = [part for part in one.over if part in other.over]
    return estimate(ours - theirs, over, min(one.counted, other.counted))


def _places(arms: Mapping[Arm, Curves], what: Literal["gap", "mean"], way: int) -> dict[Arm, int]:
    order = sorted(arms, key=lambda arm: (way * _curve(arms[arm], what)[0].mean(), arm))
    return dict(zip(order, _shared([arms[arm] for arm in order], what), strict=True))


def _shared(ordered: Sequence[Curves], what: Literal["gap", "mean"]) -> list[int]:
    places: list[int] = []
    for number, arm in enumerate(ordered, 1):
        opener = ordered[places[-1] - 1] if places else None
        told = opener is None or difference(arm, opener, what).sign != 0
        places.append(number if told else places[-1])
    return places


def _curve(arm: Curves, what: Literal["gap", "mean"]) -> Floats:
    return cast(Floats, getattr(arm, what))
