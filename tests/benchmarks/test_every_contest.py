"""Every contest's own contestant runs; how fast is asked elsewhere."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path

import pytest

from benchmarks import starting
from benchmarks.contests import CONTESTS
from benchmarks.measured import Contestant, Setting
from tests.families import zoo

runner = importlib.import_module("benchmarks.__main__")
_FEW = {
    "plan 10,000 stages": partial(starting.planning, 6),
    "run 1,000 finished stages": partial(starting.again, 6),
}
"""In place of contestants whose amount of work hangs on no scale."""


@pytest.fixture(scope="module")
def setting(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """As little work as there can be."""
    folder = tmp_path_factory.mktemp("contests")
    model = runner.made("small", data_root, folder / "model")
    return Setting(data_root, model, folder, scale=1e-4, decoder=zoo.gemma(folder / "decoder"))


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
