"""What a prediction and its score take at most, alone: `python -m tests.faults.memory COUNT`."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, sentiment, small_study
from xharness.executor.attempt import PERFORMERS
from xharness.stages import Predict, Score

STAGES = (Predict, Score)


def project_of(folder: Path, count: int, **runtime: int) -> Project:
    """A study of one language, with so many items that are asked."""
    (folder / "data").mkdir()
    for split, row_count in {"train": 40, "test": count}.items():
        with (folder / "data" / f"mood.en.{split}.jsonl").open("w", encoding="utf-8") as file:
            for number in range(row_count):
                text = f"good or bad, and at least forty characters long: {number}"
                row = {"id": f"en-{number}", "text": text, "label": ["bad", "good"][number % 2]}
                file.write(json.dumps(row) + "\n")
    models = [{"name": "most", "backend": "majority"}]
    study = small_study() | {"models": models, "runtime": runtime}
    fields = {"id": "id", "text": "text", "label": "label"}
    card = sentiment(languages=["en"], fields=fields, rows={"test": count})
    return Project(folder, study, {"mood": card}).write()


@contextmanager
def _peaks(measure: Callable[[], int], reset: Callable[[], None]) -> Iterator[dict[str, int]]:
    """Stage to the most bytes while it was performed, beyond those at its beginning."""
    peaks: dict[str, int] = {}

    def measured(perform: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        def performed(stage: Any, context: Any, folder: Path) -> Mapping[str, Any]:
            reset()
            before = measure()
            facts = perform(stage, context, folder)
            peaks[stage.name] = measure() - before
            return facts

        return performed

    with pytest.MonkeyPatch.context() as patch:
        for stage in STAGES:
            patch.setitem(PERFORMERS, stage, measured(PERFORMERS[stage]))
        yield peaks


def traced_peaks(folder: Path, count: int) -> dict[str, int]:
    """The peaks of what Python and numpy hold."""
    project = project_of(folder, count, shard=200)
    tracemalloc.start()
    try:
        with _peaks(lambda: tracemalloc.get_traced_memory()[1], tracemalloc.reset_peak) as peaks:
            result = project.run("--offline")
    finally:
        tracemalloc.stop()
    assert result.exit_code == 0, result.stderr
    return peaks


def main(count: int) -> None:
    """Print the growth of this process in each stage, in bytes."""
    with tempfile.TemporaryDirectory() as name, _peaks(_resident, lambda: None) as peaks:
        result = project_of(Path(name), count).run("--offline")
    assert result.exit_code == 0, result.stderr
    print(json.dumps(peaks))


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main(int(sys.argv[1]))
