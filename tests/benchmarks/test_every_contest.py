"""Every contest's own contestant runs; how fast is asked elsewhere."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks import starting
from benchmarks.contests import CONTESTS
from benchmarks.measured import Contestant, Setting

_FEW = {
    "plan 10,000 stages": partial(starting.planning, 6),
    "run 1,000 finished stages": partial(starting.again, 6),
}
"""In place of contestants whose amount of work hangs on no scale."""


def _ours(name: str) -> Contestant:
    contest = CONTESTS[name]
    return _FEW.get(name, contest.contestants[contest.ours])


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", CONTESTS)
def test_ours_does_something(name: str, setting: Setting) -> None:
    measured = _ours(name)(setting)
    assert measured.amount > 0
    assert measured.seconds > 0
    assert all(0 <= measured.checks[one] <= 100 for one in {"score", "f1"} & {*measured.checks})
