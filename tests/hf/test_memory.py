"""Memory that runs out while learning: smaller pieces, the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness.errors import StageError
from xharness.plugin.api import Recipe
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch
from xharness_hf.training.loop import checkpoint

RECIPE = Recipe(steps=6, learning_rate=3e-3, batch_size=16, max_length=24, precision="fp32")


@pytest.fixture(scope="module")
def undropped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone whose dropout does not hang on how a batch is cut."""
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return tiny.bert(tmp_path_factory.mktemp("undropped"), **no_dropout)


def _fit(
    backbone: Path, folder: Path, task_type: str = "tagging", **changes: Any
) -> tuple[Any, Any]:
    model = tiny.start(backbone)
    session = tiny.session(folder, **changes)
    return model, model.fit([tiny.feed(task_type)], RECIPE, session)


def _refuse(monkeypatch: pytest.MonkeyPatch, limit: int, *, backward: bool = False) -> None:
    """No batch of more than `most` rows fits, forward or where its gradients are computed."""
    honest = Backbone.states

    def refuse(gradient: Tensor) -> Tensor:
        raise torch.OutOfMemoryError

    def states(self: Backbone, batch: Batch, layer: int | None = None) -> Tensor:
        states = honest(self, batch, layer)
        if len(batch.ids) > limit and not backward:
            raise torch.OutOfMemoryError
        if len(batch.ids) > limit:
            states.register_hook(refuse)
        return states

    monkeypatch.setattr(Backbone, "states", states)


@pytest.mark.parametrize("backward", [False, True])
def test_smaller_pieces_give_the_same_weights(
    backward: bool, undropped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, facts = _fit(undropped, tmp_path / "calm")
    _refuse(monkeypatch, 5, backward=backward)
    narrow, told = _fit(undropped, tmp_path / "narrow")
    assert (facts["gradient_accumulation_steps"], told["gradient_accumulation_steps"]) == (1, 4)
    assert told["loss"] == pytest.approx(facts["loss"], abs=1e-5)
    for tensor, narrow_tensor in zip(weights(calm), weights(narrow), strict=True):
        assert torch.allclose(tensor, narrow_tensor, atol=1e-5)


def test_a_checkpoint_remembers_the_pieces(
    undropped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(count: int, total: int | None) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as narrow:
        _refuse(narrow, 8)
        with pytest.raises(KeyboardInterrupt):
            _fit(undropped, tmp_path, progress=stop)
    assert [*tmp_path.glob(f"{checkpoint._PREFIX}*")]
    assert _fit(undropped, tmp_path)[1]["gradient_accumulation_steps"] == 2


@pytest.mark.parametrize(
    ("task_type", "limit", "message"),
    [("tagging", 0, "learn from one input of"), ("retrieval", 8, "tell 16 pairs apart at once")],
)
def test_what_cannot_be_smaller_is_refused(
    task_type: str, limit: int, message: str, undropped: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _refuse(monkeypatch, limit)
    with pytest.raises(StageError, match=f"not enough memory to {message}") as caught:
        _fit(undropped, tmp_path, task_type)
    assert "max_length" in str(caught.value)
