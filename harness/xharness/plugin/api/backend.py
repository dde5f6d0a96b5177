"""Backends make models; a model trains, predicts, embeds, and saves itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import index, itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from xharness.errors import BackendError, StageError
from xharness.plugin.api.source import Download, RunEnvironment
from xharness.spec.cards import TaskCard
from xharness.spec.fields import Strict
from xharness.spec.recipe import Recipe
from xharness.stages import Heads, Mixture, Objective
from xharness.task_types.base import Example, Prediction, TaskType
from xharness.task_types.search import TextRole

Progress = Callable[[int, int | None], None]
"""Called with (items done, items in all or None)."""


LogMetrics = Callable[[int, Mapping[str, float]], None]
"""Called with (optimiser steps done, what was measured at the last of them)."""


class NoOptions(Strict):
    """For an offer that a study can write nothing about."""


@dataclass(frozen=True)
class Sizes:
    """Parameters of a model's backbone, heads left out."""

    total: int
    embedding: int

    def __post_init__(self) -> None:
        """Whole numbers that can be.

        Raises:
            BackendError: they are none.
        """
        try:
            total, embedding = index(self.total), index(self.embedding)
        except TypeError:
            total = embedding = -1
        if not 0 <= embedding <= total:
            raise BackendError(
                f"sizes that cannot be: {self.total} in all, {self.embedding} of them embedding",
                expected="whole numbers, the embedding's among all",
            )
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "embedding", embedding)

    @property
    def non_embedding(self) -> int:
        return self.total - self.embedding


@dataclass(frozen=True)
class TrainingSet:
    """A feed with its rows: what a model learns from."""

    card: TaskCard
    task_type: TaskType
    objective: Objective
    head: str
    examples: Sequence[Example]
    languages: Sequence[str] = ()
    """The language of each example; none where the card has the words of one already."""

    def by_language(self) -> Iterator[tuple[TaskCard, Sequence[Example]]]:
        """Neighbouring examples of one language with the card in its words, in order.

        For a model that writes: prediction hands it the words of each language too.
        """
        if not self.languages:
            yield self.card, self.examples
            return
        pairs = zip(self.languages, self.examples, strict=True)
        # Of neighbours alone: sorting would change the order that the data has.
        for language, group in groupby(pairs, key=itemgetter(0)):
            yield self.card.in_language(language), [example for _, example in group]


@dataclass(frozen=True)
class CheckpointPolicy:
    """Which weights a training ends with, where it is not simply the last ones.

    At `num_evals` evenly spaced steps, the last of them at the end, the weights are evaluated: the
    best by `judge` are kept (of equals the earliest), or the mean of all of them. A model that
    learns without steps may leave it aside; one that heeds it says so by a fact `selection`
    among those that `fit` returns.
    """

    by: Literal["best", "average"]
    num_evals: int = 10
    patience: int | None = None
    """Stop after so many evaluations that were no better than the best before them."""
    judge: Callable[[Model], float] | None = None
    """How good the model is now, more is better; the best and patience need it."""


@dataclass
class TrainingSession:
    """What a training run is given: its seed, its folder for checkpoints, and someone to tell.

    `folder` outlives an interruption: a model that finds its own checkpoint there continues from
    it and ends with the same weights as an undisturbed run on the same hardware.
    """

    seed: int
    folder: Path
    heads: Heads = "drop"
    mixture: Mixture = field(default_factory=Mixture)
    selector: CheckpointPolicy | None = None
    checkpoint_seconds: float = 120
    # Nobody need listen: contract tests and notebooks do not.
    progress: Progress = lambda count, total: None
    log_metrics: LogMetrics = lambda step, metrics: None
    """For trackers: a training curve's points, by Trainer's names `loss` and `learning_rate`."""


