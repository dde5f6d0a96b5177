"""Hub models whose branch moves: what was planned is what is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from tests.hf.hubs import new_process
from xharness.errors import UnavailableError
from xharness.plugin.api import RunEnvironment
from xharness_hf.config.fingerprint import fingerprint
from xharness_hf.config.options import Options
from xharness_hf.files import hub
from xharness_hf.translation import HfTranslator, TranslatorOptions, _model_folder

FIRST, SECOND = "1" * 40, "2" * 40


@dataclass
class Moving:
    """A hub whose main is another commit each time somebody asks."""

    root: Path
    commits: list[str] = field(default_factory=lambda: [FIRST, SECOND])
    fetched: list[str] = field(default_factory=list)

    def model_info(self, name: str, **options: Any) -> Any:
        if not self.commits:
            raise ConnectionError
        return type("Info", (), {"sha": self.commits.pop(0)})

    def snapshot_download(self, name: str, *, revision: str, **options: Any) -> str:
        self.fetched.append(revision)
        folder = self.root / f"models--{name.replace('/', '--')}" / "snapshots" / revision
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)


@pytest.fixture
def moving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moving]:
    """It, in place of the real one, and asked by a process that has asked nothing yet."""
    found = Moving(tmp_path / "hub")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(found.root))
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: found)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", found.snapshot_download)
    new_process()
    yield found
    new_process()


def test_the_commit_that_was_planned_is_loaded(moving: Moving, tmp_path: Path) -> None:
    environment, options = RunEnvironment(cache=tmp_path), Options(hub="org/moving")
    planned = fingerprint(options, environment)
    assert hub.snapshot(options, environment).name == FIRST
    assert moving.fetched == [FIRST]
    assert fingerprint(options, environment) == planned
    pinned = Options(hub="org/moving", revision=FIRST)
    assert fingerprint(pinned, environment) == planned


def test_a_translator_is_loaded_as_it_was_planned(moving: Moving, tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path)
    options = TranslatorOptions(hub="org/{source}-{target}")
    HfTranslator().fingerprint(options, "en", "fr", environment)
    assert _model_folder(options.model("en", "fr"), environment).name == FIRST
    HfTranslator().fingerprint(options, "en", "de", environment)
    assert _model_folder(options.model("en", "de"), environment).name == SECOND


def test_another_process_sees_that_the_branch_has_moved(moving: Moving, tmp_path: Path) -> None:
    environment, options = RunEnvironment(cache=tmp_path), Options(hub="org/moving")
    assert hub.commit(options, environment) == FIRST
    new_process()
    assert hub.commit(options, environment) == SECOND


def test_what_was_fetched_is_found_again_offline(moving: Moving, tmp_path: Path) -> None:
    options, offline = Options(hub="org/moving"), RunEnvironment(cache=tmp_path, offline=True)
    with pytest.raises(UnavailableError, match="not in the local cache"):
        hub.commit(options, offline)
    hub.snapshot(options, RunEnvironment(cache=tmp_path))
    assert hub.commit(options, offline) == FIRST
    new_process()
    moving.commits.clear()
    assert hub.commit(options, RunEnvironment(cache=tmp_path)) == FIRST
