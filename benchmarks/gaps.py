"""How long a large board takes: `python -m benchmarks.gaps [--json FILE]`.

100 models x 2 strategies x 3 seeds x 50 languages x 10 tasks of 200 items each are written as a run
leaves them, then read, measured and made into all pages and figures in another process, whose
seconds of processor time and memory are told. Half of the tasks are parallel, half not; three are
scored by F1.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from xharness import LANGUAGES, Metric, ScoreRow, Study, f1, leaderboard, ratio
from xharness.gaps import Items, evidence, scores

MODELS, STRATEGIES, SEEDS, LANGUAGE_COUNT, TASKS, ITEMS = (
    100,
    ("single", "multitask"),
    3,
    50,
    10,
    200,
)
F1_TASKS = 3
ACCURACY = Metric("accuracy", ("correct", "n"), lambda *_: (), ratio, "share of right answers")
SPAN_F1 = Metric("span_f1", ("tp", "fp", "fn"), lambda *_: (), f1, "F1 over spans")
METRICS = {"classification": {"accuracy": ACCURACY}, "tagging": {"span_f1": SPAN_F1}}


def write_board(folder: Path, models: int) -> None:
    """Scores and evidence of a board, models apart by their size and by luck."""
    rng = np.random.default_rng(0)
    codes = sorted(["en", *[code for code in LANGUAGES if code != "en"][: LANGUAGE_COUNT - 1]])
    rows: list[ScoreRow] = []

    def items() -> Iterator[Items]:
        for model in range(models):
            for strategy in STRATEGIES:
                for seed in range(1, SEEDS + 1):
                    for task in range(TASKS):
                        yield from _stage(rng, rows, codes, (model, strategy, seed, task))

    evidence.write(folder / evidence.FILE, items())
    scores.write(folder / "scores.jsonl", rows)
    study = {
        "name": "large",
        "models": [{"name": f"m{model:03}", "backend": "none"} for model in range(models)],
        "strategies": list(STRATEGIES),
        "targets": [f"t{task}" for task in range(TASKS)],
        "seeds": list(range(1, SEEDS + 1)),
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")


def _stage(
    rng: np.random.Generator,
    rows: list[ScoreRow],
    codes: list[str],
    arm: tuple[int, str, int, int],
) -> Iterator[Items]:
    """One arm on one task with one seed, in all languages."""
    model, strategy, seed, task = arm
    stage = f"{model:03}{strategy}{seed}{task}"
    tagging = task < F1_TASKS
    metric = SPAN_F1 if tagging else ACCURACY
    for index, code in enumerate(codes):
        skill = 0.9 if code == "en" else 0.75 - 0.006 * index + rng.normal(0, 0.01)
        right = rng.random(ITEMS) < skill
        wrong = ~right
        statistics = np.stack([right, wrong, wrong] if tagging else [right, right | wrong], axis=1)
        value = 100 * float(metric.value(statistics.astype(float).sum(axis=0)))
        rows.append(
            ScoreRow(
                model=f"m{model:03}", parameters=10**7 * (1 + model), embedding_parameters=10**6,
                family=f"f{model % 10}", strategy=strategy, seed=seed, task=f"t{task}",
                task_type="tagging" if tagging else "classification", language=code,
                source_language="en", split="test", metric=metric.name, main=True, value=value,
                chance=None if tagging else 50.0, n=ITEMS, parallel=bool(task % 2), stage=stage,
                trainings=(f"{stage:032}",), training_steps=(1000,), target_steps=1000,
                examples=1000, notes=("limited: first 200 items",),
            )
        )  # fmt: skip
        yield Items(stage, code, _ids(task, code), statistics.astype(np.uint8))


@cache
def _ids(task: int, code: str) -> tuple[str, ...]:
    """The same in all languages of a parallel task."""
    return tuple(f"{task}-{'' if task % 2 else code}{item:04}" for item in range(ITEMS))


def measure_board(folder: Path) -> dict[str, float]:
    """Seconds of each step in this process, and its peak of memory in MB."""
    question = Study.model_validate(
        yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    )
    start = time.process_time()
    rows = list(scores.read(folder / "scores.jsonl"))
    after_rows = time.process_time()
    items = evidence.read(folder / evidence.FILE)
    after_items = time.process_time()
    board = leaderboard.assemble(question, rows, items, METRICS)
    score_items = sum(len(block.ids) for block in items.values())
    del rows, items
    after_measuring = time.process_time()
    leaderboard.save(board, folder)
    after_pages = time.process_time()
    return {
        "rows": len(board.rows),
        "score items": score_items,
        "changes": len(board.gaps.changes),
        "reading rows: seconds": round(after_rows - start, 1),
        "reading evidence: seconds": round(after_items - after_rows, 1),
        "measuring: seconds": round(after_measuring - after_items, 1),
        "pages and figures: seconds": round(after_pages - after_measuring, 1),
        "peak memory: MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "page: MB": round((folder / "leaderboard.html").stat().st_size / 1e6, 2),
    }


def main() -> None:
    """Print the figures, and write them where --json says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--json", type=Path, help="file to write the numbers to")
    parser.add_argument("--folder", type=Path, help="a board that was written before")
    parser.add_argument("--write", action="store_true", help="only write the board to --folder")
    options = parser.parse_args()
    if options.write:
        write_board(options.folder, options.models)
        return
    if options.folder is not None:
        print(json.dumps(measure_board(options.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.gaps", "--folder", folder]
        subprocess.run([*command, "--write", "--models", str(options.models)], check=True)
        process = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(process.stdout)
    for name, value in figures.items():
        print(f"{name:>30}  {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
