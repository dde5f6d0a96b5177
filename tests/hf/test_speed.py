"""What is computed by other means than torch's own is what torch computes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

import xharness_hf
from tests.conftest import REPOSITORY
from tests.hf import tiny
from xharness.plugin.api import StageError
from xharness_hf.backbone.precision import computing
from xharness_hf.speed import embedding_grad, matmul, switches
from xharness_hf.speed.dropout import fast_dropout, keep_factors
from xharness_hf.speed.embedding_grad import EmbeddingGradients
from xharness_hf.speed.kernels import fast_kernels
from xharness_hf.training.optim import clip

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_so_many_drop_out_and_the_mean_stays(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    factors = keep_factors(torch.empty(1000, 203, dtype=dtype), p)
    assert factors.unique().numel() == 2
    share = float((factors == 0).float().mean())
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / factors.numel())
    assert abs(float(factors.float().mean()) - 1) < 0.01
    rows = (factors == 0).float()  # neighbours know nothing of each other
    correlation = float(((rows[:, 1:] - p) * (rows[:, :-1] - p)).mean()) / (p * (1 - p))
    assert abs(correlation) < 4 / np.sqrt(rows.numel())


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 5))
def test_draws_hang_on_torchs_state_alone(shape: list[int], seed: int) -> None:
    def drawn() -> list[Tensor]:
        torch.manual_seed(seed)
        return [keep_factors(torch.empty(shape), 0.5) for _ in range(4)]

    assert all(map(torch.equal, drawn(), drawn()))


def test_dropout_is_left_alone_where_nothing_drops_out() -> None:
    states = torch.randn(3, 4)
    with fast_dropout(CPU):
        assert torch.equal(nn.Dropout(0.5).eval()(states), states)
        assert torch.equal(functional.dropout(states, 0.0), states)
        assert functional.dropout(torch.ones(100, 100), 0.25).unique().tolist() == [
            0.0, pytest.approx(4 / 3)
        ]  # fmt: skip


@pytest.mark.parametrize("mask", ["none", "true", "added", "causal"])
@pytest.mark.parametrize("heads", [2, 4])
def test_attention_that_drops_out_has_the_mean_of_what_does_not(mask: str, heads: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 4, 6, 8)
    key, value = torch.randn(2, heads, 6, 8), torch.randn(2, heads, 6, 8)
    options: dict[str, Any] = {"scale": 0.2, "enable_gqa": heads != 4}
    options |= {
        "none": {},
        "true": {"attn_mask": torch.tensor([[1, 1, 1, 1, 0, 0]]).bool()},
        "added": {"attn_mask": torch.randn(6, 6)},
        "causal": {"is_causal": True},
    }[mask]
    usual = functional.scaled_dot_product_attention(query, key, value, **options)
    with fast_dropout(CPU):
        samples = [
            functional.scaled_dot_product_attention(query, key, value, dropout_p=p, **options)
            for p in [1e-9, *[0.2] * 1500]
        ]
    assert torch.allclose(samples[0], usual, atol=1e-5)
    assert not torch.allclose(samples[1], samples[2])
    assert torch.allclose(torch.stack(samples[1:]).mean(dim=0), usual, atol=0.12)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("padding", [None, 1])
def test_gradients_of_what_was_looked_up(
    tied: bool, padding: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps in two pieces each: the sums of the gradients, and nothing of the step before."""
    monkeypatch.setattr(embedding_grad, "_LARGE", 1)
    own, usual = (nn.Embedding(12, 3, padding_idx=padding) for _ in range(2))
    usual.load_state_dict(own.state_dict())
    watching = EmbeddingGradients()
    optimizers = [torch.optim.AdamW(gradient.parameters(), lr=0.1) for gradient in (own, usual)]

    def backward(table: nn.Embedding, ids: list[int]) -> None:
        states = table(torch.tensor(ids))
        if tied:
            states = states @ table.weight.T
        states.sin().sum().backward()

    for step in ([[3, 3, 1], [5]], [[2, 1, 5]]):
        for ids in step:
            with watching:
                backward(own, ids)
            backward(usual, ids)
        assert own.weight.grad is not None
        assert usual.weight.grad is not None
        assert torch.allclose(own.weight.grad, usual.weight.grad, atol=1e-6)
        assert (own.weight in watching._dense_tables) == tied  # else the met rows alone are cleared
        memory = own.weight.grad.data_ptr()
        for optimizer in optimizers:
            optimizer.step()
        watching.clear(optimizers[0])
        optimizers[1].zero_grad()
        assert own.weight.grad.data_ptr() == memory
        assert not own.weight.grad.any()
    assert torch.allclose(own.weight, usual.weight, atol=1e-6)


def test_memory_is_let_go_when_the_training_ends(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_grad, "_LARGE", 1)
    model = tiny.start(bert)
    for run in ("first", "second"):
        recipe = tiny.RECIPE.changed({"steps": 2})
        model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / run))
        table = model.backbone.embedding.weight
        assert table.grad is None
        assert not table._post_accumulate_grad_hooks


