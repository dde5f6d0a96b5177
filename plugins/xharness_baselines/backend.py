"""The backend that all baselines share: a name, its options, and the model it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness import Backend, NoOptions, RunEnvironment, StageError, digest, read_json
from xharness_baselines.model import OPTIONS, WEIGHTS, Arrays, CountingModel


@dataclass(frozen=True)
class Baseline(Backend):
    """Makes one sort of model; nothing is downloaded and nothing runs on an accelerator."""

    name: str
    task_types: frozenset[str]
    make: Callable[[Any, Arrays], CountingModel]
    options: type[BaseModel] = NoOptions

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        # Nothing else decides what the model answers: it has no weights before training.
        return digest([self.name, options.model_dump(mode="json")])

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> CountingModel:
        return self.make(options, {})

    def load(self, folder: Path, device: str | None) -> CountingModel:
        from safetensors.numpy import load_file

        try:
            values = read_json(folder / OPTIONS)
            arrays = load_file(folder / WEIGHTS)
        except (OSError, ValueError) as error:
            raise StageError(
                f"not a stored {self.name} model: {error}", where=str(folder)
            ) from None
        return self.make(self.options.model_validate(values), arrays)
