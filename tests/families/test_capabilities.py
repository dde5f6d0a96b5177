"""What a model cannot do is known before anything is loaded, as its files tell."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.families import zoo
from tests.families.conftest import Folder
from tests.families.test_adapters import REFUSED
from tests.hf import tiny
from xharness.cli import app
from xharness.errors import ConfigurationError
from xharness.plugin.api import CapabilityQuery, Objective, Recipe, RunEnvironment
from xharness_hf.config import families
from xharness_hf.config.capabilities import check_generates
from xharness_hf.config.configuration import ModelConfiguration
from xharness_hf.config.families import has_class, takes_past_key_values
from xharness_hf.config.options import Options

AROUND = RunEnvironment(offline=True)
NO_MASK_HERE = ("mbart", "nllb")  # the tiny tokenizers alone: the real ones have a mask token


def _told(options: Any, objective: Objective | None, **recipe: Any) -> str | None:
    card = tiny.feed("classification").card
    query = CapabilityQuery(card, "classification", objective, Recipe().changed(recipe))
    return tiny.BACKEND.unsupported(Options(**options), query, AROUND)


@pytest.mark.parametrize("family", zoo.EVERY)
@pytest.mark.parametrize("method", ["lora", "prompt", "prefix"])
def test_adapters_are_refused_as_the_loaded_model_would(
    method: str, family: str, folder: Folder
) -> None:
    reason = _told({"path": folder(family)}, "task", adapter=method)
    expected = REFUSED.get((method, family))
    assert (reason is None) == (expected is None)
    assert expected is None or expected in str(reason)


@pytest.mark.parametrize("family", sorted(zoo.EVERY.keys() - {*NO_MASK_HERE}))
def test_masked_words_are_refused_as_the_loaded_model_would(family: str, folder: Folder) -> None:
    model = tiny.start(folder(family))
    able = not model.backbone.causal and model.tokens.mask is not None and model.backbone.vocabulary
    assert (_told({"path": folder(family)}, "mlm") is None) == bool(able)
    assert (_told({"path": folder(family)}, "align") is None) == bool(model.backbone.vocabulary)
    assert _told({"path": folder(family)}, "task") is None
    assert _told({"path": folder(family)}, None) is None


@pytest.mark.parametrize(
    ("family", "encoder", "left_to_right"),
    [
        *((family, True, False) for family in ("bert", "xlm-roberta", "modernbert", "canine")),
        *((family, False, True) for family in ("llama", "qwen3", "gemma2", "bloom", "gpt2")),
        *((family, False, False) for family in ("t5", "mbart", "bart", "m2m_100", "xlnet")),
        *((family, False, False) for family in ("bert-generation", "unheard-of", "")),
    ],
)
def test_how_a_family_reads_is_told_by_the_sources(
    family: str, encoder: bool, left_to_right: bool
) -> None:
    model = ModelConfiguration({"model_type": family})
    assert (model.is_encoder, model.left_to_right) == (encoder, left_to_right)


def test_the_sources_say_what_transformers_says_of_its_text_models() -> None:
    from transformers import CONFIG_MAPPING, MODEL_MAPPING
    from transformers.models.auto import modeling_auto as auto

    masked, causal = auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES, auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    decided = 0
    for family in ("bert", "albert", "deberta-v2", "llama", "gemma3_text", "gpt2", "falcon", "phi"):
        assert has_class(family, "masked-lm") == (family in masked)
        assert has_class(family, "causal-lm") == (family in causal)
        parameters = inspect.signature(MODEL_MAPPING[CONFIG_MAPPING[family]].forward).parameters
        takes_keys = takes_past_key_values(family, encoder=False)
        assert takes_keys in (None, "past_key_values" in parameters)
        decided += takes_keys is not None
    assert decided == 8, "the sources are not read"


def test_where_the_sources_tell_nothing_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cached in (families._registry, families._forward_takes):
        cached.cache_clear()
    monkeypatch.setattr(families, "_sources", lambda: tmp_path)
    try:
        (tmp_path / "config.json").write_text('{"model_type": "llama"}')
        assert _told({"path": tmp_path}, "mlm", adapter="prefix") is None
    finally:
        for cached in (families._registry, families._forward_takes):
            cached.cache_clear()


def test_a_decoder_that_is_set_to_read_both_ways_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gemma3_text"}')
    assert "reads left to right" in str(_told({"path": tmp_path}, "mlm"))
    config = '{"model_type": "gemma3_text", "use_bidirectional_attention": true}'
    (tmp_path / "config.json").write_text(config)
    assert _told({"path": tmp_path}, "mlm") is None


@pytest.mark.parametrize("config", ["{", "[]", '{"model_type": "new"}', None])
def test_what_tells_nothing_refuses_nothing(config: str | None, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    assert _told({"path": tmp_path}, "mlm", adapter="prefix") is None


def test_offline_a_model_on_the_hub_is_known_once_it_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    options = {"hub": "some/writer", "mode": "generate"}
    check_generates(Options(**options), AROUND)
    _fetched(tmp_path / "models--some--writer", '{"model_type": "bert"}')
    with pytest.raises(ConfigurationError, match="some/writer: 'bert' is an encoder"):
        tiny.BACKEND.fingerprint(Options(**options), AROUND)
    _fetched(tmp_path / "models--some--writer", '{"model_type": "llama"}')
    assert tiny.BACKEND.fingerprint(Options(**options), AROUND)
    assert "reads left to right" in str(_told({"hub": "some/writer"}, "mlm"))


def _fetched(repository: Path, config: str) -> None:
    commit = "a" * 40
    (repository / "refs").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True, exist_ok=True)
    (repository / "snapshots" / commit / "config.json").write_text(config)


def test_words_carry_no_prompt() -> None:
    reason = _told({"path": "unread", "mode": "generate"}, "mlm")
    assert reason == "a model with 'mode: generate' cannot learn by 'mlm'"
    reason = _told({"path": "unread", "mode": "generate"}, "task", adapter="prompt")
    assert reason is not None


def _plan(folder: Path, **changes: Any) -> tuple[int, str]:
    values = {
        "name": "refused",
        "targets": [{"task": "mini_topic", "languages": ["en"], "limit": 6}],
        "train_limit": 16,
        "recipe": {"steps": 2},
    } | changes
    (folder / "study.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(folder / "study.yaml"), "--store", str(folder)])
    return result.exit_code, " ".join(result.output.split())


def test_arms_that_cannot_learn_are_left_out_with_the_reason(
    folder: Folder, tmp_path: Path
) -> None:
    masked = {"corpus": "mini_parallel", "ratio": 0.5, "languages": ["de"]}
    prefixed = {"name": "prefixed", "strategy": "single", "recipe": {"adapter": "prefix"}}
    _, output = _plan(
        tmp_path,
        models=[{"name": name, "path": str(folder(name))} for name in ("gemma", "bert", "mt5")],
        strategies=[{"name": "mixed", "strategy": "single", "mlm": masked}, prefixed],
    )
    assert "'gemma3_text' reads left to right" in output
    assert "'mt5' has no mask token" in output
    assert "it does not read the keys and values" in output
    assert "'bert'" not in output


def test_pretraining_that_can_never_work_is_an_error_with_its_line(
    folder: Folder, tmp_path: Path
) -> None:
    pretrain = {"corpus": "mini_parallel", "objectives": ["mlm"], "recipe": {"steps": 1}}
    code, output = _plan(
        tmp_path,
        models=[{"name": "gemma", "path": str(folder("gemma")), "pretrain": pretrain}],
        strategies=["single"],
    )
    assert code == 2
    assert "study.yaml:" in output
    assert "'mlm' hides words from a backbone that reads both ways" in output


def test_nothing_heavy_is_imported_to_tell(folder: Folder) -> None:
    code = f"""
import sys
from xharness.plugin.api import Recipe, RunEnvironment, CapabilityQuery
from xharness_hf.plugin import HfBackend
backend = HfBackend()
options = backend.options(path={str(folder("mt5"))!r})
wanted = CapabilityQuery(None, "classification", "mlm", Recipe(adapter="prefix"))
assert backend.unsupported(options, wanted, RunEnvironment())
assert not {{"torch", "transformers"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
