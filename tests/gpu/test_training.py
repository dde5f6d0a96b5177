"""Training on a device: it learns in its own number format and as a CPU does, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.families import verbalized
from tests.hf import tiny
from xharness.errors import StageError
from xharness.plugin.api import Mixture, Recipe
from xharness.testing import predict, toy_card, toy_examples
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.speed import switches

Start = Callable[..., Any]
_RECIPE = Recipe(steps=12, learning_rate=3e-3, batch_size=16, max_length=32)
_TASK_TYPES = (
    "tagging",
    "classification",
    "multiple_choice",
    "extractive_qa",
    "extractive_qa_unanswerable",
    "retrieval",
)


def _weights(model: Any) -> list[torch.Tensor]:
    modules = [model.backbone.module, *model.heads.modules()]
    return [weight.detach().cpu() for module in modules for weight in module.state_dict().values()]


def _equal(first: Any, second: Any) -> bool:
    pairs = zip(_weights(first), _weights(second), strict=True)
    return all(torch.equal(tensor, rival) for tensor, rival in pairs)


@pytest.fixture
def deterministic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only algorithms that give equal bits, from the next model on."""
    monkeypatch.setenv("XHARNESS_DETERMINISTIC", "1")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("task_type", _TASK_TYPES)
def test_it_learns_in_the_devices_own_format(task_type: str, start: Start, tmp_path: Path) -> None:
    model, recipe = start("bert"), _RECIPE.changed({"steps": 60, "learning_rate": 5e-3})
    facts = model.fit([tiny.feed(task_type, 120)], recipe, tiny.session(tmp_path))
    assert facts["precision"] == model.computes(Recipe())["precision"]
    card, examples = toy_card(task_type), toy_examples(task_type, 40, seed=4)
    metric = tiny.TASK_TYPES[task_type].metrics[card.metrics[0]]
    predictions = predict(model, card, examples, recipe)
    rows = [
        metric.item(example, prediction, card, "en")
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    sums = torch.tensor(rows, dtype=torch.float64).sum(dim=0).numpy()
    assert float(metric.value(sums)) > 0.6


@pytest.mark.parametrize("task_type", _TASK_TYPES)
def test_losses_are_those_of_a_cpu(task_type: str, start: Start, tmp_path: Path) -> None:
    """In float32 and without dropout, the same steps: only the order of sums differs."""
    recipe, losses = _RECIPE.changed({"precision": "fp32"}), []
    for device_name in ("cpu", None):
        model = start("undropped", device_name)
        facts = model.fit([tiny.feed(task_type)], recipe, tiny.session(tmp_path / f"{device_name}"))
        losses.append(facts["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)


@pytest.mark.parametrize("switch", ["", "graphs", "fixed_step"])
@pytest.mark.parametrize("family", ["bert", "gemma"])
def test_every_path_learns_the_same(
    family: str, switch: str, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = "undropped" if family == "bert" else family
    usual = start(family)
    usual.fit([tiny.feed("tagging")], _RECIPE, tiny.session(tmp_path / "usual"))
    monkeypatch.setenv(switches.VARIABLE, switch)
    changed_model = start(family)
    changed_model.fit([tiny.feed("tagging")], _RECIPE, tiny.session(tmp_path / "other"))
    for weight, rival in zip(_weights(usual), _weights(changed_model), strict=True):
        assert torch.allclose(weight.float(), rival.float(), atol=2e-2)


@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_equal_seeds_give_equal_bits(
    precision: str, start: Start, tmp_path: Path, deterministic: None
) -> None:
    models = []
    for name in ("one", "other"):
        models.append(start("bert"))
        feeds = [tiny.feed("tagging"), tiny.feed("extractive_qa")]
        session = tiny.session(tmp_path / name, mixture=Mixture("uniform"))
        models[-1].fit(feeds, _RECIPE.changed({"precision": precision}), session)
    assert _equal(*models)


@pytest.mark.parametrize("last_step", [1, 7])
def test_an_interrupted_training_ends_with_the_weights_of_an_undisturbed_one(
    last_step: int, start: Start, tmp_path: Path, deterministic: None
) -> None:
    def stop(count: int, total: int | None) -> None:
        if count == last_step:
            raise KeyboardInterrupt

    feeds = [tiny.feed("tagging")]
    calm, stopped, resumed = start("bert"), start("bert"), start("bert")
    calm.fit(feeds, _RECIPE, tiny.session(tmp_path / "calm"))
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(feeds, _RECIPE, tiny.session(tmp_path / "stopped", progress=stop))
    steps: list[int] = []
    session = tiny.session(tmp_path / "stopped", progress=lambda count, total: steps.append(count))
    resumed.fit(feeds, _RECIPE, session)
    assert steps[0] == last_step + 1
    assert _equal(calm, resumed)


def test_memory_that_runs_out_computes_in_smaller_pieces(
    start: Start, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _RECIPE.changed({"precision": "fp32", "batch_size": 16})
    calm = start("undropped")
    calm.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / "calm"))
    monkeypatch.setenv(switches.VARIABLE, "fixed_step")
    _refuse(monkeypatch, limit=5, device=device)
    narrow = start("undropped")
    facts = narrow.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / "narrow"))
    assert facts["gradient_accumulation_steps"] == 4
    for weight, rival in zip(_weights(calm), _weights(narrow), strict=True):
        assert torch.allclose(weight.float(), rival.float(), atol=1e-3)


def test_memory_for_no_input_is_told(
    start: Start, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switches.VARIABLE, "fixed_step")
    _refuse(monkeypatch, limit=0, device=device)
    with pytest.raises(StageError, match="not enough memory to learn from one input"):
        start("undropped").fit([tiny.feed("tagging")], _RECIPE, tiny.session(tmp_path))


def test_real_memory_may_run_out(
    start: Start, tmp_path: Path, device: torch.device, on_gpu: bool
) -> None:
    """All but little of a GPU's memory is taken: the rows of a large batch do not fit at once."""
    if not on_gpu:
        pytest.skip("a CPU's memory is not taken away")
    recipe = _RECIPE.changed({"batch_size": 1024, "steps": 3})
    model, feed = start("undropped"), tiny.feed("tagging", 1024)
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(device)
    ballast = torch.empty(max(free - 2**28, 0), dtype=torch.uint8, device=device)
    facts = model.fit([feed], recipe, tiny.session(tmp_path))
    del ballast
    assert facts["steps"] == 3 and facts["gradient_accumulation_steps"] >= 1


def test_a_loss_that_is_not_finite_names_the_step(start: Start, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"loss is (nan|inf) at step \d+"):
        start("bert").fit(
            [tiny.feed("tagging")], _RECIPE.changed({"learning_rate": 1e30}), tiny.session(tmp_path)
        )


@pytest.mark.parametrize(
    ("method", "rate"), [({"method": "lora", "r": 4}, 1e-2),
                         ({"method": "prompt", "num_virtual_tokens": 6}, 0.3),
                         ({"method": "prefix", "num_virtual_tokens": 6}, 0.1)],
)  # fmt: skip
def test_adapters_learn_and_come_back(
    method: dict[str, Any], rate: float, start: Start, tmp_path: Path, device: torch.device
) -> None:
    model, feed = start("bert"), tiny.feed("tagging")
    recipe = _RECIPE.changed({"adapter": method, "precision": "fp32", "learning_rate": rate})
    losses = [
        model.fit([feed], recipe.changed({"steps": steps}), tiny.session(tmp_path / f"{steps}"))
        for steps in (1, 40)
    ]
    assert losses[1]["loss"] < losses[0]["loss"]
    model.save(tmp_path / "saved")
    loaded = tiny.BACKEND.load(tmp_path / "saved", str(device))
    examples = toy_examples("tagging", 30, seed=9)
    predictions = model.predict(feed.card, feed.task_type, examples, recipe)
    assert loaded.predict(feed.card, feed.task_type, examples, recipe) == predictions


@pytest.mark.parametrize(
    "changes",
    [{"optimizer": "adafactor", "learning_rate": 1e-2}, {"gradient_checkpointing": True},
     {"gradient_accumulation_steps": 4}, {"freeze_ratio": 0.5}, {"freeze_ratio": 1.0},
     {"weight_decay": 0.1}],
)  # fmt: skip
def test_every_way_of_learning_lowers_the_loss(
    changes: dict[str, Any], start: Start, tmp_path: Path
) -> None:
    losses = [
        start("bert").fit(
            [tiny.feed("tagging")], _RECIPE.changed(changes, {"steps": steps}),
            tiny.session(tmp_path / f"{steps}"),
        )["loss"]
        for steps in (1, 40)
    ]  # fmt: skip
    assert losses[1] < losses[0]


@pytest.mark.parametrize("objective", ["mlm", "tlm"])
def test_masked_words_are_learnt(objective: str, start: Start, tmp_path: Path) -> None:
    task_type = "bitext_retrieval" if objective == "tlm" else "classification"
    feed = tiny.feed(task_type, 96, objective=objective)
    losses = [
        start("bert").fit(
            [feed], _RECIPE.changed({"steps": steps}), tiny.session(tmp_path / f"{steps}")
        )["loss"]
        for steps in (1, 40)
    ]
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    ("family", "task_type"), [("mt5", "extractive_qa"), ("llama", "classification")]
)
def test_text_to_text_learns_and_comes_back(
    family: str, task_type: str, start: Start, tmp_path: Path, device: torch.device
) -> None:
    recipe = Recipe(
        epochs=8, learning_rate=5e-3, batch_size=16, max_length=64, max_answer_length=8,
        precision="fp32",
    )  # fmt: skip
    model, feed = start(family, mode="generate"), verbalized.feed(task_type)
    facts = model.fit([feed], recipe, tiny.session(tmp_path / "run"))
    examples = toy_examples(task_type, 40, seed=9)
    answers = model.predict(feed.card, feed.task_type, examples, recipe)
    gold = [row.answers[0].text if task_type == "extractive_qa" else row.label for row in examples]
    assert sum(map(_same, answers, gold)) > 24, facts
    model.save(tmp_path / "saved")
    loaded = tiny.BACKEND.load(tmp_path / "saved", str(device))
    assert loaded.predict(feed.card, feed.task_type, examples, recipe) == answers


