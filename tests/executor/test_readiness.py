"""Laws of walking a plan by readiness, whatever its graph and however its workers fare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.executor.fakes import (
    DIES,
    FAILS,
    HANGS,
    IS_TAKEN,
    RUNS,
    FakePool,
    FakeStage,
    FakeStore,
    Recorder,
    fake_context,
    fake_plan,
)
from xharness.errors import StageError
from xharness.executor.outcome import RunReport
from xharness.executor.readiness import StageLimits, carry_out_plan

NOWHERE = Path("/dev/null/none")  # a folder that can't be made: notes of failures go nowhere
LIMITS = StageLimits(retries=1, hang_seconds=5)


@st.composite
def graphs(draw: st.DrawFn) -> list[FakeStage]:
    """Up to 12 stages, each of which needs some of those before it."""
    stages: list[FakeStage] = []
    for number in range(draw(st.integers(1, 12))):
        needs = [stage for stage in stages if draw(st.integers(0, 3)) == 0]
        stages.append(FakeStage(f"s{number:02}", tuple(needs)))
    return stages


FATES = st.lists(st.sampled_from([RUNS, FAILS, DIES, HANGS, IS_TAKEN]), max_size=4)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    stages = draw(graphs())
    return {
        "stages": stages,
        "fates": {stage.key: draw(FATES) for stage in stages},
        "stored": draw(st.sets(st.sampled_from([stage.key for stage in stages]))),
        "workers": draw(st.integers(1, 4)),
        "seed": draw(st.integers(0, 99)),
    }


def _walk(case: dict[str, Any]) -> tuple[RunReport, FakePool, Recorder]:
    store, recorder = FakeStore(NOWHERE, case.get("stored", ())), Recorder()
    pool = FakePool(store, case["workers"], case.get("fates"), case.get("seed", 0))
    context = fake_context(store, recorder)
    report = carry_out_plan(fake_plan(case["stages"]), context, pool, LIMITS, pool.clock)
    return report, pool, recorder


def _ending(fates: list[str]) -> tuple[str, int]:
    """How a stage ends, and after how many attempts, if all it needs is there."""
    losses = 0
    for number, fate in enumerate([*fates, RUNS], 1):
        if fate in (RUNS, FAILS):
            return {RUNS: "ran", FAILS: "failed"}[fate], number
        losses += fate in (DIES, HANGS)
        if losses > LIMITS.retries:
            return "failed", number
    raise AssertionError


@given(cases())
def test_every_stage_ends_as_its_fate_and_its_needs_say(case: dict[str, Any]) -> None:
    report, pool, recorder = _walk(case)
    assert [*report.outcomes] == [stage.key for stage in case["stages"]]
    endings = {key: outcome.ending for key, outcome in report.outcomes.items()}
    for stage in case["stages"]:
        if stage.key in case["stored"]:
            expected, attempts = "reused", 0
        elif any(endings[need.key] in ("failed", "skipped") for need in stage.needs):
            expected, attempts = "skipped", 0
        else:
            expected, attempts = _ending(case["fates"][stage.key])
        assert (endings[stage.key], pool.attempts[stage.key]) == (expected, attempts)
    assert dict(recorder.finished) == {
        key: ending for key, ending in endings.items() if ending != "reused"
    }
    assert len(recorder.finished) == len(dict(recorder.finished))  # each stage is told once
    assert recorder.started == pool.order


@given(graphs(), st.integers(1, 4))
def test_no_worker_is_idle_while_a_stage_is_ready(stages: list[FakeStage], workers: int) -> None:
    _, pool, _ = _walk({"stages": stages, "workers": workers})
    at_the_start = sum(not stage.needs for stage in stages)
    assert pool.peak >= min(workers, at_the_start)


@given(graphs())
def test_one_worker_keeps_the_plans_order(stages: list[FakeStage]) -> None:
    _, pool, _ = _walk({"stages": stages, "workers": 1})
    ready_first = [stage.key for stage in stages]
    keys: set[str] = set()
    for key in pool.order:
        ready = [
            stage.key
            for stage in stages
            if stage.key not in keys and {need.key for need in stage.needs} <= keys
        ]
        assert key == ready[0]
        keys.add(key)
    assert keys == {*ready_first}


def test_a_lost_stage_goes_to_another_worker() -> None:
    case = {"stages": [FakeStage("a")], "fates": {"a": [DIES]}, "workers": 1}
    report, pool, recorder = _walk(case)
    assert report.outcomes["a"].ending == "ran"
    assert pool.workers_of["a"] == ["w0", "w1"]
    assert recorder.messages == ["m · do a is tried again: killed"]


def test_one_that_hangs_is_stopped_after_the_stated_time() -> None:
    case = {"stages": [FakeStage("a")], "fates": {"a": [HANGS, HANGS]}, "workers": 1}
    report, pool, _ = _walk(case)
    assert report.outcomes["a"].reason == "lost 2 times with its worker: no progress for 6 seconds"
    assert 2 * 5 < pool.now < 2 * 7


def test_the_reason_is_noted_beside_the_stage(tmp_path: Path) -> None:
    store, recorder = FakeStore(tmp_path), Recorder()
    pool = FakePool(store, 1, {"a": [DIES, DIES]})
    plan = fake_plan([FakeStage("a")])
    report = carry_out_plan(plan, fake_context(store, recorder), pool, LIMITS, pool.clock)
    log = report.outcomes["a"].log
    assert log == tmp_path / "a" / "failure.txt"
    assert log.read_text() == "m · do a\n\nlost 2 times with its worker: killed\n"


def test_a_taken_stage_is_asked_for_later_and_later() -> None:
    stages = [FakeStage("a"), FakeStage("b")]
    case = {"stages": stages, "fates": {"a": [IS_TAKEN] * 8}, "workers": 1}
    report, pool, recorder = _walk(case)
    assert pool.order[:2] == ["a", "b"]
    assert recorder.waiting == ["a"] * 8
    assert report.count("ran") == 2
    assert 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 5 + 5 < pool.now < 17


def test_debug_stops_at_the_first_failure() -> None:
    store = FakeStore(NOWHERE)
    pool = FakePool(store, 1, {"a": [FAILS]})
    plan = fake_plan([FakeStage("a"), FakeStage("b")])
    with pytest.raises(StageError, match="m · do a: oops"):
        carry_out_plan(plan, fake_context(store, Recorder(), debug=True), pool, LIMITS, pool.clock)
    assert pool.order == ["a"]
