"""What a hub model can do, and its size, are known before its weights are fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.hf import tiny
from tests.hf.hubs import COMMIT, GatedRepoError, Hub, new_process, stubbed
from xharness.cli import app
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import CapabilityQuery, Objective, Recipe, RunEnvironment
from xharness_hf.config.options import Options

LLAMA, T5 = '{"model_type": "llama"}', '{"model_type": "mt5"}'
OFFLINE = RunEnvironment(offline=True)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    yield stubbed(tmp_path / "hub", monkeypatch)
    new_process()


def _why(
    name: str,
    objective: Objective = "mlm",
    environment: RunEnvironment | None = None,
    **changes: Any,
) -> str | None:
    query = CapabilityQuery(tiny.feed("classification").card, "classification", objective, Recipe())
    options = Options(hub=name, **changes)
    return tiny.BACKEND.unsupported(options, query, environment or RunEnvironment())


def test_the_configuration_alone_is_fetched_at_the_planned_commit_once(hub: Hub) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    for _ in range(3):
        assert "'llama' reads left to right" in str(_why("org/llama"))
    assert hub.resolved == ["org/llama"]
    assert hub.asked == [("org/llama", "config.json", COMMIT)]


def test_a_pinned_commit_is_fetched_without_asking_for_it(hub: Hub) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    assert _why("org/llama", revision="a" * 40)
    assert hub.resolved == []
    assert hub.asked == [("org/llama", "config.json", "a" * 40)]


def test_what_is_in_the_cache_is_not_asked_for_again(hub: Hub) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    assert _why("org/llama")
    new_process()
    assert _why("org/llama")
    assert len(hub.asked) == 1


def test_what_needs_no_configuration_fetches_none(hub: Hub) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    assert _why("org/llama", "task") is None
    assert tiny.BACKEND.fingerprint(Options(hub="org/llama"), RunEnvironment())
    assert hub.asked == []


def test_an_encoder_that_is_to_write_is_refused_before_it_is_fetched(hub: Hub) -> None:
    hub.files["org/bert"] = {"config.json": '{"model_type": "bert"}'}
    with pytest.raises(ConfigurationError, match="org/bert: 'bert' is an encoder"):
        tiny.BACKEND.fingerprint(Options(hub="org/bert", mode="generate"), RunEnvironment())


@pytest.mark.parametrize("masked", [False, True])
def test_files_of_the_tokenizer_tell_of_masks(hub: Hub, masked: bool) -> None:
    files = {"config.json": T5, "tokenizer.json": '["<mask>"]' if masked else "[]"}
    hub.files["org/mt5"] = files
    reason = _why("org/mt5")
    assert reason is None if masked else "'mt5' has no mask token" in str(reason)
    asked = [file for _, file, _ in hub.asked]
    assert asked[0] == "config.json" and asked[-1] == "tokenizer.json"
    _why("org/mt5")
    assert len(hub.asked) == len(set(hub.asked)) == len(asked)
    assert all(revision == COMMIT for _, _, revision in hub.asked)


def test_a_tokenizer_that_is_not_here_tells_nothing(hub: Hub) -> None:
    hub.files["org/mt5"] = {"config.json": T5, "tokenizer.json": "[]"}
    assert _why("org/mt5", "align") is None
    assert [file for _, file, _ in hub.asked] == ["config.json"]
    assert _why("org/mt5", environment=OFFLINE) is None


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (GatedRepoError(), r"hub model 'org/gone' at c+: .*GatedRepoError.*\n.*accept its terms"),
        (ConnectionError(), r"ConnectionError.*\n.*hf download org/gone"),
    ],
)
def test_why_it_cannot_be_fetched_is_asked_once(hub: Hub, failure: Exception, message: str) -> None:
    hub.failures["org/gone"] = failure
    for _ in range(2):
        with pytest.raises(UnavailableError, match=message):
            _why("org/gone")
        with pytest.raises(UnavailableError, match=message):
            tiny.BACKEND.sizes(Options(hub="org/gone"), RunEnvironment())
    assert hub.resolved == ["org/gone"] and len(hub.asked) == 1


def test_a_hub_that_does_not_answer_is_asked_once(hub: Hub) -> None:
    for _ in range(2):
        with pytest.raises(UnavailableError, match="ConnectionError"):
            _why("org/nowhere")
    assert hub.resolved == ["org/nowhere"] and hub.asked == []


def test_offline_nobody_is_asked(hub: Hub) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    assert _why("org/llama", environment=OFFLINE) is None
    assert tiny.BACKEND.sizes(Options(hub="org/llama"), OFFLINE) is None
    assert hub.resolved == hub.asked == []
    assert _why("org/llama")
    assert "reads left to right" in str(_why("org/llama", environment=OFFLINE))


def test_a_model_without_configuration_tells_nothing(hub: Hub) -> None:
    hub.files["org/bare"] = {}
    assert _why("org/bare") is None
    assert tiny.BACKEND.sizes(Options(hub="org/bare"), RunEnvironment()) is None


def test_sizes_are_those_of_the_loaded_model(hub: Hub, bert: Path) -> None:
    text = (bert / "config.json").read_text(encoding="utf-8")
    hub.files["org/bert"] = {"config.json": text}
    sizes = tiny.BACKEND.sizes(Options(hub="org/bert"), RunEnvironment())
    assert sizes == tiny.start(bert).sizes()
    assert hub.asked == [("org/bert", "config.json", COMMIT)]


@pytest.mark.parametrize(
    "config", ["{", '{"model_type": "new"}', '{"model_type": "bert", "hidden_size": 7}']
)
def test_a_configuration_of_no_model_has_no_size(hub: Hub, config: str) -> None:  # fmt: skip
    hub.files["org/odd"] = {"config.json": config}
    with pytest.raises(UnavailableError, match=r"config\.json: the configuration cannot be read"):
        tiny.BACKEND.sizes(Options(hub="org/odd"), RunEnvironment())


def _study(folder: Path, *names: str) -> list[str]:
    masked = {"corpus": "mini_parallel", "ratio": 0.5, "languages": ["de"]}
    values = {
        "name": "hub",
        "models": [{"name": name, "hub": f"org/{name}"} for name in names],
        "strategies": [{"name": "mixed", "strategy": "single", "mlm": masked}],
        "targets": [
            {"task": task, "languages": ["en"], "limit": 6} for task in ("mini_topic", "mini_qa")
        ],
        "seeds": [1, 2],
        "recipe": {"steps": 2},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return [str(folder / "study.yaml"), "--store", str(folder / "store")]


def test_a_plan_refuses_asking_once_for_all_arms(hub: Hub, tmp_path: Path) -> None:
    hub.files["org/llama"] = {"config.json": LLAMA}
    hub.failures["org/gated"] = GatedRepoError()
    words = ["plan", *_study(tmp_path, "llama", "gated"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3, result.output
    reasons = {row["model"]: row["reason"] for row in json.loads(result.stdout)["missing"]}
    assert "'llama' reads left to right" in reasons["llama"]
    assert "GatedRepoError" in reasons["gated"]
    assert hub.resolved == ["org/llama", "org/gated"]
    assert [name for name, _, _ in hub.asked] == ["org/llama", "org/gated"]


def test_the_list_of_a_study_has_sizes_or_says_why_not(
    hub: Hub, bert: Path, tmp_path: Path
) -> None:
    text = (bert / "config.json").read_text(encoding="utf-8")
    hub.files["org/bert"] = {"config.json": text}
    hub.failures["org/gated"] = GatedRepoError()
    words = ["models", "list", *_study(tmp_path, "bert", "gated"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    counts = {row["model"]: row["parameters"] for row in json.loads(result.stdout)}
    assert counts == {"bert": tiny.start(bert).sizes().total, "gated": None}
    assert result.stderr.count("no sizes of 'gated': hub model 'org/gated'") == 1
    assert len(hub.asked) == 2
