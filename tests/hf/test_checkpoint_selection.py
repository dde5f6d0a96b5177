"""Selection among the checkpoints that a training passes; and other ways to learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hf import tiny
from tests.hf.test_loading import weights
from tests.hf.test_training import KilledError
from xharness.errors import StageError
from xharness.plugin.api import CheckpointPolicy, Model, Recipe
from xharness.testing import toy_card, toy_examples

RECIPE = Recipe(steps=20, learning_rate=3e-3, batch_size=8, max_length=24)
FEEDS = ("tagging", "multiple_choice")


def _weights(model: Any) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in weights(model)]


def _same(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


class _Judge:
    """Gives scores from a list, and remembers the weights that it saw."""

    def __init__(self, *scores: float) -> None:
        self.scores, self.seen = list(scores), list[list[torch.Tensor]]()

    def __call__(self, model: Model) -> float:
        self.seen.append(_weights(model))
        return self.scores[len(self.seen) - 1]


def _ask(model: Model) -> float:
    """As the executor does: the model answers, which turns off what only training does."""
    examples = toy_examples("multiple_choice", 8, seed=3)
    answers = model.predict(
        toy_card("multiple_choice"), tiny.TASK_TYPES["multiple_choice"], examples, RECIPE
    )
    return tiny.accuracy(answers, examples)


def _fit(
    bert: Path, folder: Path, policy: CheckpointPolicy | None, **changes: Any
) -> tuple[Any, Any]:
    model = tiny.start(bert)
    session = tiny.session(folder, selector=policy, **changes)
    return model, model.fit([tiny.feed(task_type) for task_type in FEEDS], RECIPE, session)


def test_the_best_look_is_the_result(bert: Path, tmp_path: Path) -> None:
    judge = _Judge(0.1, 0.5, 0.3, 0.5, 0.2)
    model, facts = _fit(bert, tmp_path, CheckpointPolicy("best", num_evals=5, judge=judge))
    assert facts["selection"] == {
        "by": "best", "num_evals": [[4, 0.1], [8, 0.5], [12, 0.3], [16, 0.5], [20, 0.2]], "step": 8,
    }  # fmt: skip
    assert _same(_weights(model), judge.seen[1])
    assert facts["steps"] == 20


def test_looking_changes_nothing_in_the_training(bert: Path, tmp_path: Path) -> None:
    def best_at_last(model: Model) -> float:
        _ask(model)
        return float(next(count))

    count = iter(range(100))
    usual, _ = _fit(bert, tmp_path / "1", None)
    looked, _ = _fit(
        bert, tmp_path / "2", CheckpointPolicy("best", num_evals=7, judge=best_at_last)
    )
    assert _same(_weights(usual), _weights(looked))


def test_the_mean_of_all_looks(bert: Path, tmp_path: Path) -> None:
    judge = _Judge(*[0.5] * 4)
    model, facts = _fit(bert, tmp_path, CheckpointPolicy("average", num_evals=4, judge=judge))
    assert facts["selection"]["by"] == "average"
    assert [step for step, _ in facts["selection"]["num_evals"]] == [5, 10, 15, 20]
    for index, weight in enumerate(_weights(model)):
        expected = torch.stack([score[index].double() for score in judge.seen]).mean(dim=0)
        assert torch.allclose(weight.double(), expected, atol=1e-7)
    unjudged, _ = _fit(bert, tmp_path / "2", CheckpointPolicy("average", num_evals=4))
    assert _same(_weights(unjudged), _weights(model))


def test_where_nobody_can_judge_the_last_look_is_the_result(bert: Path, tmp_path: Path) -> None:
    judge = _Judge(*[float("nan"), float("inf"), float("nan")])
    model, facts = _fit(bert, tmp_path, CheckpointPolicy("best", num_evals=3, judge=judge))
    assert facts["selection"]["num_evals"] == [[7, None], [14, None], [20, None]]
    assert facts["selection"]["step"] == 20
    assert _same(_weights(model), judge.seen[-1])
    assert not _same(_weights(model), judge.seen[0])
    late = _Judge(float("nan"), 0.1, 0.1)
    model, facts = _fit(bert, tmp_path / "2", CheckpointPolicy("best", num_evals=3, judge=late))
    assert facts["selection"]["step"] == 14
    assert _same(_weights(model), late.seen[1])


def test_patience_ends_a_training_early(bert: Path, tmp_path: Path) -> None:
    judge = _Judge(0.1, 0.5, 0.5, float("nan"), 0.9)
    model, facts = _fit(
        bert, tmp_path, CheckpointPolicy("best", num_evals=5, patience=2, judge=judge)
    )
    assert facts["steps"] == 16
    assert facts["selection"]["num_evals"][-1] == [16, None]
    assert facts["selection"]["step"] == 8
    assert _same(_weights(model), judge.seen[1])


def test_more_looks_than_steps_is_a_look_a_step(bert: Path, tmp_path: Path) -> None:
    judge = _Judge(*range(20))
    _, facts = _fit(bert, tmp_path, CheckpointPolicy("best", num_evals=50, judge=judge))
    assert len(facts["selection"]["num_evals"]) == 20


def test_the_best_needs_a_judge(bert: Path, tmp_path: Path) -> None:
    for policy in (CheckpointPolicy("best"), CheckpointPolicy("average", patience=1)):
        with pytest.raises(StageError, match="nobody judges"):
            _fit(bert, tmp_path, policy)


@pytest.mark.parametrize(
    "policy",
    [
        lambda: CheckpointPolicy("best", num_evals=10, judge=_Judge(1, 3, 2, 3, 2, 2, 2, 2, 2, 2)),
        lambda: CheckpointPolicy("average", num_evals=10),
        lambda: CheckpointPolicy("best", num_evals=5, patience=2, judge=_ask),
    ],
)
@pytest.mark.parametrize("last_step", [3, 8, 15])
def test_a_killed_training_chooses_the_same(
    bert: Path, tmp_path: Path, policy: Callable[[], CheckpointPolicy], last_step: int
) -> None:
    def progress(count: int, total: int | None) -> None:
        if count == last_step:
            raise KilledError

    calm, calm_facts = _fit(bert, tmp_path / "calm", policy())
    once = policy()
    if calm_facts["steps"] <= last_step:
        return
    with pytest.raises(KilledError):
        _fit(bert, tmp_path / "killed", once, checkpoint_seconds=0, progress=progress)
    resumed, resumed_facts = _fit(bert, tmp_path / "killed", once)
    assert _same(_weights(calm), _weights(resumed))
    assert calm_facts["selection"] == resumed_facts["selection"]


def test_another_choice_does_not_go_on_from_the_checkpoint(bert: Path, tmp_path: Path) -> None:
    def progress(count: int, total: int | None) -> None:
        if count == 9:
            raise KilledError

    with pytest.raises(KilledError):
        _fit(bert, tmp_path, None, checkpoint_seconds=0, progress=progress)
    judge = _Judge(*range(20))
    _fit(bert, tmp_path, CheckpointPolicy("best", num_evals=20, judge=judge))
    assert len(judge.seen) == 20


@pytest.mark.parametrize("family", ["bert", "gemma"])
def test_layers_computed_twice_give_the_same_weights(
    folders: dict[str, Path], tmp_path: Path, family: str
) -> None:
    models = []
    for checkpointing in (False, True):
        model = tiny.start(folders[family])
        recipe = RECIPE.changed({"gradient_checkpointing": checkpointing, "steps": 6})
        facts = model.fit(
            [tiny.feed("tagging")], recipe, tiny.session(tmp_path / f"{checkpointing}")
        )
        assert not any(getattr(m, "gradient_checkpointing", False) for m in _parts(model))
        models.append((facts["loss"], _weights(model)))
    assert models[0][0] == models[1][0]
    assert _same(models[0][1], models[1][1])


def test_layers_computed_twice_keep_less(bert: Path, tmp_path: Path) -> None:
    byte_counts = []
    for checkpointing in (False, True):
        recipe, sizes = RECIPE.changed({"gradient_checkpointing": checkpointing, "steps": 1}), [0]

        def note(tensor: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes[0] += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            tiny.start(bert).fit(
                [tiny.feed("tagging")], recipe, tiny.session(tmp_path / f"{checkpointing}")
            )
        byte_counts.append(sizes[0])
    assert byte_counts[1] < byte_counts[0] / 2


def _parts(model: Any) -> Any:
    return model.backbone.reader.modules()


ADAFACTOR = RECIPE.changed(
    {
        "optimizer": "adafactor",
        "lr_scheduler_type": "constant",
        "warmup_ratio": 0.0,
        "learning_rate": 0.05,
    }
)


def test_adafactor_learns_and_goes_on_where_it_was(bert: Path, tmp_path: Path) -> None:
    def progress(count: int, total: int | None) -> None:
        if count == 11:
            raise KilledError

    def fit(folder: str, recipe: Recipe = ADAFACTOR, **changes: Any) -> tuple[Any, float]:
        model = tiny.start(bert)
        session = tiny.session(tmp_path / folder, **changes)
        return model, model.fit([tiny.feed("tagging")], recipe, session)["loss"]

    calm, loss = fit("calm")
    _, first = fit("first", ADAFACTOR.changed({"steps": 1}))
    assert loss < 0.6 * first
    with pytest.raises(KilledError):
        fit("killed", checkpoint_seconds=0, progress=progress)
    resumed, _ = fit("killed")
    assert _same(_weights(calm), _weights(resumed))
    adamw, _ = fit("adamw", ADAFACTOR.changed({"optimizer": "adamw"}))
    assert not _same(_weights(calm), _weights(adamw))
