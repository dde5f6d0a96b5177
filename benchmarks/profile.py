"""Where the time of our training and our prediction goes, by torch's profiler.

    python -m benchmarks.profile --data-root DIR --model DIR

Every torch operator's own time is counted to the part that its name belongs to. The wall time in
which no operator ran is Python's: tokenising, cutting into units, putting batches together. The
profiler itself lengthens small operators and Python most, so shares are told and no seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import predicting, training
from benchmarks.material import Material
from benchmarks.measured import Setting
from xharness.console import show_table
from xharness.executor.provenance import provenance

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
    plain = operator
    while plain != (barer := _DECORATION.sub("", plain)):
        plain = barer
    plain = plain.lower()
    return next((name for name, one in PARTS.items() if one.fullmatch(plain)), REST)


def profiled(work: Callable[[], object]) -> dict[str, float]:
    """The share of each part in percent of the time that `work` took, most first."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        began = time.perf_counter()
        work()
        wall = time.perf_counter() - began
    seconds = dict.fromkeys([*PARTS, PYTHON, REST], 0.0)
    for one in profiler.key_averages():
        seconds[part(one.key)] += one.self_cpu_time_total / 1e6
    seconds[PYTHON] = max(wall - sum(seconds.values()), 0.0)
    whole = sum(seconds.values())
    shares = {name: 100 * taken / whole for name, taken in seconds.items()}
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def both(task: str, setting: Setting) -> dict[str, dict[str, float]]:
    """The shares of training on `task`, and of predicting it in all its languages."""
    shared = Material(setting, task)
    predict, _ = predicting.warmed(shared)
    return {"training": profiled(training.warmed(shared)), "prediction": profiled(predict)}


def main(words: Sequence[str] | None = None) -> None:
    """Print a table of the shares, and write them where --json says."""
    wished = _parser().parse_args(words)
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        setting = Setting(
            wished.data_root.resolve(), wished.model.resolve(), Path(folder), wished.scale,
            wished.precision,
        )  # fmt: skip
        shares = both(wished.task, setting)
    show_table(
        [_row(name, shares) for name in shares["training"]],
        title=f"own time of each part in percent: {wished.task}, {wished.precision}",
        right=[*shares],
    )
    if wished.json is not None:
        said = {key: str(value) for key, value in vars(wished).items() if key != "json"}
        found = {"asked": said, "made_with": provenance(), "percent": shares}
        wished.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _row(name: str, shares: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    return {"part": name} | {when: f"{found[name]:.1f}" for when, found in shares.items()}


def _parser() -> argparse.ArgumentParser:
    own = argparse.ArgumentParser(
        "python -m benchmarks.profile", description=__doc__.splitlines()[0]
    )
    own.add_argument("--data-root", type=Path, required=True, help="plain clones of public data")
    own.add_argument("--model", type=Path, required=True, help="a body's folder")
    own.add_argument("--task", choices=training.TASKS, default="wikiann")
    own.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    own.add_argument("--scale", type=float, default=1.0, help="of the numbers of examples")
    own.add_argument("--json", type=Path, help="file to write the shares to")
    return own


if __name__ == "__main__":
    main()
