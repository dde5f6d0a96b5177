"""Dropout, residual and norm by one kernel: as torch's, and the same masks there and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness import Recipe
from xharness_hf.speed import residual_norm, switches
from xharness_hf.speed.joint_linear import HalfStates
from xharness_hf.speed.residual_norm import ResidualNorms, dropped_norm
from xharness_hf.training import fast_layers, fixed_step
from xharness_hf.training.graphs import NoGraphs

triton = pytest.importorskip("triton", reason="Triton is not installed")
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreted = pytest.mark.skipif(not INTERPRETED, reason="set TRITON_INTERPRET=1")
CPU = torch.device("cpu")
RECIPE = Recipe(steps=4, learning_rate=1e-3, batch_size=4, max_length=12, doc_stride=4)


class StopError(Exception):
    """Stands for a kill: nothing in the code expects it."""


class Output(nn.Module):
    """As encoders of BERT's kind end half a layer; `order` says what comes first."""

    def __init__(self, width: int, rate: float = 0.0, order: str = "residual") -> None:
        super().__init__()
        self.dense, self.dropout = nn.Linear(width, width), nn.Dropout(rate)
        self.LayerNorm, self.order = nn.LayerNorm(width), order

    def forward(self, hidden_states: torch.Tensor, input_tensor: torch.Tensor) -> torch.Tensor:
        states = self.dropout(self.dense(hidden_states))
        if self.order == "norm":
            return self.LayerNorm(states) + input_tensor
        normalised: torch.Tensor = self.LayerNorm(states + input_tensor)
        return normalised


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several rows for each program, without many rows."""
    monkeypatch.setattr(residual_norm, "_PROGRAMS", 4)


@pytest.mark.skipif(INTERPRETED, reason="what the kernel calls cannot be compiled then")
@pytest.mark.parametrize("name", ["_forward", "_backward"])
def test_it_compiles_where_there_is_no_gpu(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter runs much that no compiler takes."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.compiler import compile as compile_kernel

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = getattr(residual_norm, name)
    numbers = {"width": "i32", "rows": "i32", "eps": "fp32", "rate": "fp32", "gain": "fp32"}
    halves = dict.fromkeys(("states", "half", "of_states"), "*bf16")
    constants = {"DROPS": True, "BLOCK": 512, "STRETCH": 3}
    types = numbers | halves | {"seed": "*i32"} | dict.fromkeys(constants, "constexpr")
    signature = {name: types.get(name, "*fp32") for name in kernel.arg_names}
    indexes = {
        (kernel.arg_names.index(name),): number
        for name, number in constants.items()
        if name in kernel.arg_names
    }
    source: Any = ASTSource(kernel, signature, indexes)
    assert ".visible .entry" in compile_kernel(source, target=GPUTarget("cuda", 90, 32)).asm["ptx"]


@interpreted
@pytest.mark.parametrize(("width", "rate"), [(48, 0.0), (40, 0.3)])
def test_states_and_gradients_are_those_of_torch(width: int, rate: float) -> None:
    assert residual_norm._agrees(CPU, width, rate) or rate  # 9 rows are few to count a share by
    norm, seed = nn.LayerNorm(width), torch.tensor([3], dtype=torch.int32)
    nn.init.normal_(norm.weight)
    states, residual = (torch.randn(9, width, requires_grad=True) for _ in range(2))
    leaves, slopes = [states, residual, norm.weight, norm.bias], torch.randn(9, width)
    outputs, _ = dropped_norm(states, residual, norm, rate, seed)
    gradients = torch.autograd.grad(outputs, leaves, slopes)
    mask = (gradients[0] != 0) / (1 - rate)
    torch_own = norm(states * mask + residual)
    assert torch.allclose(outputs, torch_own, atol=1e-5)
    for gradient, expected in zip(
        gradients, torch.autograd.grad(torch_own, leaves, slopes), strict=True
    ):
        assert torch.allclose(gradient, expected, atol=1e-4)


@interpreted
def test_draws_are_even_and_strangers_to_each_other() -> None:
    """Neighbours, rows and seeds: shares of what drops out in both are products of the shares."""
    rows, width, rate = 64, 128, 0.25
    seeds = [torch.tensor([seed]).int() for seed in (1, 2, 2**30 + 1)]
    states = torch.ones(rows, width, requires_grad=True)
    masks = []
    for seed in seeds:
        norm = nn.LayerNorm(width)
        normalised, _ = dropped_norm(states, torch.zeros(rows, width), norm, rate, seed)
        ramp = torch.randn(rows, width)
        masks.append(torch.autograd.grad(normalised, states, ramp)[0] == 0)
    tolerance = 4 * (rate * (1 - rate) / (rows * width)) ** 0.5
    assert all(abs(float(mask.float().mean()) - rate) < tolerance for mask in masks)
    mask = masks[0]
    pairs = [(mask, masks[1]), (mask, masks[2]), (mask, mask.roll(1, 0)), (mask, mask.roll(1, 1))]
    assert all(
        abs(float((first & second).float().mean()) - rate**2) < tolerance for first, second in pairs
    )


@interpreted
def test_what_drops_out_hangs_on_the_seed_alone() -> None:
    norm, states = nn.LayerNorm(32), torch.ones(5, 32)
    masks = [
        dropped_norm(states, torch.zeros(5, 32), norm, 0.5, torch.tensor([seed]).int())[0]
        for seed in (1, 1, 2)
    ]
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
    assert not torch.equal(masks[0][0], masks[0][1])


def test_only_modules_that_compute_so_are_taken() -> None:
    reader = nn.ModuleList([Output(16), Output(16, order="norm"), nn.Linear(16, 16)])
    assert len(ResidualNorms(reader, HalfStates())) == 1


@interpreted
def test_linear_layers_find_the_half_that_the_kernel_wrote() -> None:
    halves, module = HalfStates(), Output(16)
    norms = ResidualNorms(nn.ModuleList([module]), halves)
    with norms.running(CPU), torch.autocast("cpu", torch.bfloat16):
        states = module(torch.randn(3, 16), torch.randn(3, 16))
        half = halves.of(states, torch.bfloat16)
        assert half is halves.of(states, torch.bfloat16)
        assert torch.allclose(half.float(), states, rtol=2**-7, atol=1e-6)
        assert halves.of(states + 1, torch.bfloat16) is not half
    assert halves.of(states, torch.bfloat16) is not half
    assert "forward" not in vars(module)


def _fit(folder: Path, work: Path, progress: Any = None, **changes: Any) -> Any:
    model = tiny.start(folder)
    hook = {} if progress is None else {"progress": progress, "checkpoint_seconds": 0}
    recipe = RECIPE.changed(changes)
    model.facts = model.fit([tiny.feed("classification")], recipe, tiny.session(work, **hook))
    return model


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel also on a CPU, where it is interpreted."""
    monkeypatch.setattr(fixed_step, "recorder", lambda device: NoGraphs())
    monkeypatch.setattr(fast_layers, "residual_norm_refusal", lambda device: None)