def test_weights_that_find_no_memory_are_what_they_were(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, casts, cast = tiny.start(bert).backbone.module, 0, Tensor.to

    def full(weight: Tensor, *arguments: Any, **options: Any) -> Tensor:
        nonlocal casts
        casts += torch.bfloat16 in arguments
        if casts > 2:
            raise torch.OutOfMemoryError
        return cast(weight, *arguments, **options)

    monkeypatch.setattr(Tensor, "to", full)
    recipe = tiny.RECIPE.changed({"precision": "bf16"})
    with pytest.raises(StageError, match="not enough memory"), computing(module, CPU, recipe):
        pass
    assert {tensor.dtype for tensor in module.parameters()} == {torch.float32}


def test_rows_that_see_nothing_stay_numbers() -> None:
    query = torch.randn(1, 1, 3, 4)
    mask = torch.tensor([[1, 1, 1], [0, 0, 0], [1, 0, 0]]).bool()
    with fast_dropout(CPU):
        states = functional.scaled_dot_product_attention(query, query, query, mask, dropout_p=0.3)
    assert states.isfinite().all()


def test_a_checkpoint_of_other_switches_counts_as_none(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way of computing has draws of its own, so it would end with other weights."""
    recipe, feeds = tiny.RECIPE.changed({"steps": 4}), [tiny.feed("tagging")]

    def interrupted(count: int, total: int | None) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session = tiny.session(tmp_path, progress=interrupted)
        tiny.start(bert).fit(feeds, recipe, session)
    steps: list[int] = []
    monkeypatch.setenv(switches.VARIABLE, "dropout")
    session = tiny.session(tmp_path, progress=lambda count, total: steps.append(count))
    tiny.start(bert).fit(feeds, recipe, session)
    assert steps == [1, 2, 3, 4]


def test_small_tables_and_reading_are_left_to_torch() -> None:
    table, watching = nn.Embedding(4, 2), EmbeddingGradients()
    with watching:
        table(torch.tensor([1])).sum().backward()
    watching.clear(torch.optim.SGD(table.parameters()))
    assert table.weight.grad is None


def test_a_switch_is_called_what_it_turns_off() -> None:
    paths = sorted(Path(xharness_hf.__file__).parent.rglob("*.py"))
    names = {path.stem for path in paths}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name)
                names.add(words.strip("_").lower())
    assert {*get_args(switches.Switch)} <= names
    page = (REPOSITORY / "docs" / "performance.md").read_text()
    assert [name for name in get_args(switches.Switch) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("left_out", ["embedding_grad", "matmul", "packing"])
def test_a_training_without_a_switch_ends_with_the_same_weights(
    left_out: str, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout, which each way of computing draws for itself."""
    for module in (embedding_grad, matmul):
        monkeypatch.setattr(module, "_LARGE", 1)
    folder = tiny.bert(
        tmp_path / "still", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )

    def weights(name: str) -> dict[str, Tensor]:
        model = tiny.start(folder)
        recipe = tiny.RECIPE.changed({"epochs": 1})
        model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / name))
        model.save(tmp_path / f"{name}-saved")
        return load_file(tmp_path / f"{name}-saved" / "model.safetensors")

    usual = weights("usual")
    monkeypatch.setenv(switches.VARIABLE, left_out)
    for name, tensor in weights("without").items():
        assert torch.allclose(tensor, usual[name], atol=2e-4), name


def test_short_gradients_are_not_touched_and_long_ones_are_cut() -> None:
    weights = [
        nn.Parameter(torch.zeros(3)),
        nn.Parameter(torch.zeros(2)),
        nn.Parameter(torch.ones(1)),
    ]
    for tensor, value in zip(weights[:2], (3.0, 4.0), strict=True):
        tensor.grad = torch.tensor([value, *[0.0] * (len(tensor) - 1)])
    copies = [tensor.grad.clone() for tensor in weights[:2] if tensor.grad is not None]
    clip(weights, 5.001)
    assert all(
        torch.equal(tensor.grad, old)
        for tensor, old in zip(weights, copies, strict=False)
        if tensor.grad is not None
    )
    clip(weights, 1.0)
    norm = nn.utils.get_total_norm([tensor.grad for tensor in weights if tensor.grad is not None])
    assert float(norm) == pytest.approx(1.0, abs=1e-4)


def test_reading_in_bf16_casts_once_and_leaves_the_weights_as_they_were(bert: Path) -> None:
    module = tiny.start(bert).backbone.module
    copies = {
        name: (tensor.data_ptr(), tensor.clone()) for name, tensor in module.named_parameters()
    }
    with torch.inference_mode(), computing(module, CPU, tiny.RECIPE.changed({"precision": "bf16"})):
        matrices = {tensor.dtype for tensor in module.parameters() if tensor.ndim > 1}
        assert matrices == {torch.bfloat16}
    with (
        pytest.raises(KeyError),
        computing(module, CPU, tiny.RECIPE.changed({"precision": "bf16"})),
    ):
        raise KeyError
    for name, tensor in module.named_parameters():
        assert (tensor.dtype, tensor.data_ptr()) == (torch.float32, copies[name][0])
        assert torch.equal(tensor, copies[name][1])


def test_everything_faster_at_once_still_learns(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    model.fit([tiny.feed("classification")], tiny.RECIPE, tiny.session(tmp_path))
    held_out = tiny.toy_examples("classification", 128)[96:]
    feed = tiny.feed("classification")
    answers = model.predict(feed.card, feed.task_type, held_out, tiny.RECIPE)
    assert tiny.accuracy(answers, held_out) > 0.9
    with fast_kernels(CPU):
        assert torch.is_tensor(functional.linear(torch.ones(1, 2), torch.ones(3, 2)))
