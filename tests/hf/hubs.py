"""A hub in place of the real one: what it holds is what a test says, what is asked is noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from xharness_hf.files import hub

COMMIT = "c" * 40


class RemoteEntryNotFoundError(Exception):
    """Called as the hub's library calls it."""


class GatedRepoError(Exception):
    """Called as the hub's library calls it."""


@dataclass
class Hub:
    """Files of models by model and name; every branch is at `COMMIT`; weights are never given."""

    root: Path
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def model_info(self, name: str, **options: Any) -> Any:
        self.resolved.append(name)
        if name not in self.files and name not in self.failures:
            raise ConnectionError
        return type("Info", (), {"sha": COMMIT})

    def hf_hub_download(self, name: str, file: str, *, revision: str) -> str:
        self.asked.append((name, file, revision))
        if name in self.failures:
            raise self.failures[name]
        if file not in self.files[name]:
            raise RemoteEntryNotFoundError
        path = self.root / f"models--{name.replace('/', '--')}" / "snapshots" / revision / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.files[name][file], encoding="utf-8")
        return str(path)

    def snapshot_download(self, name: str, **options: Any) -> str:
        raise AssertionError(f"all files of {name} were asked for")


def stubbed(root: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with nothing on it and an empty cache in `root`, in place until the test ends."""
    found = Hub(root)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: found)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", found.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", found.snapshot_download)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")  # `--offline` sets them for its whole process
    new_process()
    return found


def new_process() -> None:
    """Forget what was asked, as a new process has."""
    for question in (hub._resolve, hub._ask_hub, hub._file):
        question.cache_clear()