@interpreted
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_trainings_learn_the_same(
    precision: str, tmp_path: Path, kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout, whose draws are other ones."""
    folder = tiny.bert(tmp_path / "bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    fused = _fit(folder, tmp_path / "fused", precision=precision)
    monkeypatch.setattr(fast_layers, "residual_norm_refusal", residual_norm.residual_norm_refusal)
    usual = _fit(folder, tmp_path / "plain", precision=precision)
    norms = [model.facts["step"]["norms"] for model in (fused, usual)]
    assert norms == ["one kernel in 4 modules", "no kernel for a cpu"]
    tolerance = 0.02 if precision == "bf16" else 1e-5
    assert fused.facts["loss"] == pytest.approx(usual.facts["loss"], abs=tolerance)
    for weight, rival in zip(weights(fused), weights(usual), strict=True):
        assert torch.allclose(weight, rival, atol=6e-3 if precision == "bf16" else 1e-5)


@interpreted
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path, kernel: None) -> None:
    def stop(count: int, total: int | None) -> None:
        if count == 2:
            raise StopError

    folder = tiny.bert(tmp_path / "bert", hidden_dropout_prob=0.3)
    calm = _fit(folder, tmp_path / "calm")
    with pytest.raises(StopError):
        _fit(folder, tmp_path / "killed", stop)
    resumed = _fit(folder, tmp_path / "killed")
    assert all(map(torch.equal, weights(calm), weights(resumed)))


def test_a_kernel_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residual_norm, "_agrees", lambda *case: False)
    reason = residual_norm._disagreement.__wrapped__(CPU)
    assert reason == "the kernel does not agree with torch's layer norm"


def test_the_switch_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switches.VARIABLE, "residual_norm")
    assert residual_norm.residual_norm_refusal(CPU) == "XHARNESS_WITHOUT leaves it out"
