"""Every contest's own contestant runs; how fast is asked elsewhere."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks import starting
from benchmarks.contests import CONTESTS
from benchmarks.measurement import Contestant, Setting

_FEW = {
    "plan 10,000 stages": partial(starting.plan, 6),
    "run 1,000 finished stages": partial(starting.rerun, 6),
}
"""In place of contestants whose amount of work hangs on no scale."""


def _ours(name: str) -> Contestant:
    contest = CONTESTS[name]
    return _FEW.get(name, contest.contestants[contest.ours])


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", CONTESTS)
def test_ours_does_something(name: str, setting: Setting) -> None:
    measurement = _ours(name)(setting)
    assert measurement.amount > 0
    assert measurement.seconds > 0
    assert all(
        0 <= measurement.checks[check] <= 100 for check in {"score", "f1"} & {*measurement.checks}
    )