@pytest.mark.parametrize("family", ["gemma", "mt5"])
@pytest.mark.parametrize("task_type", ["multiple_choice", "extractive_qa"])
def test_words_are_those_of_a_cpu(family: str, task_type: str, start: Start) -> None:
    """Likelihoods rank alike, and greedy texts are the same."""
    mode = "loglikelihood" if task_type == "multiple_choice" else "generate"
    recipe = Recipe(max_length=64, max_answer_length=8, precision="fp32")
    card, examples = verbalized.card(task_type), toy_examples(task_type, 12)
    expected, answers = (
        start(family, device_name, mode=mode).predict(
            card, tiny.TASK_TYPES[task_type], examples, recipe
        )
        for device_name in ("cpu", None)
    )
    assert list(answers) == list(expected)


def _same(answer: Any, gold: Any) -> bool:
    return bool(answer == gold)


def _refuse(monkeypatch: pytest.MonkeyPatch, limit: int, device: torch.device) -> None:
    """Batches of more than `most` rows ask for more memory than there is."""
    honest = Backbone.states

    def states(self: Backbone, batch: Any, layer: int | None = None) -> torch.Tensor:
        if len(batch.ids) > limit and torch.is_grad_enabled():
            if device.type == "cpu":
                raise torch.OutOfMemoryError
            torch.empty(2**50, dtype=torch.uint8, device=device)
        return honest(self, batch, layer)

    monkeypatch.setattr(Backbone, "states", states)