class Model(ABC):
    """A backbone with heads, or a model that writes its answers."""

    @abstractmethod
    def sizes(self) -> Sizes: ...

    @abstractmethod
    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns facts for the receipt (loss, steps, ...).

        `steps` are optimizer steps, and `feed_steps` how many of them each feed is expected to
        get: boards compare budgets by them.

        Raises:
            StageError: the loss is not finite (names the step and the last finite loss).
        """

    @abstractmethod
    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order, in the shape `task_type.prediction`.

        The examples may be of several languages, unless the model answers in words; each must be
        answered as if it were alone. Task types that are answered by search ask `embed` instead.
        """

    def predict_each(
        self,
        card: TaskCard,
        task_type: TaskType,
        shards: Iterable[Sequence[Example]],
        recipe: Recipe,
    ) -> Iterator[Sequence[Prediction]]:
        """For each shard what `predict` answers, in order.

        To be overridden by a model that makes the next items ready while it answers: it may draw
        shards ahead, in another thread.
        """
        for examples in shards:
            yield self.predict(card, task_type, examples, recipe)

    def computes(self, recipe: Recipe) -> Mapping[str, str]:
        """The `precision` (fp32, tf32, bf16, fp16) and the `device`, for receipts.

        What a recipe leaves to the device is in no key; a model that tells nothing is taken to
        compute in float32.
        """
        return {}

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything that `Backend.load` needs; weights as safetensors."""

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """One vector of length 1 for each text, in order: shape (texts, width).

        A vector depends on its text and the role of the texts alone, not on the other texts. The
        harness does all searching. To be overridden where the backend lists a task type that is
        answered by search.

        Raises:
            StageError: this model makes no vectors.
        """
        raise StageError(
            "this model makes no vectors of texts",
            hint="its backend must not list task types that are answered by search",
        )


@dataclass(frozen=True)
class CapabilityQuery:
    """What a study asks of a model: that it answers a card's items, or learns from them."""

    card: TaskCard
    task_type: str
    """Of what the model is handed: of the parts, where items are made of parts."""
    objective: Objective | None = None
    """None: the items are to be answered."""
    recipe: Recipe | None = None
    """How they are learnt, once that is known."""
    languages: tuple[str, ...] = ()
    """What the items are in, or are said in, once that is known."""


@dataclass(frozen=True)
class Pace:
    """How fast a device trains: the floating-point operations, and what a step takes besides."""

    operations_per_second: float
    seconds_per_step: float
    """However small the model."""
    seconds_per_parameter: float = 0.0
    """Of a step: what the optimiser does to each parameter that learns."""


class Backend(ABC):
    """Makes models. Three methods have no default; the others, by default, do nothing."""

    name: str
    options: type[BaseModel] = NoOptions
    """What a study may write beside `backend:`."""
    task_types: frozenset[str]
    """The task types its models can learn and answer, by name."""

    @abstractmethod
    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        """What `options` stand for, without loading weights or importing heavy libraries.

        Raises:
            UnavailableError: no such model, or a folder without weights.
        """

    @abstractmethod
    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> Model:
        """The model before any training here."""

    @abstractmethod
    def load(self, folder: Path, device: str | None) -> Model:
        """The model that `Model.save` wrote."""

    def generates(self, options: Any) -> bool:
        """Whether models of these options answer in words: a card's verbalizer, and no head,
        serves them."""
        return False

    def unsupported(
        self, options: Any, query: CapabilityQuery, environment: RunEnvironment
    ) -> str | None:
        """Why the model of these options cannot do what `query` asks, or None.

        Asked many times while planning, so no weights and no heavy libraries; a configuration may
        be fetched, once. The plan leaves the arm out and tells the reason; what only the loaded
        model knows is a `StageError` later.

        Raises:
            UnavailableError: what should tell cannot be had.
        """
        return None

    def sizes(self, options: Any, environment: RunEnvironment) -> Sizes | None:
        """How large the model of these options is; None where nothing tells before it is loaded.

        May import heavy libraries, and fetch a configuration unless offline; never weights.

        Raises:
            UnavailableError: what should tell cannot be had, or cannot be read.
        """
        return None

    def downloads(self, options: Any, environment: RunEnvironment) -> Iterable[Download]:
        """What `fetch` would fetch, without fetching it; for 'xharness prefetch --list'.

        Raises:
            UnavailableError: there is no such model.
        """
        return ()

    def fetch(self, options: Any, environment: RunEnvironment) -> None:
        """Bring all that `start` reads onto this machine, and leave what is here as it is.

        Raises:
            UnavailableError: it cannot be had.
        """
        return

    def paces(self, device: str | None) -> Mapping[str, Pace]:
        """How fast this machine trains a small encoder, by precision; empty: not measured.

        Raises:
            UnavailableError: this machine has no such device.
        """
        return {}

    def check_device(self, device: str | None, precisions: Collection[str]) -> None:
        """Whether `device` (None: the best) is here and computes in all of `precisions`.

        Asked before anything runs, and only where a device or a precision is named.

        Raises:
            ConfigurationError: no device is called so; the hint has the nearest name.
            UnavailableError: this machine has none, or it lacks a precision.
        """
        return
