"""Backbones and tokenizers of several families: what is read, and what damaged files answer."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModel

from tests.hf import tiny
from xharness.errors import ConfigurationError, StageError, UnavailableError
from xharness.plugin.api import Recipe, Sizes
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Feature, Layout, collate
from xharness_hf.backbone.pooling import pool
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.files import loading

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("family", "causal", "limit"),
    [("bert", False, 64), ("xlmr", False, 64), ("llama", True, 128), ("gemma", True, 128)],
)
def test_a_family_is_known_by_how_it_reads(
    folders: dict[str, Path], family: str, causal: bool, limit: int
) -> None:
    backbone = loading.backbone(folders[family], "safetensors")
    assert (backbone.causal, backbone.limit) == (causal, limit)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_longest_input_is_read(folders: dict[str, Path], family: str) -> None:
    backbone = loading.backbone(folders[family], "safetensors")
    tokens = Tokens(loading.tokenizer(folders[family]), causal=backbone.causal)
    limit = backbone.limit or 0
    (ids,) = tokens.ids(["red blue " * limit])
    batch = collate([Feature((tokens.single(ids, limit),), 0)], Layout(tokens.pad), CPU)
    assert backbone.states(batch).shape == (1, limit, 32)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_frames_words_and_limits(folders: dict[str, Path], family: str) -> None:
    tokens = Tokens(loading.tokenizer(folders[family]), causal=family in ("llama", "gemma"))
    word_ids, _ = tokens.ids(["the cat", "cat"])
    assert (
        word_ids.tolist()[-len(tokens.word_ids(["cat"])["cat"]) :]
        == tokens.word_ids(["cat"])["cat"].tolist()
    )
    assert all(len(ids) > 0 for ids in tokens.word_ids(["", "\u200b", " ", "東京"]).values())
    assert len(tokens.frame.separator) > 0
    first, second = tokens.ids(["red blue green stone", "river " * 40])
    pair = tokens.pair(first, second, 20)
    assert len(pair.ids) == 20
    assert pair.ids[tokens.skip : tokens.skip + len(first)].tolist() == first.tolist()
    if family == "bert":
        encoding = tokens.tokenizer(
            "the cat", "flies", return_tensors="np", return_token_type_ids=True
        )
        window = tokens.pair(*tokens.ids(["the cat", "flies"]), 20)
        assert encoding["input_ids"][0].tolist() == window.ids.tolist()
        assert int((encoding["token_type_ids"][0] == 0).sum()) == window.second


def test_the_state_entering_a_layer_is_what_transformers_calls_it(bert: Path) -> None:
    backbone = loading.backbone(bert, "safetensors")
    tokens = Tokens(loading.tokenizer(bert), causal=False)
    features = [
        Feature((tokens.single(ids, 30),), 0) for ids in tokens.ids(["the red cat", "bird"])
    ]
    batch = collate(features, Layout(tokens.pad), CPU)
    with torch.inference_mode():
        hidden_states = backbone.module(
            input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
        ).hidden_states
        for index, states in enumerate(hidden_states):
            assert torch.equal(backbone.states(batch, index), states)
    assert (backbone.layer_index(-1), backbone.layer_index(-3), backbone.layer_index(1)) == (
        2,
        0,
        1,
    )
    with pytest.raises(StageError, match="no layer 3; expected -3 to 2"):
        backbone.layer_index(3)


def test_padding_does_not_change_states(folders: dict[str, Path]) -> None:
    for family, folder in folders.items():
        backbone = loading.backbone(folder, "safetensors")
        tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
        features = [
            Feature((tokens.single(ids, 60),), 0) for ids in tokens.ids(["the cat", "red " * 20])
        ]
        layout = Layout(tokens.pad, tokens.skip if backbone.causal else 0)
        backbone.module.eval()
        with torch.inference_mode():
            pair, alone = collate(features, layout, CPU), collate(features[:1], layout, CPU)
            for pooling in ("mean", "first", "last"):
                together = pool(backbone.states(pair), pair, pooling)[0]
                single = pool(backbone.states(alone), alone, pooling)[0]
                assert torch.allclose(together, single, atol=1e-5), (family, pooling)


def test_a_decoders_mean_leaves_its_first_state_out(folders: dict[str, Path]) -> None:
    tokens = Tokens(loading.tokenizer(folders["gemma"]), causal=True)
    features = [Feature((tokens.single(ids, 60),), 0) for ids in tokens.ids(["the cat flies", ""])]
    batch = collate(features, Layout(tokens.pad, tokens.skip), CPU)
    states = torch.arange(batch.ids.numel(), dtype=torch.float32).reshape(*batch.ids.shape, 1)
    length = len(features[0].windows[0].ids)
    assert pool(states, batch, "mean")[0].item() == pytest.approx(
        sum(range(1, length)) / (length - 1)
    )
    assert pool(states, batch, "mean")[1].item() == states[1, 0].item()  # nothing else is there


def test_only_the_first_layers_are_used(folders: dict[str, Path]) -> None:
    full, half = (loading.backbone(folders["gemma"], "safetensors", n) for n in (None, 2))
    assert (len(full.layers), len(half.layers)) == (3, 2)
    assert half.module.config.layer_types == ["sliding_attention"] * 2
    ids = torch.tensor([[2, 9, 10]])
    with torch.inference_mode():
        raw = full.module(input_ids=ids, output_hidden_states=True).hidden_states[2]
        assert torch.allclose(
            half.module(input_ids=ids).last_hidden_state, half.module.norm(raw), atol=1e-5
        )
    with pytest.raises(ConfigurationError, match="'num_layers' is 4, but the backbone has 3"):
        loading.backbone(folders["gemma"], "safetensors", 4)


def test_sizes_count_the_backbone_without_its_pooler(bert: Path) -> None:
    module = AutoModel.from_pretrained(bert, add_pooling_layer=False)
    total = sum(parameter.numel() for parameter in module.parameters())
    assert tiny.start(bert).sizes() == Sizes(
        total, module.embeddings.word_embeddings.weight.numel()
    )


def test_freezing_goes_from_the_embeddings_up(bert: Path) -> None:
    backbone = loading.backbone(bert, "safetensors")

    def learning() -> set[str]:
        parameters = backbone.module.named_parameters()
        return {
            name.split(".")[0] + name.split(".")[2]
            for name, parameter in parameters
            if parameter.requires_grad
        }

    backbone.freeze(0.0)
    assert learning() == {"embeddingsweight", "embeddingsbias", "encoder0", "encoder1"}
    backbone.freeze(0.1)
    assert learning() == {"encoder0", "encoder1"}
    assert not backbone.module.embeddings.training
    backbone.freeze(0.5)
    assert learning() == {"encoder1"}
    backbone.freeze(1.0)
    assert learning() == set()


def _copy(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target))


def test_truncated_weights(bert: Path, tmp_path: Path) -> None:
    folder = _copy(bert, tmp_path / "m")
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnavailableError, match="the weights cannot be read"):
        tiny.start(folder)


def test_a_configuration_of_another_model(bert: Path, tmp_path: Path) -> None:
    folder = _copy(bert, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 5}))
    with pytest.raises(UnavailableError, match=r"the weights lack 48 tensors of a bert backbone"):
        tiny.start(folder)
    (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))
    with pytest.raises(UnavailableError, match="the weights cannot be read"):
        tiny.start(folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"model_type": "of-tomorrow"}', "{}"])
def test_a_damaged_configuration(bert: Path, tmp_path: Path, text: str) -> None:
    folder = _copy(bert, tmp_path / "m")
    (folder / "config.json").write_text(text)
    with pytest.raises(UnavailableError, match="cannot be read"):
        tiny.start(folder)


def test_a_damaged_tokenizer(bert: Path, tmp_path: Path) -> None:
    folder = _copy(bert, tmp_path / "m")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(UnavailableError, match="the tokenizer cannot be read"):
        tiny.start(folder)


def test_pickled_weights_load_when_they_are_asked_for(bert: Path, tmp_path: Path) -> None:
    folder = _copy(bert, tmp_path / "m")
    torch.save(AutoModel.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(UnavailableError, match="'weights: any'"):
        tiny.start(folder)
    assert tiny.start(folder, weights="any").sizes() == tiny.start(bert).sizes()


def test_an_unknown_device(bert: Path) -> None:
    with pytest.raises(UnavailableError, match="no device 'cuda:7' here"):
        tiny.BACKEND.load(bert, "cuda:7")


def test_a_folder_that_no_model_was_saved_in(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="not a saved model"):
        tiny.BACKEND.load(tmp_path, "cpu")


OTHERS: dict[str, Any] = {
    "T5": {"d_kv": 16, "d_ff": 64, "num_layers": 2, "decoder_start_token_id": 0},
    "DistilBert": {"n_layers": 2, "hidden_dim": 64},
    "GPT2": {"n_layer": 2, "n_positions": 80},
    "Albert": {"num_hidden_layers": 2, "embedding_size": 16, "intermediate_size": 64},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_architectures_need_no_line_of_code(bert: Path, tmp_path: Path, name: str) -> None:
    """Encoder-decoders (their encoder reads), other names for the sizes, shared layers."""
    folder = _copy(bert, tmp_path / "m")
    config = getattr(transformers, f"{name}Config")(
        vocab_size=200, hidden_size=32, num_attention_heads=2, **OTHERS[name]
    )
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    model, recipe = tiny.start(folder), Recipe(steps=2, batch_size=8)
    model.fit([tiny.feed("tagging", 16)], recipe, tiny.session(tmp_path / "session"))
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    assert loaded_model.sizes() == model.sizes()
    assert np.array_equal(loaded_model.embed(["the cat"], recipe), model.embed(["the cat"], recipe))


@pytest.mark.pretrained
def test_a_pretrained_model_goes_the_whole_way(tmp_path: Path) -> None:
    """`XHARNESS_PRETRAINED` names a folder with real weights."""
    name = os.environ.get("XHARNESS_PRETRAINED")
    if not name:
        pytest.skip("no pretrained weights; set XHARNESS_PRETRAINED to a model's folder")
    model = tiny.start(Path(name))
    recipe = Recipe(steps=20, batch_size=8, learning_rate=1e-4, freeze_ratio=0.5)
    facts = model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / "session"))
    assert facts["loss"] < 0.5
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    for weight, loaded_weight in zip(weights(model), weights(loaded_model), strict=True):
        assert torch.equal(weight, loaded_weight)
    cat, kitten, tax = loaded_model.embed(
        ["A cat sat there.", "There sat a cat.", "Pay tax."], recipe
    )
    assert cat @ kitten > cat @ tax


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_saved_model_is_the_same_to_the_bit(
    folders: dict[str, Path], family: str, tmp_path: Path
) -> None:
    model = tiny.start(folders[family])
    recipe = Recipe(steps=2, batch_size=8, learning_rate=1e-3)
    model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path))
    model.save(tmp_path / "model")
    loaded_model = tiny.BACKEND.load(tmp_path / "model", "cpu")
    for weight, loaded_weight in zip(weights(model), weights(loaded_model), strict=True):
        assert torch.equal(weight, loaded_weight)
    texts = ["Straße 東京", "the cat", "café who?"]
    assert np.array_equal(model.embed(texts, recipe), loaded_model.embed(texts, recipe))
    backbone = Backbone(AutoModel.from_pretrained(tmp_path / "model"))
    for weight, loaded_weight in zip(
        backbone.module.parameters(), loaded_model.backbone.module.parameters(), strict=True
    ):
        assert torch.equal(weight, loaded_weight)


def weights(model: object) -> list[torch.Tensor]:
    """All weights of a model, backbone and heads."""
    backbone, heads = model.backbone, model.heads  # type: ignore[attr-defined]
    return [*backbone.module.parameters(), *heads.parameters().values()]


def test_a_tokenizer_of_the_same_files_is_read_once(tmp_path: Path) -> None:
    """Of a trained model, too, whose own files differ; what is changed is read again."""
    folder = tiny.bert(tmp_path / "bert")
    first = loading.tokenizer(folder)
    copied = shutil.copytree(folder, tmp_path / "copied")
    (copied / loading.MODEL_SPEC).write_text("{}")
    assert loading.tokenizer(copied) is first
    file = copied / "tokenizer_config.json"
    file.write_text(file.read_text().replace("[MASK]", "[UNK]"))
    changed = loading.tokenizer(copied)
    assert (first.mask_token, changed.mask_token) == ("[MASK]", "[UNK]")
    file = copied / "tokenizer.json"
    file.write_text(file.read_text() + "\n")
    assert loading.tokenizer(copied) is not changed


def test_only_the_last_tokenizers_are_kept(tmp_path: Path) -> None:
    folder = tiny.bert(tmp_path / "bert")
    first = loading.tokenizer(folder)
    for number in range(loading._MOST_TOKENIZERS):
        other = shutil.copytree(folder, tmp_path / f"{number}")
        (other / "chat_template.jinja").write_text(str(number))
        loading.tokenizer(other)
    assert len(loading._TOKENIZERS) == loading._MOST_TOKENIZERS
    assert loading.tokenizer(folder) is not first
