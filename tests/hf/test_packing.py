"""Packed windows are read as padded ones, whatever reads them, and learn the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measurement import Setting
from benchmarks.shapes import write_model
from tests.families import zoo
from tests.hf import tiny
from xharness.plugin.api import Recipe
from xharness_hf import inference
from xharness_hf.backbone import packing
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, Feature, Layout, Window, collate
from xharness_hf.backbone.packing import PackedBatch, PackedLengths, attend
from xharness_hf.backbone.precision import computing
from xharness_hf.files.loading import backbone as loaded
from xharness_hf.generative.language_model import load_language_model
from xharness_hf.speed import switches, varlen

CPU = torch.device("cpu")
PACK = {"bert", "xlmr", "modernbert", "gemma", "llama", "qwen2", "qwen3"}
"""The families whose attention transformers lets others compute."""


def _batch(lengths: list[int], *, resets: bool = False, pairs: bool = True) -> Batch:
    draw = np.random.default_rng(3)
    windows = [
        Window(draw.integers(5, 60, size=length).astype(np.int32), length // 2 if pairs else length)
        for length in lengths
    ]
    features = [Feature((window,), index) for index, window in enumerate(windows)]
    return collate(features, Layout(1, 0, resets), CPU)


def _noting(attend: Callable[..., Tensor], counts: list[int]) -> Callable[..., Tensor]:
    def noting(rows: list[Tensor], *arguments: Any) -> Tensor:
        counts.append(len(rows[0]))
        return attend(rows, *arguments)

    return noting


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's tiny model."""
    root = tmp_path_factory.mktemp("packed")

    def made(name: str) -> Path:
        if not (root / name).is_dir():
            zoo.EVERY[name](root / name)
        return root / name

    return made


def _backbone(folder: Path) -> Backbone:
    backbone = loaded(folder, "safetensors")
    backbone.to(CPU)
    backbone.module.eval()
    return backbone


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_there_and_back_is_where_it_was(lengths: list[int]) -> None:
    batch = _batch(lengths)
    packed = PackedBatch(batch, causal=False)
    ids = packed.row(batch.ids)
    assert ids.shape == (1, sum(lengths))
    assert [(count, length) for count, length in packed.packs.groups] == [
        (lengths.count(length), length) for length in sorted({*lengths}, reverse=True)
    ]
    back = packed.unpacked(ids.unsqueeze(-1)).squeeze(-1)
    assert torch.equal(back, batch.ids * batch.mask)
    assert torch.equal(packed.unpacked(packed.positions.unsqueeze(-1)).squeeze(-1),
                       torch.arange(batch.ids.shape[1]) * batch.mask)  # fmt: skip


