"""Devices and number formats: indexed, refused before anything runs, and told afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from tests.hf import tiny
from xharness import Recipe
from xharness.errors import UnavailableError
from xharness.testing import toy_card, toy_examples
from xharness_hf.backbone import precision
from xharness_hf.speed import switches
from xharness_hf.training import checkpoint
from xharness_hf.training.exact_step import ExactStep

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
_ROUNDING: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]


class _PretendedGpu(TorchFunctionMode):
    """Leaves on the CPU what is sent to a GPU, and notes the device that was handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[torch.device] = []

    def note(self, device: object) -> None:
        assert isinstance(device, torch.device)
        self.devices.append(device)

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        def moved(value: object) -> object:
            if not isinstance(value, torch.device) or value.type != "cuda":
                return value
            self.note(value)
            return CPU

        return func(*tree_map(moved, args), **tree_map(moved, dict(kwargs or {})))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[_PretendedGpu]:
    """A GPU as far as devices are named; whatever it computes, the CPU does."""
    pretended = _PretendedGpu()
    monkeypatch.setenv(switches.VARIABLE, "fixed_step")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "pretended")
    monkeypatch.setattr(torch.cuda, "set_device", pretended.note)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: pretended.note(device))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: pretended.note(device))
    rounding = [backend.allow_tf32 for backend in _ROUNDING]
    with pretended:
        yield pretended
    for backend, value in zip(_ROUNDING, rounding, strict=True):
        backend.allow_tf32 = value


def test_every_device_that_torch_is_handed_has_an_index(
    bert: Path, tmp_path: Path, gpu: _PretendedGpu
) -> None:
    model = tiny.BACKEND.start(tiny.Options(path=bert), tiny.RunEnvironment(), "cuda")
    recipe = tiny.RECIPE.changed({"precision": "fp32", "steps": 2})
    for task_type in ("tagging", "classification"):
        feed = tiny.feed(task_type, 16)
        facts = model.fit([feed], recipe, tiny.session(tmp_path / task_type))
        predictions = model.predict(feed.card, feed.task_type, feed.examples, recipe)
        assert len(predictions) == 16
    assert model.embed(["the cat", "bird"], recipe).shape == (2, 32)
    assert facts["device"] == "cuda:0 (pretended)"
    assert len(gpu.devices) > 40
    assert {device.index for device in gpu.devices} == {0}


def test_neighbours_on_a_card_get_back_what_a_stage_no_longer_needs(
    bert: Path, tmp_path: Path, gpu: _PretendedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(stage))
    model = tiny.BACKEND.start(tiny.Options(path=bert), tiny.RunEnvironment(), "cuda")
    recipe, feed = tiny.RECIPE.changed({"precision": "fp32", "steps": 2}), tiny.feed("tagging", 16)
    stage = "fit"
    model.fit([feed], recipe, tiny.session(tmp_path))
    stage = "predict"
    model.predict(feed.card, feed.task_type, feed.examples, recipe)
    assert emptied == ["fit", "predict"]


def test_a_card_whose_memory_others_have_is_not_called_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*sizes: int, device: torch.device) -> None:
        raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be …")

    monkeypatch.setattr(torch, "zeros", full)
    with pytest.raises(UnavailableError, match="device 'cuda:0' has no memory left for another"):
        precision.device_of("cuda:0")


