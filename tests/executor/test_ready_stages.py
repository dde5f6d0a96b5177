"""Which of the stages that can start a worker takes: the plan's first, or one for its model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.executor import ready_stages
from xharness.executor.ready_stages import ReadyStages


def _stages(models: list[str], monkeypatch: pytest.MonkeyPatch) -> ReadyStages:
    """A queue of stages that start from `models`, by the order in which they stand in a plan."""
    monkeypatch.setattr(ready_stages, "starting_model", lambda stage: stage.model)
    ready = ReadyStages()
    for position in reversed(range(len(models))):
        stage: Any = SimpleNamespace(key=f"{position}", model=models[position])
        ready.add(position, stage)
    return ready


def _taken(ready: ReadyStages, loaded_model: str | None) -> int:
    stage = ready.take(loaded_model)
    assert stage is not None
    return int(stage.key)


def test_a_worker_stays_with_its_model_where_that_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = _stages(["a", "b", "a", "b"], monkeypatch)
    assert [_taken(ready, "b") for _ in range(4)] == [1, 3, 0, 2]
    assert ready.take("b") is None


def test_what_is_far_back_in_the_plan_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    models = ["a"] * (ready_stages._NEAR + 2) + ["b"]
    ready = _stages(models, monkeypatch)
    assert [_taken(ready, "b") for _ in range(3)] == [0, 1, len(models) - 1]


@given(st.lists(st.sampled_from("abc"), max_size=150), st.data())
def test_each_stage_is_taken_once_and_none_is_passed_over_by_far(
    models: list[str], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        ready = _stages(models, patch)
        left = set(range(len(models)))
        while left:
            position = _taken(ready, data.draw(st.sampled_from("abcd")))
            assert position - min(left) <= ready_stages._NEAR
            left.remove(position)
        assert len(ready) == 0
