"""Training: it learns, goes on from where it was, and says why it cannot."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from tests.faults.flips import flip_a_bit
from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness.errors import StageError
from xharness.plugin.api import Mixture, Recipe
from xharness.testing import toy_card, toy_examples
from xharness_hf.heads.objectives import HeadTask
from xharness_hf.heads.tagging import TaggingTask
from xharness_hf.training.loop import checkpoint

FEEDS = ("tagging", "extractive_qa", "multiple_choice")
RECIPE = Recipe(steps=24, learning_rate=3e-3, batch_size=8, max_length=24, doc_stride=8)


class KilledError(Exception):
    """Stands for a kill: nothing in the code expects it."""


def _same(one: Any, two: Any) -> bool:
    pairs = zip(weights(one), weights(two), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def _fit(
    folder: Path, bert: Path, last_step: int | None = None, ending: str = "crash", **changes: Any
) -> Any:
    def progress(count: int, total: int | None) -> None:
        assert total == RECIPE.steps
        if count == last_step and ending == "crash":
            raise KilledError
        if count == last_step:
            os.kill(os.getpid(), signal.SIGINT)

    model = tiny.start(bert)
    session = tiny.session(folder, progress=progress, **changes)
    model.facts = model.fit([tiny.feed(task_type) for task_type in FEEDS], RECIPE, session)
    return model


def test_a_killed_training_ends_with_the_same_weights(bert: Path, tmp_path: Path) -> None:
    calm = _fit(tmp_path / "calm", bert)
    for last_step in (5, 17, 24):
        with pytest.raises(KilledError):
            _fit(tmp_path / "killed", bert, last_step=last_step, checkpoint_seconds=0)
        names = [path.name for path in (tmp_path / "killed").iterdir()]
        assert names == [f"checkpoint-{min(last_step, 23)}"], "the latest alone is kept"
    resumed = _fit(tmp_path / "killed", bert)
    assert _same(calm, resumed)
    assert calm.facts["loss"] == resumed.facts["loss"]


def test_ctrl_c_saves_between_steps(bert: Path, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        _fit(tmp_path / "stopped", bert, last_step=7, ending="signal")
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["checkpoint-8"]
    assert signal.getsignal(signal.SIGINT) == handler
    assert _same(_fit(tmp_path / "calm", bert), _fit(tmp_path / "stopped", bert))


def test_a_damaged_or_foreign_checkpoint_counts_as_none(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KilledError):
        _fit(tmp_path, bert, last_step=9, checkpoint_seconds=0)
    (checkpoint_folder,) = tmp_path.iterdir()
    assert checkpoint.newest(tmp_path, "of another training") is None
    assert not capsys.readouterr().err
    flip_a_bit(checkpoint_folder / "tensors.safetensors", Random(2))
    assert _same(_fit(tmp_path / "calm", bert), _fit(tmp_path, bert))
    assert (
        capsys.readouterr().err.count(f"{checkpoint_folder}: damaged, its steps are made again")
        == 1
    )


def _written(folder: Path) -> Path:
    """A checkpoint after three steps, with a selection."""
    tensors = {name: torch.arange(40.0) for name in ("a", "b")}
    stored = checkpoint.TrainingCheckpoint(3, tensors, {"loss": [0.5, 0.25]}, tensors)
    checkpoint.write(folder, "mine", stored)
    return folder / "checkpoint-3"


@pytest.mark.parametrize("name", ["tensors.safetensors", "kept.safetensors", "state.json"])
@pytest.mark.parametrize("seed", range(12))
def test_no_flipped_bit_of_a_checkpoint_is_believed(
    tmp_path: Path, name: str, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _written(tmp_path)
    sound = checkpoint.newest(tmp_path, "mine")
    assert sound is not None and sound.step == 3 and not capsys.readouterr().err
    flip_a_bit(folder / name, Random(seed))
    assert checkpoint.newest(tmp_path, "mine") is None
    assert f"{folder}: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tensors.safetensors", "kept.safetensors", "state.json"])
@pytest.mark.parametrize("content", [None, b"", b"torn", b"[" * 100_000, b"{}", b"7"])
def test_no_other_file_is_taken_for_a_checkpoint_s(
    tmp_path: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _written(tmp_path) / name
    path.unlink() if content is None else path.write_bytes(content)
    assert checkpoint.newest(tmp_path, "mine") is None
    assert f"{path.parent}: damaged" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_written_is_an_error(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of the folder")
    with pytest.raises(StageError, match="the checkpoint cannot be written"):
        _fit(tmp_path / "file", bert, checkpoint_seconds=0)


def test_equal_seeds_give_equal_weights(bert: Path, tmp_path: Path) -> None:
    def weights_of(seed: int) -> Any:
        model = tiny.start(bert)
        recipe = Recipe(steps=3, batch_size=8)
        model.fit([tiny.feed("multiple_choice")], recipe, tiny.session(tmp_path / "x", seed=seed))
        return model

    assert _same(weights_of(1), weights_of(1))
    assert not _same(weights_of(1), weights_of(2))


def test_training_leaves_the_global_generator_alone(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    model.fit([tiny.feed("multiple_choice")], Recipe(steps=2), tiny.session(tmp_path))
    assert torch.equal(torch.rand(1), expected)


def test_a_loss_that_is_not_finite_names_the_step(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = TaggingTask.loss, iter(range(100))

    def loss(self: HeadTask, *args: Any) -> Any:
        value = honest(self, *args)  # type: ignore[arg-type]
        return value * float("nan") if next(calls) == 4 else value

    monkeypatch.setattr(TaggingTask, "loss", loss)
    with pytest.raises(StageError) as caught:
        tiny.start(bert).fit([tiny.feed("tagging")], RECIPE, tiny.session(tmp_path))
    message = str(caught.value)
    assert "loss is nan at step 5; last finite loss 0." in message
    assert "at step 4\n  try a lower learning_rate than 0.003" in message


def test_split_sources_of_a_batch_add_up_to_the_batch(tmp_path: Path) -> None:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    folder = tiny.bert(tmp_path / "still", **still)
    gradients = []
    for pieces in (1, 3):
        model = tiny.start(folder)
        recipe = RECIPE.model_copy(
            update={"gradient_accumulation_steps": pieces, "steps": 6, "learning_rate": 1e-4}
        )
        model.heads.clear()
        facts = model.fit(
            [tiny.feed(task_type) for task_type in FEEDS],
            recipe,
            tiny.session(tmp_path / str(pieces)),
        )
        gradients.append((facts["loss"], weights(model)))
    assert gradients[0][0] == pytest.approx(gradients[1][0], rel=1e-4)
    for tensor, two in zip(gradients[0][1], gradients[1][1], strict=True):
        assert torch.allclose(tensor, two, atol=3e-4)


def test_only_heads_learn_on_a_frozen_body(bert: Path, tmp_path: Path) -> None:
    model, untouched = tiny.start(bert), tiny.start(bert)
    recipe = Recipe(steps=20, learning_rate=1e-2, freeze_ratio=1.0)
    facts = model.fit([tiny.feed("classification")], recipe, tiny.session(tmp_path))
    assert facts["learning_parameters"] == 2 * 32 + 2
    for tensor, two in zip(
        model.backbone.module.parameters(), untouched.backbone.module.parameters(), strict=True
    ):
        assert torch.equal(tensor, two)


def test_heads_are_dropped_or_kept_by_choice(bert: Path, tmp_path: Path) -> None:
    model, recipe = tiny.start(bert), Recipe(steps=1)
    model.fit([tiny.feed("multiple_choice")], recipe, tiny.session(tmp_path / "1"))
    model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / "2", heads="keep"))
    assert list(model.heads) == ["toy_multiple_choice", "toy_tagging"]
    head = model.heads.get("toy_multiple_choice", "multiple_choice")
    model.fit([tiny.feed("multiple_choice")], recipe, tiny.session(tmp_path / "3", heads="keep"))
    assert model.heads.get("toy_multiple_choice", "multiple_choice") is head
    model.fit([tiny.feed("tagging")], recipe, tiny.session(tmp_path / "4"))
    assert list(model.heads) == ["toy_tagging"]
    with pytest.raises(
        StageError, match=r"no head 'toy_multiple_choice'; expected .*: toy_tagging"
    ):
        model.predict(
            toy_card("multiple_choice"),
            tiny.TASK_TYPES["multiple_choice"],
            toy_examples("multiple_choice", 3),
            recipe,
        )


def test_a_head_of_another_shape_is_refused(bert: Path, tmp_path: Path) -> None:
    model, recipe = tiny.start(bert), Recipe(steps=1)
    model.fit([tiny.feed("tagging", head="shared")], recipe, tiny.session(tmp_path / "1"))
    with pytest.raises(StageError, match="head 'shared' answers tagging with 2 outputs"):
        second_feed = tiny.feed("multiple_choice", head="shared")
        model.fit([second_feed], recipe, tiny.session(tmp_path / "2", heads="keep"))


def test_there_must_be_something_to_learn(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="nothing to learn from in 'toy_tagging'"):
        tiny.start(bert).fit([tiny.feed("tagging", 0)], Recipe(), tiny.session(tmp_path))
    with pytest.raises(StageError, match="no head for the task type 'bitext"):
        tiny.start(bert).fit([tiny.feed("bitext_retrieval")], Recipe(), tiny.session(tmp_path))


def test_several_feeds_learn_together(bert: Path, tmp_path: Path) -> None:
    model, recipe = tiny.start(bert), tiny.RECIPE.model_copy(update={"epochs": 9})
    task_types = ("classification", "multiple_choice", "tagging")
    facts = model.fit(
        [tiny.feed(task_type, 120) for task_type in task_types], recipe,
        tiny.session(tmp_path, mixture=Mixture("uniform")),
    )  # fmt: skip
    assert facts["examples"] == {f"toy_{task_type}": 120 for task_type in task_types}
    assert facts["loss"] < 0.2
    for task_type in ("classification", "multiple_choice"):
        examples = toy_examples(task_type, 60, seed=9)
        answers = model.predict(toy_card(task_type), tiny.TASK_TYPES[task_type], examples, recipe)
        assert tiny.accuracy(answers, examples) > 0.9


def test_bf16_learns_and_answers(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    recipe = Recipe(steps=2, batch_size=4, precision="bf16")
    assert model.fit([tiny.feed("multiple_choice", 8)], recipe, tiny.session(tmp_path))["loss"] > 0
    assert all(tensor.dtype == torch.float32 for tensor in weights(model))
    answers = model.predict(
        toy_card("multiple_choice"),
        tiny.TASK_TYPES["multiple_choice"],
        toy_examples("multiple_choice", 3),
        recipe,
    )
    assert len(answers) == 3
