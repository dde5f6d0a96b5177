"""Reading: whatever the batches, the answers are the same; memory that ran out is remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.hf import tiny
from xharness.errors import ConfigurationError, StageError
from xharness.testing import toy_card, toy_examples
from xharness_hf import inference
from xharness_hf.backbone.batch import Batch, Feature, Layout, Window
from xharness_hf.backbone.precision import autocast, halved
from xharness_hf.speed import matmul, switches

_CPU = torch.device("cpu")


def _features(lengths: list[int]) -> list[Feature]:
    return [
        Feature((Window(np.full(length, 5 + length % 3, dtype=np.int32), length),), index)
        for index, length in enumerate(lengths)
    ]


def _sums(states: Tensor, batch: Batch) -> list[Tensor]:
    return list((states * batch.mask.unsqueeze(-1)).sum(dim=1))


class _Narrow:
    """A backbone of a device that holds at most so many padded sub-words of long inputs."""

    def __init__(self, limit: int) -> None:
        self.room: dict[int, int] = {}
        self.tables: list[nn.Embedding] = []
        self.module = torch.nn.Identity()
        self.most, self.refused = limit, 0
        self.longest_packed, self.adapter = 0, None

    def states(self, batch: Batch, layer: int | None = None) -> Tensor:
        if batch.ids.numel() > self.most:
            self.refused += 1
            raise torch.OutOfMemoryError
        return batch.ids.unsqueeze(-1).float()


@given(st.lists(st.integers(1, 60), max_size=200))
def test_buckets_cover_all_once_and_cost_no_more_than_one_batch(lengths: list[int]) -> None:
    features = _features(lengths)
    order = sorted(range(len(features)), key=lambda index: lengths[index], reverse=True)
    buckets = inference._buckets(order, features, _Narrow(0), _CPU)
    covered = [index for first, last in buckets for index in order[first:last]]
    assert covered == order
    cost = sum(
        (last - first) * lengths[order[first]] + 64 for first, last in buckets if last > first
    )
    assert cost <= len(lengths) * max(lengths, default=0) + 64


@pytest.mark.parametrize("budget", [1, 37, 100_000])
@pytest.mark.parametrize("family", ["bert", "gemma"])
def test_any_budget_gives_the_same_states(
    family: str, budget: int, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny.start(folders[family])
    features = _features([3, 9, 30, 4, 4, 17, 9, 3])

    def read() -> Tensor:
        layout = Layout(model.tokens.pad)
        return torch.stack(
            inference.read(model.backbone, features, layout, tiny.RECIPE, _CPU, _sums)
        )

    usual = read()
    monkeypatch.setattr(inference, "_BUDGET", {"cpu": budget})
    assert torch.allclose(read(), usual, atol=1e-5)
    monkeypatch.setenv(switches.VARIABLE, "matmul,packing")
    assert torch.allclose(read(), usual, atol=1e-5)
    monkeypatch.setenv(switches.VARIABLE, "matmul,packing,buckets")
    assert torch.allclose(read(), usual, atol=1e-5)


@given(st.integers(0, 9), st.integers(1, 3), st.integers(0, 10))
def test_a_thread_ahead_gives_the_same_items_and_no_more_than_are_wanted(
    count: int, depth: int, request: int
) -> None:
    draws: list[int] = []

    def items() -> Iterator[int]:
        for item in range(count):
            draws.append(item)
            yield item

    with closing(inference.ahead(items(), depth)) as ready:
        taken = [*islice(ready, request)]
    assert taken == [*range(min(request, count))]
    assert len(draws) <= min(request + depth + 1, count)


def test_what_goes_wrong_ahead_is_raised_where_it_is_waited_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise StageError("no such text")

    ready = inference.ahead(items(), 2)
    assert next(ready) == 1
    with pytest.raises(StageError, match="no such text"):
        next(ready)


def test_memory_that_ran_out_is_remembered() -> None:
    backbone: Any = _Narrow(limit=100)
    features = _features([10] * 64 + [2] * 8)
    sums = inference.read(backbone, features, Layout(0), tiny.RECIPE, _CPU, _sums)
    assert [int(answer) for answer in sums] == [
        int(feature.windows[0].ids.sum()) for feature in features
    ]
    refused = backbone.refused
    assert backbone.room
    inference.read(backbone, features, Layout(0), tiny.RECIPE, _CPU, _sums)
    assert backbone.refused == refused


@pytest.mark.parametrize("shape", [(4, 5, 32), (1, 32), (0, 32)])
@pytest.mark.parametrize("bias", [True, False])
def test_large_products_are_those_of_torch(
    shape: tuple[int, ...], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(matmul, "_mkl_is_slower", lambda: True)
    monkeypatch.setattr(matmul, "_LARGE", 1)
    torch.manual_seed(0)
    parameters = [torch.randn(*shape), torch.randn(7, 32), *([torch.randn(7)] if bias else [])]
    for gradient in parameters:
        gradient.requires_grad_()

    def both() -> list[Tensor]:
        out = functional.linear(*parameters)
        return [out, *torch.autograd.grad(out.sin().sum(), parameters)]

    usual = both()
    with matmul.fast_matmul(_CPU):
        for tensor, usual_tensor in zip(both(), usual, strict=True):
            assert torch.allclose(tensor, usual_tensor, atol=1e-4)


def test_small_products_stay_with_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """oneDNN would write code anew for each number of rows."""
    shapes: list[torch.Size] = []

    def product(first: Tensor, second: Tensor, bias: Tensor | None = None) -> Tensor:
        shapes.append(first.shape)
        return first @ second.t()

    monkeypatch.setattr(matmul, "_mkl_is_slower", lambda: True)
    monkeypatch.setattr(matmul, "_product", product)
    with torch.no_grad(), matmul.fast_matmul(_CPU):
        for rows in (300, 70_000):
            functional.linear(torch.zeros(rows, 32), torch.zeros(32, 32))
    assert shapes == [(70_000, 32)]


def test_an_unknown_switch_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switches.VARIABLE, "bukcets")
    with pytest.raises(
        ConfigurationError, match=re.escape("there is no switch 'bukcets'")
    ) as caught:
        switches.is_on("buckets")
    assert "buckets" in str(caught.value)


def test_deterministic_runs_are_equal_to_the_bit(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XHARNESS_DETERMINISTIC", "1")
    try:
        weights = []
        for name in ("one", "other"):
            model = tiny.start(folders["bert"])
            assert torch.are_deterministic_algorithms_enabled()
            model.fit([tiny.feed("tagging", 32)], tiny.RECIPE, tiny.session(tmp_path / name))
            weights.append(model.backbone.module.state_dict())
        assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
        examples = toy_examples("tagging", 20)
        assert model.predict(toy_card("tagging"), tiny.TASK_TYPES["tagging"], examples, tiny.RECIPE)
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("family", ["bert", "xlmr", "llama", "gemma"])
def test_tables_that_are_only_looked_up_give_the_rows_of_tables_cast_whole(
    family: str, folders: dict[str, Path]
) -> None:
    backbone = tiny.start(folders[family]).backbone
    recipe = tiny.RECIPE.changed({"precision": "bf16"})
    ids = torch.tensor([[5, 6, 7, 8]])

    def states(tables: Sequence[nn.Embedding]) -> Tensor:
        with torch.no_grad(), halved(backbone.module, recipe, tables), autocast(_CPU, recipe):
            kept = [type(table) is nn.Embedding for table in tables]
            assert kept == [table.weight.dtype == torch.float32 for table in tables]
            found: Tensor = backbone.reader(input_ids=ids).last_hidden_state
            return found

    whole = states([])
    assert torch.equal(states(backbone.tables), whole)
    assert all(table.weight.dtype == torch.float32 for table in backbone.tables)
