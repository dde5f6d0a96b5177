"""Steps in rows of fixed shapes learn what steps in exact shapes learn, recorded or not."""

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
from torch import Tensor

from tests.hf import tiny
from tests.hf.tape import Counting, Tapes
from tests.hf.test_loading import weights
from xharness.errors import StageError
from xharness.plugin.api import CheckpointPolicy, Mixture, Recipe
from xharness_hf.heads.tagging import TaggingTask
from xharness_hf.speed import embedding_grad, switches
from xharness_hf.training import fast_layers, fixed_step
from xharness_hf.training.budgets import StepPrices, budgets, prices, row_length
from xharness_hf.training.exact_step import ExactStep
from xharness_hf.training.fixed_step import FixedStep
from xharness_hf.training.graphs import NoGraphs, Recorder
from xharness_hf.training.rows import RowFiller

RECIPE = Recipe(steps=12, learning_rate=3e-3, batch_size=8, max_length=24, doc_stride=8)
TASK_TYPES = ("tagging", "extractive_qa", "multiple_choice", "classification", "retrieval")
Fit = Callable[..., Any]


class StopError(Exception):
    """Stands for a kill: nothing in the code expects it."""


@pytest.fixture
def fit(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """Train a tiny model in rows, or in exact shapes where there is no recorder."""

    def run(
        recorder: Callable[[], Recorder] | None = NoGraphs,
        task_types: tuple[str, ...] = ("tagging",),
        name: str = "run", folder: Path = bert, session: Any = None, **changes: Any,
    ) -> Any:  # fmt: skip
        make_recorder = (lambda device: None) if recorder is None else (lambda device: recorder())
        monkeypatch.setattr(fixed_step, "recorder", make_recorder)
        model = tiny.start(folder)
        feeds = [tiny.feed(task_type) for task_type in task_types]
        running = tiny.session(tmp_path / name, mixture=Mixture("uniform"), **(session or {}))
        model.facts = model.fit(feeds, RECIPE.changed(changes), running)
        return model

    return run


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that drops nothing out."""
    folder = tmp_path_factory.mktemp("still")
    return tiny.bert(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def _same(first: Any, second: Any) -> bool:
    return all(map(torch.equal, weights(first), weights(second)))


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_rows_learn_what_exact_shapes_learn(task_type: str, fit: Fit, still: Path) -> None:
    rows = fit(task_types=(task_type,), name="rows", folder=still, learning_rate=1e-4)
    exact = fit(None, task_types=(task_type,), name="exact", folder=still, learning_rate=1e-4)
    assert (rows.facts["step"]["layout"], exact.facts["step"]["layout"]) == ("rows", "exact")
    assert rows.facts["loss"] == pytest.approx(exact.facts["loss"], abs=1e-5)
    for tensor, two in zip(weights(rows), weights(exact), strict=True):
        assert torch.allclose(tensor, two, atol=3e-4)


@pytest.mark.parametrize("family", ["xlmr", "gemma"])
def test_other_families_learn_in_rows(family: str, fit: Fit, folders: dict[str, Path]) -> None:
    models = [
        fit(recorder, folder=folders[family], name=name, learning_rate=1e-4)
        for name, recorder in (("rows", NoGraphs), ("exact", None))
    ]
    layouts = [model.facts["step"]["layout"] for model in models]
    assert layouts == ["rows", "exact"]
    assert models[0].facts["loss"] == pytest.approx(models[1].facts["loss"], abs=0.05)


@pytest.mark.parametrize("changes", [{}, {"gradient_accumulation_steps": 2}, {"precision": "bf16"}])
def test_what_is_recorded_is_what_is_called(changes: dict[str, Any], fit: Fit) -> None:
    """Dropout, several feeds and pieces; a recording that reads the device would fail."""
    called = fit(task_types=TASK_TYPES, name="called", steps=20, **changes)
    recorded = fit(Tapes, task_types=TASK_TYPES, name="recorded", steps=20, **changes)
    assert recorded.facts["step"]["graphs"] >= len(TASK_TYPES)
    assert "because" not in recorded.facts["step"]
    assert recorded.facts["loss"] == called.facts["loss"]
    assert _same(called, recorded)


def test_what_cannot_be_recorded_is_called(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = TaggingTask.loss

    def loss(self: TaggingTask, *args: Any) -> Tensor:
        value = honest(self, *args)
        return value * (1 if float(value.detach()) > 0 else 2)

    called = fit(name="called")
    monkeypatch.setattr(TaggingTask, "loss", loss)
    recorded = fit(Tapes, name="recorded")
    assert "_local_scalar_dense" in recorded.facts["step"]["because"]
    assert _same(called, recorded)


def test_no_step_waits_for_the_device_nor_lets_it_wait(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: dict[str, list[str]] = {}

    def counting(owner: type, method: str) -> None:
        honest = getattr(owner, method)

        def counted(self: Any, *args: Any, **keywords: Any) -> Any:
            with Counting() as count:
                value = honest(self, *args, **keywords)
            counts.setdefault(owner.__name__, []).extend(count.waits)
            return value

        monkeypatch.setattr(owner, method, counted)

    counting(FixedStep, "_learn")
    counting(FixedStep, "_update")
    counting(ExactStep, "run")
    fit(task_types=TASK_TYPES, name="rows")
    fit(None, task_types=TASK_TYPES, name="exact")
    assert counts["FixedStep"] == []
    assert counts["ExactStep"].count("_local_scalar_dense") >= 2 * 12


@pytest.mark.parametrize("last_step", [1, 4, 7, 11])
def test_an_interrupted_training_ends_with_the_same_weights(last_step: int, fit: Fit) -> None:
    def stop(count: int, total: int | None) -> None:
        if count == last_step:
            raise StopError

    calm = fit(Tapes, task_types=TASK_TYPES[:2], name="calm", weight_decay=0.1)
    session = {"progress": stop, "checkpoint_seconds": 0}
    with pytest.raises(StopError):
        fit(Tapes, task_types=TASK_TYPES[:2], name="killed", session=session, weight_decay=0.1)
    resumed = fit(Tapes, task_types=TASK_TYPES[:2], name="killed", weight_decay=0.1)
    assert resumed.facts["loss"] == calm.facts["loss"]
    assert _same(calm, resumed)


def test_a_bad_loss_leaves_the_weights_before_it(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by its own step, though the host hears of it later."""
    honest, calls, kept = TaggingTask.loss, iter(range(100)), list[Any]()

    def loss(self: TaggingTask, *args: Any) -> Tensor:
        return honest(self, *args) * (float("nan") if next(calls) == 4 else 1.0)

    close = FixedStep.close

    def closed(self: FixedStep) -> None:
        close(self)
        kept.extend(tensor.clone() for tensor in self._context.learning.values())

    monkeypatch.setattr(FixedStep, "close", closed)
    fit(name="before", steps=4, warmup_ratio=0, lr_scheduler_type="constant")
    old_weights, kept = kept, []
    monkeypatch.setattr(TaggingTask, "loss", loss)
    with pytest.raises(StageError, match="loss is nan at step 5; last finite loss 0"):
        fit(name="bad", warmup_ratio=0, lr_scheduler_type="constant")
    assert all(map(torch.equal, old_weights, kept))


@pytest.mark.parametrize("large", [2**20, 0])
@pytest.mark.parametrize("recorder", [NoGraphs, None])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_rows_that_are_never_met_only_decay(
    decay: float,
    recorder: Callable[[], Recorder] | None,
    large: int,
    fit: Fit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also in a table whose gradients are kept, as those of large ones are on a CPU."""
    monkeypatch.setattr(embedding_grad, "_LARGE", large)
    active = fit(recorder, name="active", weight_decay=decay)
    monkeypatch.setenv(switches.VARIABLE, "active_rows")
    full_model = fit(recorder, name="whole", weight_decay=decay)
    for tensor, two in zip(weights(active), weights(full_model), strict=True):
        assert torch.equal(tensor, two) if not decay else torch.allclose(tensor, two, atol=2e-6)


def test_only_the_words_of_a_training_take_part_in_a_step(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU too; whoever looks at the model between two steps sees all of them."""
    monkeypatch.setattr(embedding_grad, "_LARGE", 0)
    rows = {"step": set[int](), "look": set[int]()}
    honest = ExactStep.run

    def run(self: ExactStep, step: int) -> None:
        honest(self, step)
        rows["step"].add(len(self._context.backbone.embedding.weight))

    def judge(model: Any) -> float:
        rows["look"].add(len(model.backbone.embedding.weight))
        return 0.0

    monkeypatch.setattr(ExactStep, "run", run)
    policy = CheckpointPolicy("best", num_evals=3, judge=judge)
    model = fit(None, session={"selector": policy})
    size = model.backbone.embedding.num_embeddings
    assert rows["look"] == {size} == {len(model.backbone.embedding.weight)}
    (active,) = rows["step"]
    assert 1 < active < size


def test_a_graph_over_the_table_that_somebody_holds_does_no_harm(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_grad, "_LARGE", 0)
    model = tiny.start(bert)
    held = model.backbone.embedding.weight.clone()
    model.fit([tiny.feed("tagging")], RECIPE, tiny.session(tmp_path / "run"))
    assert held.grad_fn is not None
    assert not torch.equal(held.detach(), model.backbone.embedding.weight)


def test_copies_in_half_precision_are_what_autocast_casts(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switches.VARIABLE, "joint_linear")
    copies = fit(name="copies", precision="bf16", weight_decay=0.1)
    assert all(tensor.dtype == torch.float32 for tensor in weights(copies))
    monkeypatch.setattr(fast_layers, "linear_layers", lambda modules: [])
    cast = fit(name="cast", precision="bf16", weight_decay=0.1)
    assert copies.facts["loss"] == cast.facts["loss"]
    assert _same(copies, cast)


@pytest.mark.parametrize(
    "changes", [{}, {"adapter": "lora"}, {"freeze_ratio": 0.5}, {"gradient_accumulation_steps": 2}]
)
def test_layers_that_compute_together_learn_what_each_learns_alone(
    changes: dict[str, Any], fit: Fit, still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"folder": still, "precision": "bf16", "learning_rate": 1e-4, **changes}
    together = fit(Tapes, name="together", task_types=TASK_TYPES[:2], **options)
    monkeypatch.setenv(switches.VARIABLE, "joint_linear")
    separate = fit(Tapes, name="alone", task_types=TASK_TYPES[:2], **options)
    assert together.facts["loss"] == pytest.approx(separate.facts["loss"], abs=0.01)
    if "freeze_ratio" not in changes:  # there, no gradient of states is a sum of three
        assert not _same(together, separate)


def test_what_fills_a_row_up_counts_for_nothing(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = RowFiller.arrays

    def other(self: RowFiller, features: Any, shape: Any) -> Any:
        arrays = honest(self, features, shape)
        total = sum(len(window.ids) for feature in features for window in feature.windows)
        arrays["ids"][total:] = arrays["ids"][1]
        return arrays

    usual = fit(name="usual")
    monkeypatch.setattr(RowFiller, "arrays", other)
    assert _same(usual, fit(name="other"))


def test_too_little_memory_is_met_with_pieces(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = FixedStep._learn

    def learn(self: FixedStep, feed: int, shape: Any, *args: Any) -> None:
        if shape.capacity.features > 4:
            raise torch.OutOfMemoryError
        honest(self, feed, shape, *args)

    planned = fit(Tapes, name="planned", gradient_accumulation_steps=2)
    monkeypatch.setattr(FixedStep, "_learn", learn)
    model = fit(Tapes, name="found")
    assert model.facts["gradient_accumulation_steps"] == 2
    assert _same(planned, model)


def test_only_what_rows_can_hold_is_learnt_in_rows(fit: Fit, bert: Path) -> None:
    adapter = {"method": "prompt", "num_virtual_tokens": 3}
    for changes, reason in (
        ({"optimizer": "adafactor"}, "adafactor sends norms of weights to the host in each step"),
        ({"adapter": adapter}, "a prompt stands in the text"),
    ):
        facts = fit(name=reason, steps=2, **changes).facts["step"]
        assert facts == {"layout": "exact", "because": reason}


@pytest.mark.parametrize(
    "changes", [{"adapter": "lora"}, {"freeze_ratio": 0.5}, {"freeze_ratio": 1.0}]
)
def test_whatever_learns_learns_in_rows(changes: dict[str, Any], fit: Fit, still: Path) -> None:
    rows = fit(Tapes, name="rows", folder=still, learning_rate=1e-3, **changes)
    exact = fit(None, name="exact", folder=still, learning_rate=1e-3, **changes)
    assert rows.facts["step"]["layout"] == "rows"
    assert rows.facts["loss"] == pytest.approx(exact.facts["loss"], abs=1e-4)
    assert rows.facts["learning_parameters"] == exact.facts["learning_parameters"]


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=200),
    st.floats(1e-4, 1e-2),
    st.floats(1e-7, 1e-4),
)
def test_budgets_hold_every_row_and_cost_no_more_than_one(
    totals: list[int], launch: float, token: float
) -> None:
    costs = StepPrices(launch, token, eager=0.165, capture=0.35)
    row_budgets = budgets(totals, costs)
    lengths = [budget.tokens for budget in row_budgets]
    assert all(length < two for length, two in pairwise(lengths))
    assert lengths[-1] == row_length(max(totals))
    assert sum(budget.uses for budget in row_budgets) == len(totals)
    owners = np.searchsorted(lengths, [row_length(total) for total in totals])
    assert np.bincount(owners, minlength=len(row_budgets)).tolist() == [
        budget.uses for budget in row_budgets
    ]

    def cost(groups: list[tuple[int, int]]) -> float:
        return sum(
            min(costs.capture + costs.eager + (uses - 1) * launch, uses * costs.eager)
            + uses * tokens * token
            for tokens, uses in groups
        )

    total_cost = cost([(budget.tokens, budget.uses) for budget in row_budgets])
    assert total_cost <= cost([(lengths[-1], len(totals))]) + 1e-9


@pytest.mark.parametrize(
    ("parameters", "layers", "steps", "fewest", "maximum"),
    [(21_300_000, 12, 200, 2, 4), (302_000_000, 24, 200, 2, 5), (302_000_000, 24, 1875, 5, 9)],
)
def test_short_rows_are_not_filled_up_to_the_longest(
    parameters: int, layers: int, steps: int, fewest: int, maximum: int
) -> None:
    """Sub-words of 32 short sentences, as in WikiANN; a larger model is worth more graphs."""
    stream = np.random.default_rng(0)
    totals = np.minimum(np.exp(stream.normal(np.log(410), 0.42, steps)), 1832).astype(int)
    lengths = [budget.tokens for budget in budgets(totals.tolist(), prices(parameters, layers))]
    assert fewest <= len(lengths) <= maximum
    assert lengths[0] <= 704
