"""Adapters: they learn, they are few, they stand beside a backbone that stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from pydantic import ValidationError
from transformers import AutoModel

from tests.hf import tiny
from tests.hf.test_training import KilledError
from xharness.errors import StageError
from xharness.plugin.api import Recipe, RunEnvironment
from xharness.spec.recipe import Adapter
from xharness.stages import DataSlice, Mixture, Start, Train, TrainingFeed
from xharness.testing import toy_card, toy_examples
from xharness_hf.config.options import Options

METHODS: dict[str, dict[str, Any]] = {
    "lora": {"method": "lora", "r": 4},
    "prompt": {"method": "prompt", "num_virtual_tokens": 6},
    "prefix": {"method": "prefix", "num_virtual_tokens": 6},
}
RATES = {"lora": 1e-2, "prompt": 0.3, "prefix": 0.1}
RECIPE = Recipe(steps=60, learning_rate=1e-2, batch_size=16, max_length=24)
MEDIUM = {
    "architecture": "bert", "hidden": 128, "num_layers": 3, "heads": 4, "max_positions": 64,
    "tokenizer": {"vocabulary": 400},
}  # fmt: skip


def _recipe(method: str, **changes: Any) -> Recipe:
    return RECIPE.changed({"adapter": METHODS[method]}, changes)


def _fit(
    model: Any, recipe: Recipe, folder: Path, task_type: str = "tagging", **session: Any
) -> Any:
    return model.fit([tiny.feed(task_type)], recipe, tiny.session(folder, **session))


def _answers(model: Any, task_type: str = "tagging") -> Any:
    examples = toy_examples(task_type, 30, seed=9)
    return model.predict(toy_card(task_type), tiny.TASK_TYPES[task_type], examples, RECIPE)


def _own(model: Any) -> list[torch.Tensor]:
    """The backbone's weights, its adapter left out."""
    parameters = model.backbone.module.state_dict().items()
    return [parameter.clone() for name, parameter in parameters if "lora" not in name]


