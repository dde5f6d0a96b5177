"""Prediction over all languages on a device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import predicting as on_cpu
from benchmarks import scripts
from benchmarks.device.meter import kernel_seconds_of, peak_megabytes, reset_peak
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Contestant, Measurement, Setting

COUNTS = {"wikiann": 250, "tydiqa": 400}
"""Examples of each language, at most."""
_PROFILED = 1024


def ours(task: str, setting: Setting) -> Measurement:
    """`HfModel.predict`, as a study asks."""
    shared = Material(setting, task)
    predict, examples = on_cpu.prepare(shared, COUNTS[task])
    return _measure(shared, lambda part: (part, predict(part)), examples)


def trainer(task: str, setting: Setting) -> Measurement:
    """`Trainer.predict` at its best: everything sorted by length together, large batches."""
    shared = Material(setting, task)
    languages = shared.eval_examples(COUNTS[task])
    examples = [example for _, language_examples in languages for example in language_examples]
    return _measure(shared, on_cpu.TrainerPrediction(shared, best=True), examples)


Predict = Callable[[list[Any]], tuple[list[Any], list[Any]]]


def _measure(shared: Material, predict: Predict, examples: list[Any]) -> Measurement:
    device = shared.setting.device
    part = examples[:: max(len(examples) // _PROFILED, 1)]
    predict(part)
    kernel_seconds = kernel_seconds_of(lambda: predict(part), device)
    reset_peak(device)
    clock = Clock(device=device)
    with clock.running():
        _, predictions = predict(examples)
    megabytes = peak_megabytes(device)
    tokenizer = scripts.tokenizer(shared)
    tokens, part_tokens = (
        scripts.tokens(scripts.features(shared, tokenizer, rows, pad=False))
        for rows in (examples, part)
    )
    measured = {
        "kernel_seconds": kernel_seconds * tokens / max(part_tokens, 1),
        "items": len(examples),
        "megabytes": megabytes,
    }
    return clock.measurement(tokens, on_cpu.checks(shared, examples, predictions), measured)


def contest(task: str) -> Contest:
    """Ours and `Trainer.predict` at its best."""
    contestants: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer.predict at its best": partial(trainer, task),
    }
    return Contest("sub-words/s", contestants)
