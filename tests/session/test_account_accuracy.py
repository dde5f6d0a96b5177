"""The account against receipts: time within a factor of 1.5, disk within 1.2."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from xharness import open_study
from xharness.session.store_contents import contents, readable_receipts

pytestmark = pytest.mark.slow

# Models as the demo has them: of others the tokenizer would be learnt from one task's few words.
SCRATCH = {
    "architecture": "bert", "hidden": 64, "intermediate": 128, "num_layers": 2, "heads": 2,
    "dropout": 0, "tokenizer": {"vocabulary": 4500},
}  # fmt: skip

PRETRAIN = {"corpus": "mini_parallel", "objectives": ["align"], "recipe": {"steps": 10}}


def _study(folder: Path) -> Path:
    study: dict[str, Any] = {
        "name": "small",
        "models": [
            {"name": "small", "scratch": SCRATCH, "pretrain": PRETRAIN},
            {"name": "large", "scratch": SCRATCH | {"hidden": 128}, "pretrain": PRETRAIN},
        ],
        "strategies": ["single", "multitask"],
        "targets": ["mini_topic", "mini_ner"],
        "seeds": [1, 2, 3],
        "recipe": {"steps": 30, "batch_size": 24, "max_length": 96},
        "runtime": {"keep": "all"},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return path


def _seconds(store: Path) -> float:
    return sum(receipt.facts["seconds"] for receipt in readable_receipts(store))


def test_the_account_is_right_about_time_and_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XHARNESS_CACHE", str(tmp_path / "cache"))
    # Processor seconds in the receipts: else whatever runs beside the test decides.
    clock = import_module("xharness.executor.attempt")
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=time.process_time))
    path, store = _study(tmp_path), tmp_path / "store"
    opening = {"store": store, "output": tmp_path / "out"}
    disk = open_study(path, **opening).account().peak_kept
    open_study(path, seeds=1, **opening).run()
    first_seconds = _seconds(store)
    expected = open_study(path, **opening).account().total.seconds
    open_study(path, **opening).run()
    seconds = _seconds(store) - first_seconds
    assert 1 / 1.5 < expected / seconds < 1.5, (expected, seconds)
    byte_count = sum(stage.bytes for stage in contents(store))
    assert 1 / 1.2 < disk / byte_count < 1.2, (disk, byte_count)