@pytest.mark.parametrize(
    ("capability", "automatic", "missing_formats"),
    [((9, 0), "bf16", set()), ((8, 0), "bf16", set()), ((7, 5), "fp16", {"bf16", "tf32"})],
)
def test_a_gpu_computes_in_the_best_format_that_it_has(
    capability: tuple[int, int], automatic: str, missing_formats: set[str], gpu: _PretendedGpu,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert precision.resolve(Recipe(), GPU).precision == automatic
    for name in ("fp32", "tf32", "bf16", "fp16"):
        if name in missing_formats:
            expected = rf"no {name} on cuda:0 \(pretended\)\n  precision: auto takes {automatic}"
            with pytest.raises(UnavailableError, match=expected):
                precision.check_device("cuda", {name})
        else:
            assert precision.resolve(Recipe(precision=name), GPU).precision == name


def test_products_are_rounded_to_tf32_only_where_that_was_chosen(
    gpu: _PretendedGpu,
) -> None:
    for chosen, rounded in [("fp32", False), ("tf32", True), ("auto", False)]:
        precision.resolve(Recipe(precision=chosen), GPU)
        assert [backend.allow_tf32 for backend in _ROUNDING] == [rounded] * 2


def test_a_cpu_computes_in_float32_unless_told_otherwise(bert: Path, tmp_path: Path) -> None:
    model = tiny.start(bert)
    assert model.computes(Recipe())
    recipe = tiny.RECIPE.changed({"steps": 1})
    facts = model.fit([tiny.feed("tagging", 16)], recipe, tiny.session(tmp_path))
    assert (facts["precision"], facts["device"]) == ("fp32", "cpu")
    assert model.computes(Recipe(precision="bf16"))["precision"] == "bf16"
    with pytest.raises(UnavailableError, match="no fp16 on cpu"):
        model.embed(["a"], Recipe(precision="fp16"))


def test_a_training_goes_on_only_in_the_format_it_began_in(bert: Path, tmp_path: Path) -> None:
    feed, session = tiny.feed("tagging", 16), tiny.session(tmp_path)

    def steps_after_an_interruption(recipe: Recipe) -> list[int]:
        steps: list[int] = []

        def stop(count: int, total: int | None) -> None:
            steps.append(count)
            if len(steps) == 2:
                raise KeyboardInterrupt

        stopping = tiny.session(tmp_path, progress=stop)
        with pytest.raises(KeyboardInterrupt):
            tiny.start(bert).fit([feed], recipe, stopping)
        return steps

    recipe = tiny.RECIPE.changed({"steps": 6})
    assert steps_after_an_interruption(recipe.changed({"precision": "fp32"})) == [1, 2]
    assert steps_after_an_interruption(recipe) == [3, 4]
    assert steps_after_an_interruption(recipe.changed({"precision": "bf16"})) == [1, 2]
    assert session.folder.is_dir()


def test_scaled_losses_give_the_same_weights_and_come_back(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scale is a power of two: in float32, where nothing vanishes, it changes no bit."""
    feed, recipe = tiny.feed("tagging", 16), tiny.RECIPE.changed({"steps": 4})
    unscaled = tiny.start(bert)
    unscaled.fit([feed], recipe, tiny.session(tmp_path / "plain"))
    initialise = ExactStep.__init__

    def scaled(self: ExactStep, *args: Any) -> None:
        initialise(self, *args)
        self._scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, growth_interval=3)

    monkeypatch.setattr(ExactStep, "__init__", scaled)
    other = tiny.start(bert)
    saved: list[dict[str, torch.Tensor]] = []
    write = checkpoint.write

    def keep(folder: Path, identity: str, stored: Any) -> None:
        saved.append(stored.tensors)
        write(folder, identity, stored)

    monkeypatch.setattr(checkpoint, "write", keep)
    session = tiny.session(tmp_path / "scaled", checkpoint_seconds=0)
    other.fit([feed], recipe, session)
    for tensor, two in zip(
        unscaled.backbone.module.parameters(), other.backbone.module.parameters(), strict=True
    ):
        assert torch.equal(tensor, two)
    assert [float(tensors["scaler/scale"]) for tensors in saved] == [2.0**12, 2.0**12, 2.0**13]


def test_shards_are_answered_as_all_at_once(bert: Path) -> None:
    model, card = tiny.start(bert), toy_card("tagging")
    feed = tiny.feed("tagging", 16)
    model.heads.add(
        card.head_name, model._head(card.head_name, "tagging", len(card.labels or ()), 1)
    )
    examples = toy_examples("tagging", 40)
    shards = [examples[first : first + 7] for first in range(0, 40, 7)]
    shard_answers = model.predict_each(card, feed.task_type, iter(shards), tiny.RECIPE)
    flat = [tags for shard in shard_answers for tags in shard]
    assert flat == list(model.predict(card, feed.task_type, examples, tiny.RECIPE))


def test_windows_that_are_cut_stand_in_the_receipt(bert: Path) -> None:
    model = tiny.start(bert)
    limit = model.computes(Recipe(max_length=99_999))["max_length"]
    assert 0 < int(limit) < 99_999
    assert "max_length" not in model.computes(Recipe(max_length=int(limit)))
