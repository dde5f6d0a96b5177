"""The public types a plugin implements. Import from here; everything else may move.

Source    rows from somewhere
Kind      what a task asks (see `xharness.kinds.base`)
Backend   makes models; a Model trains, predicts, saves itself
Strategy  a pure function from a Route to the model a target is judged on
Executor  carries out a plan
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from xharness.cards import Split, TaskCard
from xharness.errors import (
    ConfigurationError,
    StageError,
    UnavailableError,
    XharnessError,
    nearest,
    suggestion,
)
from xharness.kinds.base import Example, Floats, Kind, Metric, Prediction, Row, ratio
from xharness.stages import Feed, Heads, Mixing, Objective, Start, Train
from xharness.study import Recipe

__all__ = [
    "Backend", "Checkpoint", "ConfigurationError", "Example", "Executor", "Feed", "Floats", "Heads",
    "Kind", "Metric", "Mixing", "Model", "Objective", "Prediction", "Progress", "Ratio", "Recipe",
    "Request", "Route", "Row", "Session", "Sizes", "Source", "Split", "StageError", "Start",
    "Strategy", "Surroundings", "TaskCard", "Train", "TrainingSet", "UnavailableError",
    "XharnessError", "nearest", "ratio", "suggestion",
]  # fmt: skip

Ratio = float
Checkpoint = Start | Train
"""A model as the plan knows it: an untrained start, or what a training stage will leave."""
Progress = Callable[[int, int | None], None]
"""Called with (items done, items in all or None)."""


# --- sources ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """Where a run takes place: the data root, offline or not, and folders it may write to."""

    data_root: Path | None = None
    offline: bool = False
    cache: Path = Path(".xharness")
    strict_data: bool = False
    base: Path = Path()
    """The folder that relative paths in a study count from."""


@dataclass(frozen=True)
class Request:
    """Rows that are wanted: a source's own options, expanded for one language, and the split."""

    options: Any
    language: str
    split: str
    """What the source calls the split."""
    surroundings: Surroundings


class Source(Protocol):
    """Rows from somewhere; `rows` streams, and may be asked twice for the same."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]:
        """What a card may write beside `from:`; validated, then handed back in a Request."""
        ...

    def fingerprint(self, request: Request) -> str:
        """A digest of what `rows` would give, cheap enough for planning.

        Raises:
            UnavailableError: the data cannot be had; a missing split names the existing ones.
        """
        ...

    def rows(self, request: Request) -> Iterator[Row]:
        """The rows in their published order.

        Raises:
            UnavailableError: as `fingerprint`.
        """
        ...


# --- backends and models ---------------------------------------------------------------------


@dataclass(frozen=True)
class Sizes:
    """Parameters of a model's body, heads left out."""

    total: int
    embedding: int

    @property
    def non_embedding(self) -> int:
        return self.total - self.embedding


@dataclass(frozen=True)
class TrainingSet:
    """A feed with its rows: what a model learns from."""

    card: TaskCard
    kind: Kind
    objective: Objective
    head: str
    examples: Sequence[Example]


@dataclass
class Session:
    """What a training run is given: its seed, its folder for checkpoints, and someone to tell.

    `folder` outlives an interruption: a model that finds its own checkpoint there continues from
    it and ends with the same weights as an undisturbed run on the same hardware.
    """

    seed: int
    folder: Path
    heads: Heads = "drop"
    mixing: Mixing = field(default_factory=Mixing)
    checkpoint_seconds: float = 120
    progress: Progress = lambda done, total: None


class Model(Protocol):
    """A body with heads."""

    def sizes(self) -> Sizes: ...

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: Session
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns facts for the receipt (loss, steps, ...).

        Raises:
            StageError: the loss is not finite (names the step and the last finite loss).
        """
        ...

    def predict(
        self, card: TaskCard, kind: Kind, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order, in the kind's shape."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `Backend.load` needs; weights as safetensors."""
        ...


class Backend(Protocol):
    """Makes models."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]:
        """What a study may write beside `backend:`."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds its models can learn and answer."""
        ...

    def fingerprint(self, options: Any, surroundings: Surroundings) -> str:
        """What `options` stand for, without loading weights or importing heavy libraries.

        Raises:
            UnavailableError: no such model, or a folder without weights.
        """
        ...

    def start(self, options: Any, surroundings: Surroundings, device: str | None) -> Model:
        """The model before any training here."""
        ...

    def load(self, folder: Path, device: str | None) -> Model:
        """The model that `Model.save` wrote."""
        ...


# --- strategies ------------------------------------------------------------------------------


class Route(Protocol):
    """What a strategy is given: a model, a target, and the ways to train."""

    @property
    def base(self) -> Checkpoint:
        """The model before the strategy."""
        ...

    @property
    def target(self) -> TaskCard:
        """The target the returned model is judged on."""
        ...

    @property
    def targets(self) -> Sequence[TaskCard]:
        """All targets of the study."""
        ...

    def training_sets(self, target: TaskCard | None = None) -> Sequence[TaskCard]:
        """The cards the target trains on, in order; empty where it has no training data."""
        ...

    def card(self, name: str) -> TaskCard:
        """A card by name."""
        ...

    def train(
        self,
        start: Checkpoint,
        cards: Sequence[TaskCard],
        *,
        heads: Heads = "drop",
        mixing: Mixing | None = None,
    ) -> Train:
        """Train `start` on the source-language training sets of `cards`, all together."""
        ...


class Strategy(Protocol):
    """A pure function from a route to the model the target is judged on."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]: ...

    def route(self, route: Route, options: Any) -> Checkpoint: ...


# --- executors -------------------------------------------------------------------------------


class Executor(Protocol):
    """Carries out a plan; see `xharness.executor` for the shipped one."""

    @property
    def name(self) -> str: ...

    def run(self, plan: Any, work: Any) -> Any: ...