@pytest.mark.parametrize("family", zoo.EVERY)
def test_a_family_packs_or_is_padded_to_the_same_states(
    family: str, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = _backbone(folder(family))
    assert (backbone.longest_packed > 0) == (family in PACK)
    batch, counts = _batch([4, 9, 4, 3, 12, 9], pairs=False), list[int]()
    monkeypatch.setattr(packing, "_grouped", _noting(packing._grouped, counts))
    with torch.no_grad():
        states = backbone.states(batch)
    short = family in PACK and backbone.longest_packed >= 12
    assert counts == [41] * backbone.depth * short  # sub-words without padding, in every layer
    with torch.no_grad():
        monkeypatch.setenv(switches.VARIABLE, "packing")
        padded = backbone.states(batch)
    real = batch.mask.bool()
    assert torch.allclose(states[real], padded[real], rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", zoo.EVERY)
def test_a_family_is_read_in_bf16(family: str, folder: Callable[[str], Path]) -> None:
    backbone = _backbone(folder(family))
    batch = _batch([4, 9, 4, 3], pairs=False)
    with torch.inference_mode():
        usual = backbone.states(batch)
        with computing(backbone.module, CPU, Recipe(precision="bf16")):
            states = backbone.states(batch).float()
    real = batch.mask.bool()
    assert torch.allclose(states[real], usual[real], rtol=0.1, atol=0.1)


@pytest.mark.parametrize("family", ["bert", "xlmr", "gemma"])
@pytest.mark.parametrize("layer", [0, 1])
def test_layers_types_and_positions_that_count_anew(
    family: str, layer: int, folder: Callable[[str], Path]
) -> None:
    backbone = _backbone(folder(family))
    batch = _batch([7, 10, 7, 4], resets=True)
    with torch.no_grad():
        packed, _ = backbone.packed(batch, layer)
        padded = backbone.padded(batch, layer)
    real = batch.mask.bool()
    assert torch.allclose(packed[real], padded[real], rtol=0, atol=1e-5)


def test_windows_longer_than_a_layer_sees_are_padded(folder: Callable[[str], Path]) -> None:
    backbone = _backbone(folder("modernbert"))
    reach = int(backbone.longest_packed)
    assert 0 < reach < 12
    assert not packing.reads_packed(backbone, reach + 1, CPU)
    assert packing.reads_packed(backbone, reach, CPU)
    batch = _batch([reach, 2, reach], pairs=False)
    with torch.no_grad():
        packed, padded = backbone.packed(batch)[0], backbone.padded(batch)
    real = batch.mask.bool()
    assert torch.allclose(packed[real], padded[real], rtol=0, atol=1e-5)


def test_a_language_model_packs_too(folder: Callable[[str], Path]) -> None:
    backbone = load_language_model(folder("gemma"), "safetensors")
    backbone.to(CPU)
    batch = _batch([5, 8, 5])
    with torch.no_grad():
        packed, calls = backbone.packed(batch)
        padded = backbone.padded(batch)
    assert (backbone.longest_packed > 0, calls) == (True, backbone.depth)
    real = batch.mask.bool()
    assert torch.allclose(packed[real], padded[real], rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "gemma"])
def test_gradients_are_those_of_padded_windows(family: str, folder: Callable[[str], Path]) -> None:
    backbone = _backbone(folder(family))
    batch = _batch([4, 9, 4, 3], pairs=False)
    real = batch.mask.bool()

    def gradients(states: Tensor) -> list[Tensor]:
        parameters = [*backbone.reader.parameters()]
        return list(
            torch.autograd.grad(states[real].sin().sum(), parameters, materialize_grads=True)
        )

    packed, padded = gradients(backbone.packed(batch)[0]), gradients(backbone.padded(batch))
    for state, padded_state in zip(packed, padded, strict=True):
        assert torch.allclose(state, padded_state, rtol=1e-3, atol=1e-4)


def test_probing_leaves_what_learns_awake(folder: Callable[[str], Path]) -> None:
    backbone = loaded(folder("bert"), "safetensors")
    backbone.freeze(0.5)
    modes = [part.training for part in backbone.module.modules()]
    assert {*modes} == {True, False}  # some parts learn, some are held
    backbone.to(CPU)
    assert [part.training for part in backbone.module.modules()] == modes


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 3])
def test_windows_in_a_row_attend_to_themselves_alone(causal: bool, window: int | None) -> None:
    """With fillers, empty windows, fewer keys than queries, and windows of attention."""
    torch.manual_seed(0)
    rows = [torch.randn(14, heads, 8) for heads in (4, 2, 2)]
    borders = torch.tensor([0, 5, 5, 10, 14, 14], dtype=torch.int32)
    states = varlen.attention(*rows, borders, 5, causal=causal, scale=0.3, window=window)
    for first, last in pairwise([0, 5, 10, 14]):
        parts = [part[first:last] for part in rows]
        only = torch.tensor([0, last - first], dtype=torch.int32)
        apart = varlen.attention(*parts, only, 5, causal=causal, scale=0.3, window=window)
        assert torch.allclose(states[first:last], apart, atol=1e-5)
    if window is None:
        packs = PackedLengths(((2, 5), (1, 4)), causal)
        assert torch.allclose(states, packing._grouped(rows, packs, 0.0, 0.3), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"softcap": 2.0}, {"position_bias": torch.zeros(1)}, {"mask": True}]
)
def test_attention_that_wants_more_is_refused(options: dict[str, Any]) -> None:
    rows = [torch.zeros(1, 2, 4, 8)] * 3
    mask = torch.ones(4) if options.pop("mask", False) else None
    with pytest.raises(packing._UnknownError):
        attend(nn.Identity(), *rows, mask, packs=PackedLengths(((1, 4),), False), **options)


def test_adapters_that_stand_in_the_text_are_padded(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    assert packing.reads_packed(model.backbone, 8, CPU)
    recipe = tiny.RECIPE.changed(
        {"adapter": {"method": "prompt", "num_virtual_tokens": 3}, "steps": 1}
    )
    model.fit([tiny.feed("classification")], recipe, tiny.session(tmp_path))
    assert not packing.reads_packed(model.backbone, 8, CPU)


@pytest.mark.slow
@pytest.mark.data
def test_thousands_of_real_sentences_are_answered_alike(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WikiANN in all its languages, at two budgets, with and without packs."""
    setting = Setting(data_root, write_model("small", data_root, tmp_path / "model"), tmp_path)
    shared = Material(setting, "wikiann")
    model = material.load_model(setting.model)
    material.head(model, shared.card)
    examples = [
        example
        for _, language_examples in shared.eval_examples(64)
        for example in language_examples
    ]
    assert len(examples) > 2500

    def tags() -> NDArray[np.int64]:
        answers = model.predict(shared.card, shared.task_type, examples, shared.recipe())
        return np.concatenate([np.asarray(answer, dtype=np.int64) for answer in answers])

    usual = tags()
    assert len(np.unique(usual)) > 3
    monkeypatch.setattr(inference, "_BUDGET", {"cpu": 500})
    for left_out in ("", "packing"):
        monkeypatch.setenv(switches.VARIABLE, left_out)
        # of two tags that are equally likely to the sixth digit rounding takes either
        assert np.mean(tags() == usual) > 0.9999


@pytest.mark.parametrize("causal", [True, False])
def test_float32_has_no_windows_of_attention(causal: bool) -> None:
    """The kernel's gradients leave them out, so it is not asked, on whatever device."""
    heads = torch.zeros(6, 2, 8)
    borders = torch.tensor([0, 6], dtype=torch.int32)
    with pytest.raises(NotImplementedError, match="windows of attention"):
        varlen._efficient(heads, heads, heads, borders, 6, causal, 0.0, None, window=2)
