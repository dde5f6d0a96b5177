"""The source `hub`: clones in a data root, and downloads from a stub of the hub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from hub_files import write_parquet
from pydantic import ValidationError
from tests.cli.project import invoke

from xharness.errors import UnavailableError
from xharness.plugin.api import RunEnvironment, SourceRequest
from xharness_hub.hub import HubOptions, HubSource
from xharness_hub.remote import HuggingFace

Ask = Callable[..., SourceRequest]
OLD, NEW = "a" * 40, "b" * 40


@dataclass
class Stub:
    """A hub with one data set, whose main branch can move; keeps what was downloaded."""

    published: Path
    cache: Path
    head: str = OLD
    calls: list[str] = field(default_factory=list)

    def commit(self, dataset: str, revision: str | None) -> str:
        self.calls.append(f"commit {revision}")
        if dataset != "org/name":
            raise UnavailableError(f"data set '{dataset}' does not exist, or is private")
        return self.head

    def download(
        self, dataset: str, commit: str, patterns: Sequence[str] | None, offline: bool
    ) -> Path:
        folder = self.cache / commit
        if not offline:
            self.calls.append(f"download {commit[0]} {patterns}")
            for path in self.published.rglob("*"):
                name = path.relative_to(self.published).as_posix()
                matched = patterns is None or any(
                    fnmatchcase(name, pattern) for pattern in patterns
                )
                if path.is_file() and matched:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, folder / name)
        elif not folder.is_dir():
            raise UnavailableError(f"data set '{dataset}' was never downloaded")
        return folder


@pytest.fixture
def stub(clone: Path, tmp_path: Path) -> Stub:
    return Stub(clone.rename(tmp_path / "published"), tmp_path / "hub-cache")


# --- clones in the data root --------------------------------------------------------------------


@pytest.mark.usefixtures("reading", "clone")
def test_rows_of_a_clone(ask: Ask) -> None:
    source = HubSource()
    request = ask(source, "train", id="org/name", config="en")
    expected = [{"text": "a", "label": 0}, {"text": "b", "label": 1}, {"text": "c", "label": 1}]
    assert list(source.rows(request)) == expected
    assert list(source.rows(request)) == expected
    assert [row["text"] for row in source.rows(ask(source, id="org/name"))] == ["d"]


@pytest.mark.usefixtures("reading")
def test_a_config_does_not_need_the_files_of_others(ask: Ask, clone: Path) -> None:
    shutil.rmtree(clone / "en")
    source = HubSource()
    rows = source.rows(ask(source, id="org/name", config="sw"))
    assert list(rows) == [{"text": "e", "label": 1}]


@pytest.mark.usefixtures("reading")
def test_clones_of_other_formats(ask: Ask, environment: RunEnvironment) -> None:
    assert environment.data_root is not None
    folder = environment.data_root / "org" / "text"
    folder.mkdir(parents=True)
    (folder / "te.jsonl").write_text('{"a": "x"}\n{"a": "y"}\n')
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - {split: train, path: absent.jsonl}\n  - {split: test, path: te.jsonl}\n---\n"
    )
    source = HubSource()
    request = ask(source, id="org/text")
    assert list(source.rows(request)) == [{"a": "x"}, {"a": "y"}]


@pytest.mark.usefixtures("reading")
def test_a_clone_that_declares_nothing(ask: Ask, clone: Path) -> None:
    (clone / "README.md").unlink()
    shutil.rmtree(clone / "sw")
    source = HubSource()
    assert [row["text"] for row in source.rows(ask(source, id="org/name"))] == ["d"]
    with pytest.raises(UnavailableError, match="'dev' of data set 'org/name' cannot be read"):
        source.rows(ask(source, "dev", id="org/name"))


@pytest.mark.usefixtures("reading")
def test_an_empty_split_and_a_broken_file(ask: Ask, clone: Path) -> None:
    source = HubSource()
    write_parquet(clone / "en/test.parquet", text=[], label=[])
    with pytest.raises(UnavailableError, match="split 'test' of data set 'org/name' is empty"):
        source.rows(ask(source, id="org/name"))
    (clone / "sw/test.parquet").write_bytes(b"no parquet")
    with pytest.raises(UnavailableError, match="cannot be read"):
        source.rows(ask(source, id="org/name", config="sw"))


def test_the_fingerprint_follows_the_bytes_of_the_split(ask: Ask, clone: Path) -> None:
    source = HubSource()

    def fingerprint(split: str) -> str:
        return source.fingerprint(ask(source, split, id="org/name"))

    test, train = fingerprint("test"), fingerprint("train")
    assert test != train
    write_parquet(clone / "en/train-1.parquet", text=["other"], label=[1])
    assert fingerprint("test") == test
    assert fingerprint("train") != train


def test_the_fingerprint_is_golden(ask: Ask, environment: RunEnvironment) -> None:
    assert environment.data_root is not None
    folder = environment.data_root / "org" / "name"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("---\nconfigs:\n- {config_name: x, data_files: x.csv}\n---\n")
    (folder / "x.csv").write_bytes(b"a\n1\n")
    source = HubSource()
    fingerprint = source.fingerprint(ask(source, "train", id="org/name"))
    assert fingerprint == "4f582583a25a7b0fa679952b6c897a52"


def test_the_fingerprint_needs_no_heavy_library(clone: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from xharness.plugin.api import SourceRequest, RunEnvironment
from xharness_hub.plugin import xharness_sources
source = next(one for one in xharness_sources() if one.name == "hub")
around = RunEnvironment(data_root=Path({str(clone.parents[1])!r}), cache=Path({str(tmp_path)!r}))
print(source.fingerprint(SourceRequest(source.options(id="org/name"), "en", "test", around)))
heavy = {{"datasets", "torch", "transformers", "huggingface_hub", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.strip()) == 32


@pytest.mark.parametrize(
    "name", ["../x", "org/..", "org/../x", "/org/name", "org", "org/name/x", "./x", "org\\name/x"]
)
def test_names_that_could_leave_the_root_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="not the id of a data set"):
        HubOptions(id=name)


@pytest.mark.parametrize("config", ["..", "a/../../b", "/etc", ""])
def test_configs_that_could_leave_the_clone_are_refused(config: str) -> None:
    with pytest.raises(ValidationError, match="not the name of a config"):
        HubOptions(id="org/name", config=config)


def test_a_card_is_checked_before_its_blanks_are_filled() -> None:
    HubOptions(id="org/name-{language}", config="{code}")


# --- the hub ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("reading")
def test_a_download_fetches_the_split_alone_and_holds_it(
    ask: Ask, stub: Stub, environment: RunEnvironment
) -> None:
    source = HubSource(stub)
    request = ask(source, id="org/name", config="sw")
    fingerprint = source.fingerprint(request)
    assert stub.calls == ["commit None"]
    assert list(source.rows(request)) == [{"text": "e", "label": 1}]
    assert stub.calls[1:] == [
        "download a ['README.md', 'name.py']", "download a ('sw/test.parquet',)",
    ]  # fmt: skip
    entries = json.loads((environment.base / "xharness.lock").read_text())["datasets"]
    assert entries["org/name@main"]["commit"] == OLD
    assert list(entries["org/name@main"]["files"]) == ["sw/test.parquet"]

    stub.head = NEW
    assert source.fingerprint(request) == fingerprint, "the lock holds the first commit"
    assert list(source.rows(request)) == [{"text": "e", "label": 1}]
    assert not (stub.cache / NEW).exists()


@pytest.mark.usefixtures("reading")
def test_a_download_that_changed_is_refused_until_accepted(
    ask: Ask, stub: Stub, environment: RunEnvironment
) -> None:
    source = HubSource(stub)
    request = ask(source, id="org/name", config="sw")
    list(source.rows(request))
    write_parquet(stub.published / "sw/test.parquet", text=["forged"], label=[0])
    with pytest.raises(UnavailableError, match=r"'sw/test\.parquet' has changed") as caught:
        source.rows(request)
    assert "delete the entry 'datasets: org/name@main'" in str(caught.value)
    (environment.base / "xharness.lock").unlink()
    assert [row["text"] for row in source.rows(request)] == ["forged"]


@pytest.mark.usefixtures("reading")
def test_a_card_is_proposed_for_all_languages_of_a_data_set(
    ask: Ask, stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HubSource(stub)
    assert {*source.config_names(ask(source, id="org/name"))} == {"en", "sw", "default"}
    assert stub.calls[1:] == ["download a ['README.md', 'name.py']"]
    for method in ("commit", "download"):
        replacement = getattr(stub, method)
        monkeypatch.setattr(HuggingFace, method, lambda _, *words, do=replacement: do(*words))
    for config in ([], ["--config", "en"], ["--config", "sw"]):
        name = "_".join(["mine", *config[1:]])
        result = invoke(tmp_path, "new", "card", name, "--from-hub", "org/name", *config)
        assert result.exit_code == 0, result.stderr
        card = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
        assert card["languages"] == ["en", "sw"]
        assert card["sources"][0]["config"] == "{language}"


def test_a_pinned_commit_asks_nobody(ask: Ask, stub: Stub, environment: RunEnvironment) -> None:
    source = HubSource(stub)
    old = source.fingerprint(ask(source, id="org/name", revision=OLD))
    assert old != source.fingerprint(ask(source, id="org/name", revision=NEW))
    assert stub.calls == []
    assert not (environment.base / "xharness.lock").exists()


def test_a_branch_is_held_like_the_main_one(ask: Ask, stub: Stub) -> None:
    source = HubSource(stub)
    request = ask(source, id="org/name", revision="refs/convert/parquet")
    fingerprint = source.fingerprint(request)
    stub.head = NEW
    assert source.fingerprint(request) == fingerprint
    assert stub.calls == ["commit refs/convert/parquet"]


def test_names_are_checked_before_anything_is_fetched(ask: Ask, stub: Stub) -> None:
    source = HubSource(stub)
    with pytest.raises(UnavailableError, match="no config 'se'"):
        source.rows(ask(source, id="org/name", config="se"))
    with pytest.raises(UnavailableError, match="no split 'train'"):
        source.rows(ask(source, "train", id="org/name", config="sw"))
    assert not list(stub.cache.rglob("*.parquet"))


def test_scripts_are_never_run(ask: Ask, stub: Stub) -> None:
    (stub.published / "README.md").unlink()
    (stub.published / "name.py").write_text("raise SystemExit('run')")
    source = HubSource(stub)
    with pytest.raises(UnavailableError, match="remote code is never run"):
        source.rows(ask(source, id="org/name"))


def test_an_unknown_data_set(ask: Ask, stub: Stub, environment: RunEnvironment) -> None:
    source = HubSource(stub)
    with pytest.raises(UnavailableError, match="does not exist, or is private") as caught:
        source.fingerprint(ask(source, id="org/nmae"))
    assert f"looked at {environment.data_root}/org/nmae" in str(caught.value)


# --- offline ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [None, "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_offline_says_where_it_looked_and_how_to_make_a_clone(
    ask: Ask,
    stub: Stub,
    environment: RunEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
) -> None:
    if variable:
        monkeypatch.setenv(variable, "1")
    source = HubSource(stub)
    offline = replace(environment, offline=variable is None)
    with pytest.raises(UnavailableError, match="this run is offline") as caught:
        source.fingerprint(ask(source, within=offline, id="org/name"))
    folder = f"{environment.data_root}/org/name"
    assert f"looked at {folder}" in str(caught.value)
    command = f"hf download --repo-type dataset org/name --local-dir {folder}"
    assert command in str(caught.value)
    assert "XHARNESS_DATA_ROOT" not in str(caught.value)
    assert stub.calls == []
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["HF_DATASETS_OFFLINE"] == "1"


def test_offline_without_a_data_root(ask: Ask, stub: Stub, environment: RunEnvironment) -> None:
    source = HubSource(stub)
    offline = replace(environment, offline=True, data_root=None)
    with pytest.raises(UnavailableError) as caught:
        source.rows(ask(source, within=offline, id="org/name", revision="v1"))
    text = str(caught.value)
    assert "org/name --revision v1 --local-dir <root>/org/name" in text
    assert "neither --data-root nor XHARNESS_DATA_ROOT is set" in text
    assert "a card whose source is {from: file, path: FILE}" in text


@pytest.mark.usefixtures("reading")
def test_offline_after_a_download(ask: Ask, stub: Stub, environment: RunEnvironment) -> None:
    source = HubSource(stub)
    online = ask(source, id="org/name", config="sw")
    fingerprint, rows = source.fingerprint(online), list(source.rows(online))
    stub.calls.clear()
    offline = ask(source, within=replace(environment, offline=True), id="org/name", config="sw")
    assert source.fingerprint(offline) == fingerprint
    assert list(source.rows(offline)) == rows
    assert stub.calls == []


def test_offline_a_pinned_commit_must_be_there_when_planned(
    ask: Ask, stub: Stub, environment: RunEnvironment
) -> None:
    source = HubSource(stub)
    offline = replace(environment, offline=True)
    with pytest.raises(UnavailableError, match="never downloaded") as caught:
        source.fingerprint(ask(source, within=offline, id="org/name", revision=OLD))
    assert "hf download" in str(caught.value)


def test_the_real_hub_is_not_asked_when_offline(
    ask: Ask, environment: RunEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    source = HubSource()
    offline = replace(environment, offline=True)
    with pytest.raises(UnavailableError, match="never downloaded"):
        source.rows(ask(source, within=offline, id="org/name", revision=OLD))
