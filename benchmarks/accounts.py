"""What a study took, for its account to be held to: `python -m benchmarks.accounts STUDY RECORD`.

Measures the pace of this processor, then runs a part of the study in a store of its own with all
models kept, and writes the processor seconds of its receipts and the bytes of its store to RECORD.
With OMP_NUM_THREADS=1 these are the seconds of an idle machine, whatever else runs beside.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from xharness import StageLabel, hookimpl, open_catalogue, open_study
from xharness.executor.provenance import processor_name
from xharness.files import write_json
from xharness.session.store_contents import contents, readable_receipts

CLOCKS = ("xharness.executor.attempt", "xharness_hf.pace")
"""Modules that time stages, and steps while a pace is measured."""


def main() -> None:
    """Measure, run, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--models", nargs="*", help="only these")
    parser.add_argument("--strategies", nargs="*", help="only these")
    parser.add_argument("--seeds", type=int, nargs="*", help="in place of the study's")
    arguments = parser.parse_args()
    for module in map(import_module, CLOCKS):
        module.time = SimpleNamespace(monotonic=time.process_time)  # type: ignore[attr-defined]
    paces = open_catalogue().backends["hf"].paces("cpu")
    part = {name: getattr(arguments, name) for name in ("models", "strategies", "seeds")}
    document = part_of(arguments.study, **part)
    with tempfile.TemporaryDirectory() as name:
        taken = run(document, Path(name), arguments.data_root)
    record = {
        "study": str(arguments.study),
        **part,
        "processor": processor_name(),
        "paces": {precision: asdict(pace) for precision, pace in paces.items()},
        **taken,
    }
    write_json(arguments.record, record)


def part_of(
    study: Path,
    models: Collection[str] | None,
    strategies: Collection[str] | None,
    seeds: list[int] | None,
) -> dict[str, Any]:
    """The study in the file as a document, only so much of it, with all models kept."""
    document: dict[str, Any] = yaml.safe_load(study.read_text(encoding="utf-8"))
    document["runtime"] = {"keep": "all"}
    document["seeds"] = seeds or document["seeds"]
    for model in document["models"]:
        if "path" in model:
            model["path"] = str((study.parent / model["path"]).resolve())
    for key, names in (("models", models), ("strategies", strategies)):
        if names:
            document[key] = [entry for entry in document[key] if _name(entry) in names]
    return document


def _name(entry: Any) -> str:
    """`single`, `{name: single, …}` and `{single: …}` are called alike."""
    if isinstance(entry, str):
        return entry
    return str(entry.get("name") or next(iter(entry)))


def run(document: dict[str, Any], folder: Path, data_root: Path | None) -> dict[str, Any]:
    """Processor seconds by what stages do, and the bytes that are left."""
    path, store = folder / "study.yaml", folder / "store"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    session = open_study(path, data_root=data_root, store=store, output=folder / "out")
    session.observe(_Announcer())
    session.run()
    seconds: dict[str, float] = defaultdict(float)
    for receipt in readable_receipts(store):
        seconds[receipt.facts["stage"]] += receipt.facts["seconds"]
    return {
        "stages": len(session.plan.stages),
        "seconds": {name: round(value, 1) for name, value in sorted(seconds.items())},
        "bytes": sum(stage.bytes for stage in contents(store)),
    }


class _Announcer:
    """Says which stage has ended."""

    @hookimpl
    def xharness_stage_finished(self, label: StageLabel, outcome: str) -> None:
        """One line."""
        print(f"{outcome} {label}", flush=True)


if __name__ == "__main__":
    main()
