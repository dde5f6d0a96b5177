"""Receipts that the benchmark writes are read as those of a run are."""

from __future__ import annotations

import pytest

from benchmarks import scale


def test_all_stages_count_as_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = scale.study(1) | {"strategies": ["single"], "seeds": [1]}
    monkeypatch.setattr(scale, "study", lambda models: small)
    scale.main("plan", 1)
    scale.main("finished", 1)
    counts = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(counts) == 3 and len({*counts}) == 1
    assert counts[0] > 10
