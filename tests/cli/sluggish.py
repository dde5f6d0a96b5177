"""A plugin for tests: a backend slow enough to be interrupted, whose answers tell of each step."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness import (
    Backend,
    Example,
    Model,
    Prediction,
    Recipe,
    RunEnvironment,
    Sizes,
    StageError,
    Strict,
    TaskCard,
    TaskType,
    TrainingSession,
    TrainingSet,
    UnavailableError,
    hookimpl,
)

STEPS = 12


class SluggishOptions(Strict):
    parameters: int = 1
    fails: bool = False
    missing: bool = False


class SluggishModel(Model):
    def __init__(self, options: SluggishOptions, state: int = 0) -> None:
        self._options, self._state = options, state

    def sizes(self) -> Sizes:
        return Sizes(self._options.parameters, 0)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        if self._options.fails:
            raise StageError("the loss is not finite at step 3; the last finite one was 0.7")
        checkpoint, first = session.folder / "state.json", 0
        if checkpoint.is_file():
            first, self._state = json.loads(checkpoint.read_text(encoding="utf-8"))
        session.folder.mkdir(parents=True, exist_ok=True)
        for step in range(first, STEPS):
            _wait()
            self._state = (self._state * 31 + step + session.seed) % 997
            partial = checkpoint.with_suffix(".partial")
            partial.write_text(json.dumps([step + 1, self._state]), encoding="utf-8")
            partial.replace(checkpoint)
            session.progress(step + 1, STEPS)
        return {"steps": STEPS, "continued_from": first}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        _wait()
        return [zlib.crc32(f"{self._state} {example.id}".encode()) % 2 for example in examples]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        values = {"state": self._state, "options": self._options.model_dump()}
        (folder / "model.json").write_text(json.dumps(values), encoding="utf-8")


class Sluggish(Backend):
    name = "sluggish"
    options: type[BaseModel] = SluggishOptions
    task_types = frozenset({"classification"})

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        if options.missing:
            raise UnavailableError("no weights in 'models/missing'")
        return f"sluggish {options.parameters} {options.fails}"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> SluggishModel:
        return SluggishModel(options)

    def load(self, folder: Path, device: str | None) -> SluggishModel:
        values = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return SluggishModel(SluggishOptions(**values["options"]), values["state"])


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return [Sluggish()]


def _wait() -> None:
    time.sleep(float(os.environ.get("SLUGGISH", "0")))
