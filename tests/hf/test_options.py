"""What a study may write, and what it is told when that cannot be."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.hf import tiny
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment
from xharness_hf.config.fingerprint import fingerprint
from xharness_hf.config.options import Options

SCRATCH = {"hidden": 32, "num_layers": 1, "heads": 2, "tokenizer": {"vocabulary": 300}}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "none is"),
        ({"path": "a", "hub": "b/c"}, "'path' and 'hub' are"),
        ({"path": "a", "revision": "main"}, "'revision' belongs to 'hub'"),
        ({"scratch": SCRATCH, "num_layers": 2}, "'scratch.num_layers'"),
        ({"scratch": SCRATCH | {"heads": 5}}, "multiple of 'heads'"),
        ({"hub": "./folder/of/mine"}, "a folder goes under 'path'"),
        ({"path": "a", "trust_remote_code": True}, "unknown key 'trust_remote_code'"),
        ({"path": "a", "num_layers": 0}, "greater than 0"),
    ],
)
def test_options_that_cannot_be(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Options.model_validate(values)


def _told(folder: Path, base: Path = Path(), **options: Any) -> str:
    environment = RunEnvironment(cache=folder / "cache", base=base, offline=True)
    with pytest.raises((UnavailableError, ConfigurationError)) as caught:
        tiny.BACKEND.fingerprint(Options.model_validate(options), environment)
    return str(caught.value)


def test_a_missing_folder_says_what_paths_count_from(tmp_path: Path) -> None:
    message = _told(tmp_path, tmp_path, path="models/none")
    assert "there is no such model folder" in message
    assert f"counts from {tmp_path.resolve()}" in message


def test_a_folder_without_a_model_says_what_is_expected(tmp_path: Path) -> None:
    assert "expected a config.json beside model.safetensors" in _told(tmp_path, path=tmp_path)


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert "no weights; expected model.safetensors\n  fetch" in _told(tmp_path, path=tmp_path)


def test_pickled_weights_are_named_with_the_option_that_loads_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").touch()
    message = _told(tmp_path, path=tmp_path)
    assert "pytorch_model.bin; 'weights: any' loads it without running code" in message


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").touch()
    assert "shard model-2.safetensors is missing" in _told(tmp_path, path=tmp_path)


def test_offline_hub_models_say_how_to_fetch_them(tmp_path: Path) -> None:
    message = _told(tmp_path, hub="no-one/nothing-of-this-name")
    assert "hf download no-one/nothing-of-this-name --revision main" in message


def test_a_pinned_commit_is_an_identity_without_a_network(tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path, offline=True)
    pinned = Options(hub="org/name", revision=COMMIT)
    assert fingerprint(pinned, environment) == fingerprint(pinned, environment)
    assert fingerprint(pinned, environment) != fingerprint(
        pinned.model_copy(update={"num_layers": 3}), environment
    )


def test_a_branch_is_resolved_in_the_local_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    ref = tmp_path / "models--org--name" / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_text(COMMIT)
    environment = RunEnvironment(cache=tmp_path, offline=True)
    branch, pinned = Options(hub="org/name"), Options(hub="org/name", revision=COMMIT)
    assert fingerprint(branch, environment) == fingerprint(pinned, environment)


def test_the_identity_is_that_of_the_bytes(tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path / "cache", base=tmp_path)
    one, second = tiny.bert(tmp_path / "one"), tiny.bert(tmp_path / "two")
    first = fingerprint(Options(path=one), environment)
    assert fingerprint(Options(path=second), environment) == first
    assert fingerprint(Options(path=Path("two")), environment) == first
    assert fingerprint(Options(path=second, num_layers=1), environment) != first
    (second / "README.md").write_text("prose changes no answer")
    assert fingerprint(Options(path=second), environment) == first
    (second / "model.safetensors").write_bytes(b"other weights")
    assert fingerprint(Options(path=second), environment) != first


def test_unchanged_files_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = RunEnvironment(cache=tmp_path / "cache")
    options = Options(path=tiny.bert(tmp_path / "model"))
    first = fingerprint(options, environment)
    monkeypatch.setattr(
        "xharness_hf.files.digests.file_digest", lambda file: pytest.fail(str(file))
    )
    assert fingerprint(options, environment) == first


def test_the_identity_of_a_scratch_model_is_its_specification(tmp_path: Path) -> None:
    environment = RunEnvironment(cache=tmp_path)
    options = Options.model_validate({"scratch": SCRATCH})
    wider = Options.model_validate({"scratch": SCRATCH | {"hidden": 64}})
    assert fingerprint(options, environment) == fingerprint(options, environment)
    assert fingerprint(wider, environment) != fingerprint(options, environment)


def test_gguf_without_its_package_answers_with_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    environment = RunEnvironment(cache=tmp_path / "cache", base=tmp_path)
    with pytest.raises(UnavailableError, match=r'pip install "xharness-eval\[gguf\]"'):
        tiny.BACKEND.start(Options(gguf=Path("model.gguf")), environment, "cpu")


def test_a_missing_gguf_file_is_named(tmp_path: Path) -> None:
    assert "no such GGUF file" in _told(tmp_path, tmp_path, gguf="none.gguf")


def test_a_damaged_gguf_file_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the extra 'gguf' is not installed")
    (tmp_path / "model.gguf").write_bytes(b"GGUF and then nonsense")
    environment = RunEnvironment(cache=tmp_path / "cache", base=tmp_path)
    with pytest.raises(UnavailableError, match="the GGUF file cannot be read"):
        tiny.BACKEND.start(Options(gguf=Path("model.gguf")), environment, "cpu")
    assert not list((tmp_path / "cache" / "gguf").iterdir())


def test_offering_and_identifying_import_nothing_heavy(bert: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xharness.plugin.api import RunEnvironment\n"
        "from xharness_hf.plugin import xharness_backends\n"
        "(backend,) = xharness_backends()\n"
        f"options = backend.options(path={str(bert)!r})\n"
        "backend.fingerprint(options, RunEnvironment(cache=Path(options.path) / 'cache'))\n"
        "heavy = {'torch', 'transformers', 'accelerate', 'tokenizers'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
