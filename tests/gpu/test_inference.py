"""Reading on a device: the states of a CPU, in packs as padded, in every number format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.hf import tiny
from xharness.plugin.api import Recipe
from xharness.testing import toy_card, toy_examples
from xharness_hf import inference
from xharness_hf.backbone.batch import Feature, Layout, Window, collate
from xharness_hf.backbone.precision import computing, default_precision, resolve
from xharness_hf.speed import switches

Start = Callable[..., Any]
_CLOSE = {"fp32": 2e-5, "tf32": 2e-2, "bf16": 1e-1, "fp16": 2e-2}
_PACKED = ("bert", "xlmr", "modernbert", "gemma", "llama", "qwen2")


def _states(model: Any, recipe: Recipe, device: torch.device, path: str) -> torch.Tensor:
    """The real states of eleven windows, (sub-words, width) in float32."""
    longest = int(min(model.backbone.longest_packed or 40, 40))
    lengths = [min(length, longest) for length in (3, 9, 30, 4, 4, 17, 9, 3, 40, 1, 2)]
    windows = [Window(np.arange(5, 5 + n, dtype=np.int32) % 25 + 3, n) for n in lengths]
    features = [Feature((window,), row) for row, window in enumerate(windows)]
    batch = collate(features, Layout(model.tokens.pad), device)
    backbone, recipe = model.backbone, resolve(recipe, device)
    backbone.module.eval()
    with torch.inference_mode(), computing(backbone.module, device, recipe):
        states = backbone.packed(batch)[0] if path == "packed" else backbone.padded(batch)
        return states[batch.mask.bool()].float().cpu()


@pytest.mark.parametrize("family", _PACKED)
def test_packed_windows_have_the_states_of_padded_ones(
    family: str, start: Start, device: torch.device
) -> None:
    model = start(family)
    assert model.backbone.packing_refusal is None
    assert model.backbone.longest_packed > 0
    for precision in ("fp32", default_precision(device)):
        recipe = Recipe(precision=precision)
        packed, padded = (_states(model, recipe, device, path) for path in ("packed", "padded"))
        assert torch.allclose(packed, padded, atol=_CLOSE[precision]), precision


@pytest.mark.parametrize("family", ["bert", "deberta", "gemma"])
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_states_are_those_of_a_cpu(
    family: str, precision: str, start: Start, device: torch.device, on_gpu: bool
) -> None:
    if not on_gpu and precision in ("tf32", "fp16"):
        pytest.skip(f"a CPU has no {precision}")
    cpu = torch.device("cpu")
    expected = _states(start(family, "cpu"), Recipe(precision="fp32"), cpu, "padded")
    states = _states(start(family), Recipe(precision=precision), device, "padded")
    assert torch.allclose(states, expected, atol=_CLOSE[precision])


def test_vectors_are_those_of_a_cpu(start: Start, on_gpu: bool) -> None:
    texts = [" ".join(tiny.WORDS[first : first + 5]) for first in range(15)]
    expected = start("bert", "cpu").embed(texts, Recipe(precision="fp32"))
    model = start("bert")
    assert np.allclose(model.embed(texts, Recipe(precision="fp32")), expected, atol=1e-5)
    automatic = model.embed(texts, Recipe())
    assert (automatic * expected).sum(axis=1).min() > 0.999
    assert model.computes(Recipe())["precision"] == ("bf16" if on_gpu else "fp32")


def test_answers_hang_on_no_shard_budget_or_path(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, card, task_type = start("bert"), toy_card("tagging"), tiny.TASK_TYPES["tagging"]
    model.fit([tiny.feed("tagging")], tiny.RECIPE.changed({"epochs": 3}), tiny.session(tmp_path))
    examples, recipe = toy_examples("tagging", 300, seed=3), Recipe(precision="fp32")
    usual = list(model.predict(card, task_type, examples, recipe))
    shards = [examples[first : first + 41] for first in range(0, 300, 41)]
    answers = [
        tags for shard in model.predict_each(card, task_type, shards, recipe) for tags in shard
    ]
    assert answers == usual
    monkeypatch.setattr(inference, "_BUDGET", {"cpu": 100})
    monkeypatch.setattr(inference, "_BUDGET_ELSEWHERE", 100)
    assert list(model.predict(card, task_type, examples, recipe)) == usual
    monkeypatch.setenv(switches.VARIABLE, "packing,buckets")
    assert list(model.predict(card, task_type, examples, recipe)) == usual


def test_memory_that_runs_out_halves_the_batch(start: Start, device: torch.device) -> None:
    model = start("bert")
    features = [Feature((Window(np.full(n, 5, np.int32), n),), n - 1) for n in range(1, 33)]
    sizes: list[int] = []

    def ask(states: torch.Tensor, batch: Any) -> Any:
        sizes.append(len(batch.features))
        if len(batch.features) > 5:
            torch.empty(2**50, dtype=torch.uint8, device=device)  # more than any device has
        return [feature.owner for feature in batch.features]

    if device.type == "cpu":
        pytest.skip("a CPU's allocator has an error of its own")
    recipe = Recipe(precision="fp32")
    layout = Layout(model.tokens.pad)
    answers = inference.read(model.backbone, features, layout, recipe, device, ask)
    assert answers == list(range(32))
    assert sizes[0] == 32 and model.backbone.room
