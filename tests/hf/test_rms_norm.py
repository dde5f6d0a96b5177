"""Decoders' norms by torch's kernel: which modules are taken, and that trainings learn the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.hf import tiny
from tests.hf.tiny import RECIPE
from xharness_hf.speed import switches
from xharness_hf.speed.rms_norm import RmsNorms, rms_norm_refusal
from xharness_hf.training import fast_layers, fixed_step
from xharness_hf.training.graphs import NoGraphs

CPU = torch.device("cpu")


class Centred(nn.Module):
    """A norm of another kind, under the names that RMS norms have."""

    def __init__(self) -> None:
        super().__init__()
        self.eps = 1e-6
        self.weight = nn.Parameter(torch.ones(8))

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.layer_norm(states, (8,), self.weight.to(states), None, self.eps)


@pytest.mark.parametrize(("family", "count"), [("llama", 7), ("gemma", 19), ("bert", 0)])
def test_norms_of_decoders_are_found(family: str, count: int, tmp_path: Path) -> None:
    """Two a layer and the last one; Gemma has four a layer, and two on queries and keys."""
    model = tiny.start(tiny.FAMILIES[family](tmp_path / family))
    assert len(RmsNorms(model.backbone.reader)) == count


def test_a_norm_that_computes_otherwise_is_not_taken() -> None:
    assert len(RmsNorms(nn.ModuleList([Centred(), nn.LayerNorm(8), nn.Linear(8, 8)]))) == 0


@pytest.mark.parametrize("family", ["llama", "gemma"])
@pytest.mark.parametrize("form", [torch.float32, torch.bfloat16])
def test_answers_and_gradients_are_the_familys(
    family: str, form: torch.dtype, tmp_path: Path
) -> None:
    reader = tiny.start(tiny.FAMILIES[family](tmp_path / family)).backbone.reader
    module = next(part for part in reader.modules() if type(part).__name__.endswith("RMSNorm"))
    with torch.no_grad():
        module.weight.normal_()
    states = torch.randn(2, 5, len(module.weight)).to(form).requires_grad_()
    ramp = torch.linspace(-1, 2, states.numel()).view(states.shape)
    expected = module(states)
    gradients = torch.autograd.grad(expected, [states, module.weight], ramp.to(expected))
    with RmsNorms(reader).running():
        assert "forward" in vars(module)
        ours = module(states)
        found = torch.autograd.grad(ours, [states, module.weight], ramp.to(ours))
    assert ours.dtype == expected.dtype
    tolerance = 1e-5 if form == torch.float32 else 0.02
    for tensor, rival in zip([ours, *found], [expected, *gradients], strict=True):
        distance = (tensor - rival).detach().float().norm() / rival.detach().float().norm()
        assert float(distance) < tolerance
    assert "forward" not in vars(module)


def _fit(folder: Path, work: Path, **changes: Any) -> Any:
    model = tiny.start(folder)
    recipe = RECIPE.changed(changes)
    model.facts = model.fit([tiny.feed("classification")], recipe, tiny.session(work))
    return model


@pytest.mark.parametrize("family", ["llama", "gemma"])
def test_trainings_learn_the_same(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixed_step, "recorder", lambda device: NoGraphs())
    folder = tiny.FAMILIES[family](tmp_path / family)
    usual = _fit(folder, tmp_path / "usual")
    monkeypatch.setattr(fast_layers, "rms_norm_refusal", lambda device: None)
    by_kernel = _fit(folder, tmp_path / "kernel")
    count = {"llama": 7, "gemma": 19}[family]
    assert usual.facts["step"]["norms"] == "no gain on a cpu"
    assert by_kernel.facts["step"]["norms"] == f"one kernel in {count} modules"
    assert by_kernel.facts["loss"] == pytest.approx(usual.facts["loss"], abs=1e-4)


def test_the_switch_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rms_norm_refusal(torch.device("cuda:0")) is None
    assert rms_norm_refusal(CPU) == "no gain on a cpu"
    monkeypatch.setenv(switches.VARIABLE, "rms_norm")
    assert rms_norm_refusal(torch.device("cuda:0")) == "XHARNESS_WITHOUT leaves it out"
