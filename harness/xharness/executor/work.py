"""What carrying out a plan takes, and the one model that is kept loaded between stages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xharness.catalogue import Catalogue, validated
from xharness.data import Data
from xharness.extend import Backend, Checkpoint, Model, Progress, Start, Surroundings, Train
from xharness.stages import Choose, Stage
from xharness.store import Store
from xharness.study import Runtime


@dataclass
class Work:
    """The catalogue, the data, the store and the surroundings of one run."""

    catalogue: Catalogue
    data: Data
    store: Store
    surroundings: Surroundings
    runtime: Runtime
    debug: bool = False
    _loaded: tuple[str, Model] | None = field(default=None, repr=False)

    def backend(self, checkpoint: Checkpoint) -> Backend:
        """The backend that made the checkpoint."""
        return self.catalogue.backends[_start(checkpoint).backend]

    def settled(self, checkpoint: Checkpoint) -> Start | Train:
        """The checkpoint that has the weights: of several candidates, the one that was chosen."""
        if not isinstance(checkpoint, Choose):
            return checkpoint
        chosen = self.store.receipt(checkpoint.key).facts["chosen"]
        return next(one for one in checkpoint.candidates if one.key == chosen)

    def learnt_from(self, checkpoint: Checkpoint) -> Sequence[Mapping[str, Any]]:
        """The counts of all data that a checkpoint was trained on."""
        if isinstance(checkpoint, Start):
            return ()
        data: Sequence[Mapping[str, Any]] = self.store.receipt(checkpoint.key).facts["data"]
        return data

    def model(self, checkpoint: Checkpoint) -> Model:
        """The model of a checkpoint, loaded unless it is the one at hand."""
        checkpoint = self.settled(checkpoint)
        if self._loaded is None or self._loaded[0] != checkpoint.key:
            self._loaded = None  # frees the memory before the next one is loaded
            self._loaded = (checkpoint.key, self._load(checkpoint))
        return self._loaded[1]

    def take(self, checkpoint: Checkpoint) -> Model:
        """The model of a checkpoint, for the caller to change: it is no longer kept."""
        model = self.model(checkpoint)
        self._loaded = None
        return model

    def keep(self, checkpoint: Checkpoint, model: Model) -> None:
        """Keep a model that was just trained: the next stage most likely asks for it."""
        self._loaded = (checkpoint.key, model)

    def progress(self, stage: Stage, what: str) -> Progress:
        """Tells the observers how far the step `what` of a stage is."""
        hook: Callable[..., Any] = self.catalogue.plugins.manager.hook.xharness_stage_progress

        def tell(done: int, total: int | None) -> None:
            hook(stage=stage, done=done, total=total, what=what)

        return tell

    def _load(self, checkpoint: Start | Train) -> Model:
        backend = self.backend(checkpoint)
        if isinstance(checkpoint, Train):
            return backend.load(self.store.open(checkpoint.key) / "model", self.runtime.device)
        options = validated(backend.options, json.loads(checkpoint.options), "the stored model")
        return backend.start(options, self.surroundings, self.runtime.device)


@dataclass
class Done:
    """Counts what is through, and tells."""

    progress: Progress
    total: int | None
    count: int = 0

    def add(self, some: int) -> None:
        """So many more are through."""
        self.count += some
        self.progress(self.count, self.total)


def _start(checkpoint: Checkpoint) -> Start:
    while not isinstance(checkpoint, Start):
        if isinstance(checkpoint, Choose):
            checkpoint = checkpoint.candidates[0]
        else:
            checkpoint = checkpoint.start
    return checkpoint
