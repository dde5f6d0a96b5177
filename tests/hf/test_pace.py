"""The pace of a device, as `xharness doctor --speed` measures it."""

from __future__ import annotations

import pytest
import torch

from xharness_hf import pace
from xharness_hf.plugin import HfBackend


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_SECONDS", 0.02)
    monkeypatch.setitem(pace._SHAPES, "cpu", pace._Shape(96, 2))


def test_a_processor_has_a_pace_in_fp32_and_in_bf16() -> None:
    paces = HfBackend().paces("cpu")
    assert set(paces) == {"fp32", "bf16"}
    for measured in paces.values():
        assert measured.operations_per_second > 0 and measured.seconds_per_step > 0
        assert measured.seconds_per_parameter >= 0


def test_parts_of_a_step_add_up_to_what_was_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = pace._Encoder(96, torch.device("cpu")).backbone.sizes()
    truth = {"step": 0.01, "parameter": 1e-8, "operation": 1e-11}

    def seconds_a_step(encoder: pace._Encoder, length: int, recipe: object) -> float:
        is_narrow = encoder.backbone.width == pace._NARROW
        operations = 6 * wide.non_embedding * 2 * length
        work = truth["parameter"] * wide.total + truth["operation"] * operations
        return truth["step"] + (0 if is_narrow else work)

    monkeypatch.setattr(pace._Encoder, "seconds_a_step", seconds_a_step)
    measured = HfBackend().paces("cpu")["fp32"]
    assert measured.seconds_per_step == pytest.approx(truth["step"])
    assert measured.seconds_per_parameter == pytest.approx(truth["parameter"])
    assert measured.operations_per_second == pytest.approx(1 / truth["operation"])


def test_a_step_takes_what_the_quickest_stretch_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four that warm up, then twelve of which others disturb all but the last three.
    moments = iter([0, 9, 18, 27, *range(28, 52, 2), *(51, 52, 53)])
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(moments))
    clock = pace._Clock()
    for count in range(19):
        clock.note(count, 19)
    assert clock.seconds_a_step() == 1