@pytest.fixture(scope="module")
def able(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Backbones in which one state has some effect on another, as in trained ones."""
    root = tmp_path_factory.mktemp("able")
    return {"bert": tiny.bert(root, initializer_range=0.3), "gemma": folders["gemma"]}


@pytest.mark.parametrize("family", ["bert", "gemma"])
@pytest.mark.parametrize("method", METHODS)
def test_the_adapter_learns_and_the_body_stays(
    able: dict[str, Path], tmp_path: Path, method: str, family: str
) -> None:
    model = tiny.start(able[family])
    weights_before, sizes = _own(model), model.sizes()
    first = _fit(model, _recipe(method, steps=1), tmp_path / "first")
    (head,) = model.heads.modules()
    added = sum(tensor.numel() for tensor in model.backbone.adapter.parameters().values())
    assert first["learning_parameters"] == added + sum(
        tensor.numel() for tensor in head.parameters()
    )
    with torch.no_grad():  # from here on the head stays as it is too, and asks for much
        head.requires_grad_(False).linear.weight.mul_(50)
    losses = [
        _fit(model, _recipe(method, learning_rate=rate), tmp_path / f"{rate}", heads="keep")["loss"]
        for rate in (1e-9, RATES[method])
    ]
    assert losses[1] < 0.6 * losses[0], "nothing but the adapter can have learnt"
    assert all(torch.equal(a, b) for a, b in zip(weights_before, _own(model), strict=True))
    assert model.sizes() == sizes
    model.save(tmp_path / "model")
    loaded_model = tiny.BACKEND.load(tmp_path / "model", "cpu")
    assert loaded_model.sizes() == sizes
    assert _answers(loaded_model) == _answers(model)
    assert (loaded_model.embed(["the cat"], RECIPE) == model.embed(["the cat"], RECIPE)).all()


def test_lora_learns_with_less_than_two_in_a_hundred(tmp_path: Path) -> None:
    options = Options.model_validate({"scratch": MEDIUM})
    model = tiny.BACKEND.start(options, RunEnvironment(), "cpu")
    recipe = Recipe(
        epochs=8, learning_rate=1e-2, batch_size=16, max_length=24,
        adapter={"method": "lora", "r": 2},  # type: ignore[arg-type]
    )  # fmt: skip
    facts = _fit(model, recipe, tmp_path, "classification")
    assert 0 < facts["learning_parameters"] < 0.02 * model.sizes().total
    examples = toy_examples("classification", 60, seed=9)
    assert tiny.accuracy(_answers_to(model, examples), examples) > 0.9


def _answers_to(model: Any, examples: Any) -> Any:
    card = toy_card("classification")
    return model.predict(card, tiny.TASK_TYPES["classification"], examples, RECIPE)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_saved_is_what_peft_reads(bert: Path, tmp_path: Path, method: str) -> None:
    model = tiny.start(bert)
    _fit(model, _recipe(method, steps=3), tmp_path / "1")
    model.save(tmp_path / "model")
    config = json.loads((tmp_path / "model/adapter/adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] is None
    backbone = AutoModel.from_pretrained(tmp_path / "model").eval()
    ids = torch.tensor([[2, 7, 9, 11, 3]])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        states = model.backbone.reader.eval()(**inputs).last_hidden_state
        assert not torch.allclose(backbone(**inputs).last_hidden_state, states, atol=1e-4)
        peft_model = PeftModel.from_pretrained(backbone, tmp_path / "model" / "adapter").eval()
        peft_states = peft_model(**inputs).last_hidden_state[:, -5:]
    assert torch.allclose(states, peft_states, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_adapter_learns_on(bert: Path, tmp_path: Path, method: str) -> None:
    model = tiny.start(bert)
    _fit(model, _recipe(method, steps=3), tmp_path / "1")
    model.save(tmp_path / "first")
    first = [tensor.clone() for tensor in model.backbone.adapter.parameters().values()]
    loaded_model = tiny.BACKEND.load(tmp_path / "first", "cpu")
    _fit(loaded_model, _recipe(method, steps=3), tmp_path / "2", "multiple_choice")
    second = list(loaded_model.backbone.adapter.parameters().values())
    assert [tensor.shape for tensor in first] == [tensor.shape for tensor in second]
    assert not any(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    loaded_model.save(tmp_path / "second")
    files = [folder / "model.safetensors" for folder in (tmp_path / "first", tmp_path / "second")]
    assert all((bert / "model.safetensors").samefile(file) for file in files)
    assert [*loaded_model.heads] == ["toy_multiple_choice"]


def test_an_adapter_that_is_not_wanted_any_more_is_merged(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    weights_before = _own(model)
    _fit(model, _recipe("lora"), tmp_path / "1")
    with_adapter = model.embed(["the cat", "red"], RECIPE)
    merged = _fit(model, RECIPE.changed({"steps": 1, "learning_rate": 1e-9}), tmp_path / "2")
    assert model.backbone.adapter is None
    assert merged["learning_parameters"] > model.sizes().total
    assert torch.allclose(
        torch.tensor(model.embed(["the cat", "red"], RECIPE)), torch.tensor(with_adapter), atol=1e-5
    )
    _fit(model, _recipe("lora", steps=2), tmp_path / "3")
    model.save(tmp_path / "model")
    assert _answers(tiny.BACKEND.load(tmp_path / "model", "cpu")) == _answers(model)
    assert not all(torch.equal(a, b) for a, b in zip(weights_before, _own(model), strict=True))


def test_a_prompt_cannot_be_merged(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    _fit(model, _recipe("prompt", steps=1), tmp_path / "1")
    with pytest.raises(StageError) as caught:
        _fit(model, RECIPE, tmp_path / "2")
    assert "the model carries a prompt of 6 vectors" in str(caught.value)
    assert "the same 'adapter'" in str(caught.value)


def test_merged_on_request_it_is_an_ordinary_model(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    merging = METHODS["lora"] | {"merge": True}
    facts = _fit(model, RECIPE.changed({"adapter": merging}), tmp_path / "1")
    assert facts["learning_parameters"] < model.sizes().total
    model.save(tmp_path / "model")
    assert not (tmp_path / "model" / "adapter").exists()
    backbone = AutoModel.from_pretrained(tmp_path / "model")
    parameters = dict(model.backbone.module.named_parameters())
    assert all(
        torch.equal(parameters[name], tensor)
        for name, tensor in backbone.named_parameters()
        if name in parameters
    )
    assert _answers(tiny.BACKEND.load(tmp_path / "model", "cpu")) == _answers(model)


@pytest.mark.parametrize("method", ["lora", "prefix"])
def test_a_killed_adapter_ends_with_the_same_weights(
    bert: Path, tmp_path: Path, method: str
) -> None:
    def progress(count: int, total: int | None) -> None:
        if count == 7:
            raise KilledError

    recipe, calm, killed = _recipe(method, steps=12), tiny.start(bert), tiny.start(bert)
    _fit(calm, recipe, tmp_path / "calm")
    with pytest.raises(KilledError):
        _fit(tiny.start(bert), recipe, tmp_path / "x", checkpoint_seconds=0, progress=progress)
    _fit(killed, recipe, tmp_path / "x")
    calm_weights, killed_weights = (
        model.backbone.adapter.parameters().values() for model in (calm, killed)
    )
    assert all(torch.equal(a, b) for a, b in zip(calm_weights, killed_weights, strict=True))


def test_a_text_is_as_long_as_positions_are_left(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    _fit(model, _recipe("prompt", steps=1, max_length=512), tmp_path)
    assert model.backbone.limit == 64 - 6
    assert model.embed(["red " * 100], Recipe(max_length=512)).shape == (1, 32)
    assert model.embed(["red"], Recipe(layer=0)).shape == (1, 32)


def test_pairs_that_count_anew_and_masks_learn_too(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    for method in METHODS:
        model = tiny.start(folders["xlmr"])
        feeds = [
            tiny.feed("bitext_retrieval", objective="tlm"),
            tiny.feed("bitext_retrieval", objective="mlm"),
        ]
        session = tiny.session(tmp_path / method)
        assert model.fit(feeds, _recipe(method, steps=6), session)["loss"] > 0


def test_what_a_body_cannot_carry_is_refused(bert: Path, tmp_path: Path) -> None:
    wrong = RECIPE.changed({"adapter": {"method": "lora", "target_modules": ["q_proj"]}})
    with pytest.raises(StageError, match="no lora on a backbone of the family 'bert'") as caught:
        _fit(tiny.start(bert), wrong, tmp_path / "1")
    assert "name the linear layers under 'target_modules'" in str(caught.value)
    with pytest.raises(StageError, match="no gradient checkpointing with a prefix"):
        _fit(tiny.start(bert), _recipe("prefix", gradient_checkpointing=True), tmp_path / "2")
    with pytest.raises(StageError, match="'freeze_ratio' or 'adapter' hold fixed"):
        feeds = [tiny.feed("bitext_retrieval", objective="align")]
        tiny.start(bert).fit(feeds, _recipe("lora"), tiny.session(tmp_path / "3"))


def test_fields_of_another_method_are_refused() -> None:
    assert Recipe(adapter="lora").adapter == Adapter(method="lora")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="'r' does not belong to the method 'prompt'"):
        Adapter(method="prompt", r=3)


def test_what_the_method_reads_enters_the_key() -> None:
    start, data_slice = Start("hf", "{}", "x"), DataSlice("red", "en", "train", None, "y")

    def key(**fields: Any) -> str:
        recipe = Recipe().changed(fields)
        feed = TrainingFeed((data_slice,), "task", "red")
        return Train(start, (feed,), Mixture(), recipe, "drop", 1).key

    default_key = key()
    assert key(adapter=None, optimizer="adamw", gradient_checkpointing=True) == default_key
    keys = [
        default_key,
        key(optimizer="adafactor"),
        *(key(adapter=method) for method in METHODS.values()),
    ]
    assert len({*keys, key(adapter={"method": "lora", "r": 5})}) == len(keys) + 1


@pytest.mark.parametrize("family", ["bert", "gemma"])
@pytest.mark.parametrize("method", METHODS)
def test_in_bf16_an_adapter_learns_and_answers(
    able: dict[str, Path], tmp_path: Path, method: str, family: str
) -> None:
    model, recipe = tiny.start(able[family]), _recipe(method, steps=2, precision="bf16")
    feed = tiny.feed("classification")
    _fit(model, recipe, tmp_path / "run", "classification")
    answers = model.predict(feed.card, feed.task_type, feed.examples, recipe)
    assert len(answers) == len(feed.examples)
    assert {tensor.dtype for tensor in model.backbone.adapter.parameters().values()} == {
        torch.float32
    }
