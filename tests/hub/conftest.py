"""No test here may reach the network, and none may leave traces in the user's caches."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_files import write_parquet

from xharness.plugin.api import RunEnvironment, Source, SourceRequest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError(f"a socket was opened: {args}")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture(autouse=True)
def offline_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test turns on is off again afterwards."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")


@pytest.fixture(scope="session")
def hf_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hf")


@pytest.fixture
def reading(hf_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that read rows through `datasets`."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", hf_cache)


@pytest.fixture
def environment(tmp_path: Path) -> RunEnvironment:
    return RunEnvironment(
        data_root=tmp_path / "root", cache=tmp_path / "cache", base=tmp_path / "study"
    )


@pytest.fixture
def ask(environment: RunEnvironment) -> Callable[..., SourceRequest]:
    """A request to `source`: its options, checked, and a split."""

    def request(
        source: Source, split: str = "test", within: RunEnvironment = environment, **options: Any
    ) -> SourceRequest:
        return SourceRequest(source.options.model_validate(options), "en", split, within)

    return request


README = """---
configs:
- config_name: en
  default: true
  data_files:
  - split: train
    path: en/train-*.parquet
  - split: test
    path: [en/test.parquet]
- config_name: sw
  data_files:
  - split: test
    path: sw/test.parquet
---
"""


@pytest.fixture
def clone(environment: RunEnvironment) -> Path:
    """A small clone of `org/name` in the data root."""
    assert environment.data_root is not None
    folder = environment.data_root / "org" / "name"
    write_parquet(folder / "en/train-0.parquet", text=["a", "b"], label=[0, 1])
    write_parquet(folder / "en/train-1.parquet", text=["c"], label=[1])
    write_parquet(folder / "en/test.parquet", text=["d"], label=[0])
    write_parquet(folder / "sw/test.parquet", text=["e"], label=[1])
    (folder / "README.md").write_text(README)
    return folder
