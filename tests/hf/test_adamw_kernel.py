"""The kernel for AdamW steps as torch's own optimiser does; interpreted where there is no GPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness import Recipe
from xharness_hf.speed import adamw_kernel, switches
from xharness_hf.speed.adamw_kernel import AdamWKernel, AdamWScalars, AdamWSlot
from xharness_hf.training import device_optim, fixed_step
from xharness_hf.training.graphs import NoGraphs

triton = pytest.importorskip("triton", reason="Triton is not installed")
pytestmark = pytest.mark.skipif(
    os.environ.get("TRITON_INTERPRET") != "1", reason="set TRITON_INTERPRET=1"
)
BETAS, EPS, RATE, DECAY = (0.9, 0.999), 1e-8, 1e-2, 0.1
CPU = torch.device("cpu")
RECIPE = Recipe(steps=5, learning_rate=1e-3, batch_size=8, max_length=24, doc_stride=8)


class StopError(Exception):
    """Stands for a kill: nothing in the code expects it."""


def _slots(half: torch.dtype) -> list[AdamWSlot]:
    sizes = (3, 32, 2048, 2051)
    masters = [torch.linspace(-1, 1, size).sin() for size in sizes]
    return [
        AdamWSlot(
            master, torch.zeros_like(master), torch.zeros_like(master), torch.zeros(()),
            master.mul(3).cos().to(half), master.to(torch.bfloat16), DECAY,
        )
        for master in masters
    ]  # fmt: skip


def _scalars(scale: float = 1.0, skipped: float = 0.0) -> AdamWScalars:
    return AdamWScalars(*(torch.tensor(number) for number in (RATE, scale, skipped)))


@pytest.mark.parametrize("form", [(True, True, True), (False, False, False)])
def test_it_compiles_where_there_is_no_gpu(
    form: tuple[bool, bool, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter runs much that no compiler takes; loads are as wide as they can be."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.compiler import compile as compile_kernel
    from triton.runtime.jit import JITFunction

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = JITFunction(adamw_kernel._adamw)
    pointers = {"table": "*i64", "blocks": "*i32"} | dict.fromkeys(
        ("decays", "rate", "scale", "skipped", "corrections"), "*fp32"
    )
    sizes = adamw_kernel._BLOCK, adamw_kernel._COLUMNS
    constants = dict(zip(kernel.arg_names[-5:], (*form, *sizes), strict=True))
    types = pointers | dict.fromkeys(constants, "constexpr")
    signature = {name: types.get(name, "fp32") for name in kernel.arg_names}
    indexes = {(kernel.arg_names.index(name),): number for name, number in constants.items()}
    source: Any = ASTSource(kernel, signature, indexes)
    assembly = compile_kernel(source, target=GPUTarget("cuda", 90, 32)).asm["ptx"]
    assert ("ld.global.v4" in assembly, "st.global.v4" in assembly) == (form[2], form[2])


@pytest.mark.parametrize("half", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_steps_are_those_of_torch(half: torch.dtype, scale: float) -> None:
    slots = _slots(half)
    masters = [torch.nn.Parameter(slot.master.clone()) for slot in slots]
    optimizer = torch.optim.AdamW(masters, lr=RATE, weight_decay=DECAY, betas=BETAS, eps=EPS)
    kernel = AdamWKernel(slots, 4, BETAS, EPS)
    for _ in range(4):
        for master, slot in zip(masters, slots, strict=True):
            master.grad = slot.grad.to(torch.float32) / scale
        optimizer.step()
        kernel.step(_scalars(scale))
    for master, slot in zip(masters, slots, strict=True):
        assert torch.allclose(slot.master, master, rtol=1e-5, atol=1e-6)
        assert slot.copy is not None
        # the interpreter cuts numbers off where a device rounds them
        assert torch.allclose(slot.copy.float(), slot.master, rtol=2**-7)
        assert float(slot.step) == 4


def test_a_step_that_is_skipped_changes_nothing() -> None:
    slots = _slots(torch.bfloat16)
    copies = [tensor.clone() for slot in slots for tensor in slot[:6]]  # type: ignore[union-attr]
    AdamWKernel(slots, 1, BETAS, EPS).step(_scalars(skipped=1.0))
    tensors = [tensor for slot in slots for tensor in slot[:6]]
    assert all(map(torch.equal, copies, tensors))  # type: ignore[arg-type]


def test_a_kernel_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: AdamWKernel, scalars: AdamWScalars) -> None:
        self._slots[0].master.add_(1)

    monkeypatch.setattr(AdamWKernel, "step", wrong)
    reason = adamw_kernel._disagreement.__wrapped__(CPU)
    assert reason is not None and "agree with torch.optim.AdamW: weights by" in reason


def test_a_compiler_that_is_missing_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: AdamWKernel, scalars: AdamWScalars) -> None:
        raise RuntimeError("Failed to find C compiler\nplease install one")

    monkeypatch.setattr(AdamWKernel, "step", broken)
    reason = adamw_kernel._disagreement.__wrapped__(CPU)
    assert reason == "Triton does not work here: RuntimeError: Failed to find C compiler"


def _fit(folder: Path, work: Path, progress: Any = None, **changes: Any) -> Any:
    model = tiny.start(folder)
    hook = {} if progress is None else {"progress": progress, "checkpoint_seconds": 0}
    feeds = [tiny.feed(task_type) for task_type in ("tagging", "classification")]
    model.facts = model.fit(feeds, RECIPE.changed(changes), tiny.session(work, **hook))
    return model


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel also on a CPU, where it is interpreted."""
    monkeypatch.setattr(fixed_step, "recorder", lambda device: NoGraphs())
    monkeypatch.setattr(device_optim, "refusal", lambda device: None)


@pytest.mark.parametrize(
    "changes", [{}, {"precision": "bf16"}, {"precision": "bf16", "gradient_accumulation_steps": 2}]
)
def test_trainings_learn_the_same(
    changes: dict[str, Any], bert: Path, tmp_path: Path, kernel: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fused = _fit(bert, tmp_path / "fused", **changes)
    monkeypatch.setattr(device_optim, "refusal", adamw_kernel.refusal)
    usual = _fit(bert, tmp_path / "plain", **changes)
    adamw = [model.facts["step"]["adamw"] for model in (fused, usual)]
    assert adamw == ["one kernel", "torch: no kernel for a cpu"]
    assert fused.facts["loss"] == pytest.approx(usual.facts["loss"], abs=0.02 if changes else 1e-5)
    for weight, rival in zip(weights(fused), weights(usual), strict=True):
        assert torch.allclose(weight, rival, atol=6e-3 if changes else 1e-5)


def test_an_interrupted_training_ends_with_the_same_weights(
    bert: Path, tmp_path: Path, kernel: None
) -> None:
    def stop(count: int, total: int | None) -> None:
        if count == 2:
            raise StopError

    calm = _fit(bert, tmp_path / "calm")
    with pytest.raises(StopError):
        _fit(bert, tmp_path / "killed", stop)
    resumed = _fit(bert, tmp_path / "killed")
    assert all(map(torch.equal, weights(calm), weights(resumed)))


def test_the_switch_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switches.VARIABLE, "adamw_kernel")
    assert adamw_kernel.refusal(CPU) == "XHARNESS_WITHOUT leaves it out"
