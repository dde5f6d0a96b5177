"""What a large study costs before it starts: `python -m benchmarks.scale plan|finished MODELS`.

`plan` compiles 5,087 stages a model; `finished` writes a receipt of each into a store, and looks
for them as a run and `xharness plan` do. Prints processor seconds and the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from xharness import Plan, RunContext, Runtime, Session, file_digest, open_study
from xharness.executor.repair import run_and_repair
from xharness.files import json_text
from xharness.session.account.hypothetical import plan_without_data
from xharness.store import RECEIPT, Receipt

INTERMEDIATE = (
    "anli_plus", "ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qqp", "squad_v1",
    "squad_v2",
)  # fmt: skip


def study(models: int) -> dict[str, Any]:
    """All of XTREME-R under single, multitask and nine intermediate tasks."""
    intermediates = [
        {"name": f"after_{task}", "strategy": "intermediate", "tasks": [task]}
        for task in INTERMEDIATE
    ]
    return {
        "name": "large",
        "models": [
            {
                "name": f"m{number}",
                "backend": "ngrams",
                "bits": 4 + number,
                "recipe": {"learning_rate": 0.01 + number},
            }
            for number in range(models)
        ],
        "strategies": ["single", "multitask", *intermediates],
        "targets": ["xtreme-r"],
        "seeds": list(range(1, 16)),
    }


def opened(folder: Path, models: int) -> Session:
    """The study, in an empty folder."""
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study(models)), encoding="utf-8")
    return open_study(path, store=folder / "store", offline=True)


def main(command: str, models: int) -> None:
    """Measure one of both."""
    with tempfile.TemporaryDirectory() as name:
        session = opened(Path(name), models)
        start, memory_before = time.process_time(), _megabytes()
        plan = plan_without_data(session)
        count = len(plan.stages)
        if command == "plan":
            print(f"{count} stages planned: {_cost(start)} ({memory_before} MB before)")
            return
        _finish(plan, session)
        # A process of its own would have planned too: its memory counts, its time was told above.
        start = time.process_time()
        context = RunContext(
            session.catalogue, session.data, session.store, session.environment, Runtime()
        )
        report = run_and_repair(session.catalogue.executors["sequential"], plan, context)
        print(f"{report.count('reused')} stages found by a run: {_cost(start)}")
        session.__dict__["plan"] = plan
        start = time.process_time()
        states = [planned.state for planned in session.stages()]
        print(f"{states.count('stored')} stages found by xharness plan: {_cost(start)}")


def _finish(plan: Plan, session: Session) -> None:
    """Receipts as a run leaves them, of all stages."""
    for key, stage in plan.stages.items():
        facts = {
            "stage": stage.name,
            "seconds": 1.0,
            "label": asdict(plan.labels[key]),
            "items": 1000,
            "languages": 10,
            "rows": [],
            "training": {"steps": 100},
        }
        folder = session.store.folder(key)
        folder.mkdir(parents=True)
        result = folder / "result.json"
        result.write_text("{}", encoding="utf-8")
        # Not by `commit`, which waits for the disk.
        receipt = Receipt(key, facts, {result.name: file_digest(result)})
        (folder / RECEIPT).write_text(json_text(receipt.values), encoding="utf-8")


def _cost(start: float) -> str:
    return f"{time.process_time() - start:.1f} s, {_megabytes()} MB"


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["plan", "10"]
    main(arguments[0], int(arguments[1]))
