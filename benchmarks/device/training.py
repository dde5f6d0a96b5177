"""Training on a device: a rehearsal finds the seconds of a step, then so many steps are timed."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from benchmarks import material, scripts
from benchmarks import training as on_cpu
from benchmarks.device.meter import StepMeter, peak_megabytes, reset_peak
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Contestant, Measurement, Setting

TASKS = ("wikiann", "tydiqa", "udpos", "xnli")
_BATCH = 32
_SECONDS = 5.0  # that the timed steps should last
_ATTEMPTS = 3
_REHEARSED, _PROFILED, _LEFT_OUT = 12, 8, 4  # steps
_RECORDED = 64  # steps after which ours has recorded its graphs


def ours(task: str, setting: Setting) -> Measurement:
    """`HfModel.fit`."""
    shared = Material(setting, task)
    examples = shared.train_examples(None)

    def learn(name: str, part: list[Any], meter: StepMeter) -> Epoch:
        model = material.load_model(setting.model, device=setting.device)
        clock = Clock(device=setting.device)
        with clock.running():
            _, facts = on_cpu.fit(shared, model, part, name, meter)
        return Epoch(facts["tokens_per_second"] * facts["seconds"], facts["loss"], clock)

    return _measure(setting, examples, learn, _RECORDED)


def trainer(task: str, compiled: bool, setting: Setting) -> Measurement:
    """`Trainer.train` at its best: fused AdamW, batches by length, bf16 where it is asked for."""
    shared = Material(setting, task)
    examples = shared.train_examples(None)

    def learn(name: str, part: list[Any], meter: StepMeter) -> Epoch:
        model, tokenizer = scripts.parts(shared)
        clock = Clock(device=setting.device)
        with clock.running():
            rows = scripts.features(shared, tokenizer, part, pad=False)
            fitted = scripts.trainer(
                shared, model, tokenizer, best=True, compiled=compiled,
                train_dataset=rows, callbacks=[_callback(meter)],
            )  # fmt: skip
            output = fitted.train()
        return Epoch(scripts.tokens(rows), output.training_loss, clock)

    return _measure(setting, examples, learn, _LEFT_OUT)


class Epoch(NamedTuple):
    """What an epoch of a fresh model read and lost, and the clock that ran meanwhile."""

    tokens: float
    loss: float
    clock: Clock


Learn = Callable[[str, list[Any], StepMeter], Epoch]
"""Trains a fresh model for an epoch of examples and tells the meter of each step."""


def _measure(
    setting: Setting, examples: list[Any], learn: Learn, profiled_after: int
) -> Measurement:
    """A rehearsal, then as many steps as fill the time, then some under the profiler.

    What is compiled or recorded makes the first steps slow: where the time turns out not to be
    filled, more steps are timed with another fresh model.
    """
    scale = min(setting.scale, 1.0)
    rehearsed = max(round(_REHEARSED * scale), 6)
    rehearsal = StepMeter(setting.device, rehearsed // 2)
    first = learn("rehearsal", examples[: rehearsed * _BATCH], rehearsal)
    steps = math.ceil(_SECONDS * scale / max(rehearsal.seconds_per_step, 1e-4))
    for attempt in range(_ATTEMPTS):
        gc.collect()  # the model before leaves first
        reset_peak(setting.device)
        meter = StepMeter(setting.device, max(steps // 8, min(_LEFT_OUT, rehearsed // 2)))
        epoch = learn(f"timed-{attempt}", examples[: max(steps, rehearsed) * _BATCH], meter)
        if epoch.clock.seconds > _SECONDS * scale / 2 or steps * _BATCH >= len(examples):
            break
        steps = math.ceil(steps * _SECONDS * scale / epoch.clock.seconds)
    megabytes = peak_megabytes(setting.device)
    gc.collect()
    count = max(round(profiled_after * scale), 2) + _PROFILED
    profiled = StepMeter(setting.device, 1, _PROFILED)
    learn("profiled", examples[: count * _BATCH], profiled)
    device = {
        "steps": meter.steps,
        "seconds_per_step": meter.seconds_per_step,
        "kernel_seconds_per_step": profiled.kernel_seconds_per_step,
        "rehearsal_seconds": first.clock.seconds,
        "megabytes": megabytes,
    }
    return epoch.clock.measurement(epoch.tokens, {"loss": epoch.loss}, device)


def _callback(meter: StepMeter) -> Any:
    from transformers import TrainerCallback

    class Meter(TrainerCallback):  # type: ignore[misc]
        """Tells the meter of each step."""

        def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
            meter(state.global_step, state.max_steps)

    return Meter()


def contest(task: str) -> Contest:
    """Ours and `Trainer` at its best."""
    contestants: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer at its best": partial(trainer, task, False),
    }
    return Contest("sub-words/s", contestants)


def compiled_contest(task: str) -> Contest:
    """`Trainer` with `torch_compile`, which takes a minute to warm up."""
    contestants: dict[str, Contestant] = {
        "Trainer, torch_compile": partial(trainer, task, True),
    }
    return Contest("sub-words/s", contestants)
