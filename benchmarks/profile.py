"""Where the time of our training and our prediction goes, by torch's profiler.

    python -m benchmarks.profile --data-root DIR --model DIR

Every torch operator's own time is counted to the part that its name belongs to. The wall time in
which no operator ran is Python's: tokenising, cutting into features, putting batches together. The
profiler itself lengthens small operators and Python most, so shares are told and no seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import predicting, training
from benchmarks.material import Material
from benchmarks.measurement import Setting
from benchmarks.tables import show_table
from xharness import provenance

PARTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "matrix products of linear layers": r"(add)?mm|(mkldnn)?linear(pointwise)?",
        "attention products": r"(badd)?bmm|softmax(data)?|scaleddotproduct.*|.*flashattention.*",
        "normalisation": r".*(layer|rms|batch)norm",
        "GELU": r".*gelu",
        "dropout and random numbers": r".*dropout|bernoulli|rand.*|normal|uniform|exponential",
        "copies and casts": r"copy|tocopy|to|clone|contiguous|cat|pad",
        "optimiser": r"optimizer.*|.*adamw?|.*adafactor|foreach.*|linalgvectornorm",
    }.items()
}
"""The part of an operator whose plain name matches; the first of several."""
PYTHON = "tokenising and batching in Python"
REST = "rest"
_DECORATION = re.compile(r"^.*: |^\w+::(\w+::)*|#.*$|[Bb]ackward\d*|_")


def part(operator: str) -> str:
    """The part that an operator or its gradient belongs to, whoever computes it.

    A name may be `aten::native_layer_norm_backward`, `NativeLayerNormBackward0` or
    `autograd::engine::evaluate_function: NativeLayerNormBackward0`.
    """
    name = operator
    while name != (shorter := _DECORATION.sub("", name)):
        name = shorter
    name = name.lower()
    return next((part for part, pattern in PARTS.items() if pattern.fullmatch(name)), REST)


def profiled(work: Callable[[], object]) -> dict[str, float]:
    """The share of each part in percent of the time that `work` took, most first."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        started = time.perf_counter()
        work()
        wall = time.perf_counter() - started
    seconds = dict.fromkeys([*PARTS, PYTHON, REST], 0.0)
    for average in profiler.key_averages():
        seconds[part(average.key)] += average.self_cpu_time_total / 1e6
    seconds[PYTHON] = max(wall - sum(seconds.values()), 0.0)
    total = sum(seconds.values())
    shares = {name: 100 * part_seconds / total for name, part_seconds in seconds.items()}
    return dict(sorted(shares.items(), key=lambda share: -share[1]))


def shares_of(task: str, setting: Setting) -> dict[str, dict[str, float]]:
    """The shares of training on `task`, and of predicting it in all its languages."""
    shared = Material(setting, task)
    predict, examples = predicting.prepare(shared)
    return {
        "training": profiled(training.prepare(shared)),
        "prediction": profiled(partial(predict, examples)),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Print a table of the shares, and write them where --json says."""
    options = _parser().parse_args(words)
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        setting = Setting(
            options.data_root.resolve(), options.model.resolve(), Path(folder), options.scale,
            options.precision,
        )  # fmt: skip
        shares = shares_of(options.task, setting)
    show_table(
        [_row(name, shares) for name in shares["training"]],
        title=f"own time of each part in percent: {options.task}, {options.precision}",
    )
    if options.json is not None:
        arguments = {key: str(value) for key, value in vars(options).items() if key != "json"}
        report = {"asked": arguments, "made_with": provenance(), "percent": shares}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _row(name: str, shares: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    return {"part": name} | {when: f"{percent[name]:.1f}" for when, percent in shares.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.profile", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data-root", type=Path, required=True, help="plain clones of public data")
    parser.add_argument("--model", type=Path, required=True, help="a backbone's folder")
    parser.add_argument("--task", choices=training.TASKS, default="wikiann")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of examples")
    parser.add_argument("--json", type=Path, help="file to write the shares to")
    return parser


if __name__ == "__main__":
    main()
