"""The run on one device: floors, the union of kernels' times, and a report that is never torn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.device import report as reports
from benchmarks.device.ceilings import Ceilings
from benchmarks.device.contests import CONTESTS
from benchmarks.device.meter import StepMeter, covered
from benchmarks.measurement import Measurement
from tests.conftest import REPOSITORY

_LARGE = Ceilings(798e12, 3.0e12, 560_000_000, 256_000_000)


def test_floors_of_a_large_step_are_those_of_the_arithmetic() -> None:
    assert _LARGE.training_seconds(680, 1) == pytest.approx(0.00678, rel=0.01)
    assert _LARGE.training_seconds(9_600, 1) == pytest.approx(0.0272, rel=0.01)
    assert _LARGE.training_seconds(680, 2) > _LARGE.training_seconds(680, 1)
    assert _LARGE.prediction_seconds(16_384) == pytest.approx(0.0127, rel=0.01)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10)), max_size=12))
def test_overlapping_kernels_are_counted_once(kernels: list[tuple[int, int]]) -> None:
    intervals = [(float(start), float(start + length)) for start, length in kernels]
    moments = {moment for start, length in kernels for moment in range(start, start + length)}
    assert covered(intervals) == len(moments)


@pytest.mark.parametrize("total", [1, 2, 3, 6, 24])
@pytest.mark.parametrize("profiled_steps", [0, 1])
def test_a_meter_takes_trainings_of_any_length(total: int, profiled_steps: int) -> None:
    meter = StepMeter("cpu", 4, profiled_steps)
    for count in range(1, total + 1):
        meter(count, total)
    assert meter.steps == total
    assert (meter.seconds_per_step > 0) == (total - profiled_steps > 1)


def test_a_row_says_how_near_the_floor_it_came() -> None:
    device = {"steps": 10, "seconds_per_step": 0.0136, "kernel_seconds_per_step": 0.0068}
    measurement = Measurement(6_800, 0.2, 0.2, 100, {}, device)
    contest = CONTESTS["train wikiann"]
    row = reports.row_of("xlm-r-large", "train wikiann", "xharness", contest, measurement, _LARGE)
    assert row["times_the_floor"] == pytest.approx(2.0, rel=0.01)
    assert row["share_of_floor"] == pytest.approx(0.5, rel=0.01)
    assert row["kernel_share"] == pytest.approx(0.5, rel=0.01)
    assert row["steady_pace"] == pytest.approx(680 / 0.0136)


def test_ours_is_compared_with_the_same_shape_and_work() -> None:
    contest = CONTESTS["train wikiann"]
    paces = [("large", "train wikiann", "xharness", 10.0), ("small", "train wikiann", "Trainer", 1),
             ("large", "compile wikiann", "Trainer", 4.0)]  # fmt: skip
    rows = [
        reports.error_row(shape, name, contestant, contest, "") | {"pace": pace}
        for shape, name, contestant, pace in paces
    ]
    reports.compare(rows)
    assert [row["ours_over_it"] for row in rows] == [1.0, None, 2.5]


def test_a_report_is_whole_or_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert reports.read(path)["rows"] == []
    reports.write(path, {"rows": [1]})
    with pytest.raises(TypeError):
        reports.write(path, {"rows": [object()]})
    assert reports.read(path) == {"rows": [1]}


@pytest.mark.slow
@pytest.mark.data
def test_the_smallest_run_measures_a_contest_on_a_cpu(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.__main__ import main

    monkeypatch.chdir(REPOSITORY)
    path = tmp_path / "device.json"
    words = ["--data-root", str(data_root), "--device", "cpu", "--tiny", "--json", str(path)]
    assert main([*words, "train wikiann", "predict wikiann"]) == 0
    report = json.loads(path.read_text(encoding="utf-8"))
    assert len(report["rows"]) == 4
    assert not [row["error"] for row in report["rows"] if row["error"]]
    assert all(row["pace"] > 0 and row["times_the_floor"] > 0 for row in report["rows"])
