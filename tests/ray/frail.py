"""A plugin for tests: a backend whose trainings take their worker down, a few times."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
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
    hookimpl,
)


class FrailOptions(Strict):
    ill: str = ""
    """What befalls a training: dies, hangs, fails."""
    attempts: int = 1
    """How many of its attempts are ill."""
    seconds: float = 0.0
    """How long a training takes."""
    variant: int = 0


class FrailModel(Model):
    def __init__(self, options: FrailOptions) -> None:
        self._options = options

    def sizes(self) -> Sizes:
        return Sizes(1, 0)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        session.progress(0, 2)
        print(f"pid {os.getpid()}", file=sys.stderr, flush=True)
        session.folder.mkdir(parents=True, exist_ok=True)
        (session.folder / "pid").write_text(str(os.getpid()))
        attempts = session.folder / "attempts"
        count = int(attempts.read_text()) + 1 if attempts.exists() else 1
        attempts.write_text(str(count))
        if count <= self._options.attempts:
            if self._options.ill == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if self._options.ill == "hangs":
                time.sleep(600)
        if self._options.ill == "fails":
            raise StageError("the loss is not finite at step 3")
        time.sleep(self._options.seconds)
        session.progress(2, 2)
        return {"steps": 2}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        return [(len(example.id) + self._options.variant) % 2 for example in examples]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps(self._options.model_dump()))


class Frail(Backend):
    name = "frail"
    options: type[BaseModel] = FrailOptions
    task_types = frozenset({"classification"})

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        return f"frail {options.ill} {options.variant}"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> FrailModel:
        return FrailModel(options)

    def load(self, folder: Path, device: str | None) -> FrailModel:
        return FrailModel(FrailOptions(**json.loads((folder / "model.json").read_text())))


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return [Frail()]
