"""The public types a plugin implements. Import from here; everything else may move.

Source    rows from somewhere
Kind      what a task asks (see `xharness.task_types.base`)
Backend   makes models; a Model trains, predicts, saves itself
Translator says texts in another language
Strategy  a pure function from a Route to the model a target is judged on
Executor  carries out a plan
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from xharness.digests import digest
from xharness.errors import (
    ConfigurationError,
    StageError,
    UnavailableError,
    XharnessError,
    nearest,
    suggestion,
)
from xharness.spec.cards import LanguageCode, Name, Split, TaskCard
from xharness.spec.documents import Strict
from xharness.spec.study import Recipe
from xharness.stages import (
    Checkpoint,
    DataSlice,
    Heads,
    Mixture,
    Objective,
    Start,
    Train,
    TrainingFeed,
)
from xharness.task_types import (
    BitextExample,
    BitextMiningExample,
    ChecklistExample,
    ClassificationExample,
    ExtractiveQAExample,
    GoldAnswer,
    MultipleChoiceExample,
    PassageExample,
    RetrievalExample,
    TaggingExample,
)
from xharness.task_types.base import (
    AnswerRepairs,
    CompositeTaskType,
    Example,
    Floats,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Repairing,
    Row,
    TaskType,
    Translatable,
    f1,
    ratio,
)
from xharness.task_types.search import (
    CandidateIndex,
    Encode,
    SearchRequest,
    SearchTaskType,
    TextRole,
)

__all__ = [
    "GoldAnswer", "SearchRequest", "Backend", "BitextExample", "ChecklistExample", "Checkpoint",
    "MultipleChoiceExample", "CheckpointSelector", "ClassificationExample", "CompositeTaskType", "ConfigurationError",
    "Embeds", "Encode", "Example", "Executor", "TrainingFeed", "Floats", "Heads", "TranslateTest",
    "TaskType", "LanguageCode", "Metric", "BitextMiningExample", "Mixture", "Model", "Name", "Objective",
    "PassageExample", "Placing", "CandidateIndex", "DataSlice", "Prediction", "Progress", "Prompted", "Ratio",
    "Reader", "Recipe", "Refusing", "Repairing", "AnswerRepairs", "SourceRequest", "RetrievalExample",
    "Route", "Row", "TrainingSession", "PredictionShape", "Sizes", "Sizing", "Source", "ExtractiveQAExample", "Split",
    "StageError", "Start", "Strategy", "Strict", "RunEnvironment", "TaggingExample", "TaskCard",
    "TextRole", "SearchTaskType", "Train", "TrainingSet", "Translatable", "TranslateTexts", "Translator",
    "UnavailableError", "CapabilityQuery", "Wording", "XharnessError", "digest", "f1", "nearest",
    "ratio", "suggestion", "takes_role",
]  # fmt: skip

Ratio = float
Progress = Callable[[int, int | None], None]
"""Called with (items done, items in all or None)."""


# --- sources ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunEnvironment:
    """Where a run takes place: the data root, offline or not, and folders it may write to."""

    data_root: Path | None = None
    offline: bool = False
    cache: Path = Path(".xharness")
    strict_data: bool = False
    base: Path = Path()
    """The folder that relative paths in a study count from."""


@dataclass(frozen=True)
class SourceRequest:
    """Rows that are wanted: a source's own options, expanded for one language, and the split."""

    options: Any
    language: str
    split: str
    """What the source calls the split."""
    environment: RunEnvironment


class Source(Protocol):
    """Rows from somewhere; `rows` streams, and may be asked twice for the same."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]:
        """What a card may write beside `from:`; validated, then handed back in a Request."""
        ...

    def fingerprint(self, request: SourceRequest) -> str:
        """A digest of what `rows` would give, cheap enough for planning.

        Raises:
            UnavailableError: the data cannot be had; a missing split names the existing ones.
        """
        ...

    def rows(self, request: SourceRequest) -> Iterator[Row]:
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
        for language, some in groupby(pairs, key=itemgetter(0)):
            yield self.card.in_language(language), [example for _, example in some]


@dataclass(frozen=True)
class CheckpointSelector:
    """Which weights a training ends with, where it is not simply the last ones.

    At `looks` evenly spaced steps, the last of them at the end, the weights are looked at: the
    best by `judge` are kept (of equals the earliest), or the mean of all looks. A model that
    learns without steps may leave it aside; one that heeds it says so by a fact `choosing` among
    those that `fit` returns.
    """

    by: Literal["best", "average"]
    num_evals: int = 10
    patience: int | None = None
    """Stop after so many looks that were no better than the best before them."""
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
    selector: CheckpointSelector | None = None
    checkpoint_seconds: float = 120
    progress: Progress = lambda done, total: None


class Model(Protocol):
    """A body with heads."""

    def sizes(self) -> Sizes: ...

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        """Train on all feeds together; returns facts for the receipt (loss, steps, ...).

        Raises:
            StageError: the loss is not finite (names the step and the last finite loss).
        """
        ...

    def predict(
        self, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        """One prediction for each example, in order, in the kind's shape.

        The examples may be of several languages, unless the model answers in words; each must be
        answered as if it were alone.
        Never asked of kinds whose items are answered together: see `Embeds`.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `Backend.load` needs; weights as safetensors."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A model that also turns texts into vectors, as kinds that are answered by searching need."""

    def embed(self, texts: Sequence[str], recipe: Recipe) -> NDArray[np.float32]:
        """One vector of length 1 for each text, in order: shape (texts, width).

        A vector hangs on its text alone, not on the others. The harness does all searching.
        """
        ...


class Prompted(Embeds, Protocol):
    """A model whose vectors hang on what a text is there for, too: known by its keyword `role`."""

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """As `Embeds.embed`, of texts that are all of one role."""
        ...


def takes_role(model: Embeds) -> TypeGuard[Prompted]:
    """Whether the model wants to know the role of texts."""
    return "role" in signature(model.embed).parameters


class Backend(Protocol):
    """Makes models."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]:
        """What a study may write beside `backend:`."""
        ...

    @property
    def task_types(self) -> frozenset[str]:
        """The kinds its models can learn and answer."""
        ...

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        """What `options` stand for, without loading weights or importing heavy libraries.

        Raises:
            UnavailableError: no such model, or a folder without weights.
        """
        ...

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> Model:
        """The model before any training here."""
        ...

    def load(self, folder: Path, device: str | None) -> Model:
        """The model that `Model.save` wrote."""
        ...


@runtime_checkable
class Wording(Protocol):
    """A backend some of whose models answer in words: a card's verbaliser, and no head, serves."""

    def in_words(self, options: Any) -> bool:
        """Whether the models of these options do."""
        ...


@dataclass(frozen=True)
class CapabilityQuery:
    """What a study wants of a model: that it answers a card's items, or learns from them."""

    card: TaskCard
    task_type: str
    """Of what the model is handed: of the parts, where items are made of parts."""
    objective: Objective | None = None
    """None: the items are to be answered."""
    recipe: Recipe | None = None
    """How they are learnt, once that is known."""
    languages: tuple[str, ...] = ()
    """What the items are in, or are said in, once that is known."""


@runtime_checkable
class Refusing(Protocol):
    """A backend that knows before anything is loaded what some of its models cannot do."""

    def refusal(
        self, options: Any, wanted: CapabilityQuery, environment: RunEnvironment
    ) -> str | None:
        """Why the model of these options cannot do what is `wanted`, or None.

        Asked many times while planning, so no weights and no heavy libraries; a configuration may
        be fetched, once. The plan leaves the arm out and tells the reason; what only the loaded
        model knows is a `StageError` later.

        Raises:
            UnavailableError: what should tell cannot be had.
        """
        ...


@runtime_checkable
class Sizing(Protocol):
    """A backend that knows how large its models are before anything has run."""

    def sizes(self, options: Any, environment: RunEnvironment) -> Sizes | None:
        """How large the model of these options is; None where nothing tells.

        May import heavy libraries, and fetch a configuration unless offline; never weights.

        Raises:
            UnavailableError: what should tell cannot be had, or cannot be read.
        """
        ...


@runtime_checkable
class Placing(Protocol):
    """A backend or a translator that computes on a device which the user may name."""

    def check_device(self, device: str) -> None:
        """Whether `device` is here; asked before anything runs, and only where one is named.

        Raises:
            ConfigurationError: no device is called so; the hint has the nearest name.
            UnavailableError: this machine has none.
        """
        ...


# --- translators -----------------------------------------------------------------------------

TranslateTexts = Callable[[Sequence[str]], Sequence[str]]
"""Says each text in the other language, in order."""


class Translator(Protocol):
    """Makes translations; what it translates is stored, and never translated twice."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]:
        """What a study may write about it."""
        ...

    def fingerprint(
        self, options: Any, source: str, target: str, environment: RunEnvironment
    ) -> str:
        """What translates from `source` into `target`, known without loading it.

        Raises:
            ConfigurationError: it does not know one of the languages.
            UnavailableError: its model cannot be had.
        """
        ...

    def open(
        self,
        options: Any,
        source: str,
        target: str,
        environment: RunEnvironment,
        device: str | None,
    ) -> TranslateTexts:
        """What translates; equal texts give equal translations, whatever stands beside them."""
        ...


# --- strategies ------------------------------------------------------------------------------


@dataclass(frozen=True)
class TranslateTest:
    """A model that is asked in the source language: items are translated before it answers."""

    model: Checkpoint
    translator: str
    options: Mapping[str, Any]


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

    @property
    def source_language(self) -> str:
        """The language that training sets are in, and that the gap is measured from."""
        ...

    def languages(self, target: TaskCard | None = None) -> Sequence[str]:
        """The languages a target is scored in."""
        ...

    def training_sets(self, target: TaskCard | None = None) -> Sequence[TaskCard]:
        """The cards the target trains on, in order; empty where it has no training data."""
        ...

    def card(self, name: str) -> TaskCard:
        """A card by name."""
        ...

    def prompted(self, shots: int = 0) -> Checkpoint:
        """The base as it is asked, for a model that answers in words: after `shots` examples."""
        ...

    def rows(
        self,
        card: TaskCard,
        languages: Sequence[str] | None = None,
        *,
        split: Split = "train",
        sample: int | None = None,
    ) -> Sequence[DataSlice]:
        """Rows of a card, by default in the source language; `sample` draws so many a language.

        Raises:
            ConfigurationError: the card lacks a language that is named, or has fewer rows.
        """
        ...

    def translated(
        self,
        portions: Sequence[DataSlice],
        language: str,
        translator: str,
        options: Mapping[str, Any],
    ) -> Sequence[DataSlice]:
        """Rows said in another language by a translator."""
        ...

    def feed(self, card: TaskCard, portions: Sequence[DataSlice] | None = None) -> TrainingFeed:
        """A training set: the card's source-language rows, or those given."""
        ...

    def corpus(
        self, name: str, languages: Sequence[str] | None = None, *, objective: Objective = "mlm"
    ) -> TrainingFeed:
        """The texts of any card, in some of its languages, to learn the language itself from."""
        ...

    def train(
        self,
        start: Checkpoint,
        learnt: Sequence[TaskCard | TrainingFeed],
        *,
        heads: Heads = "drop",
        mixing: Mixture | None = None,
        beside: Sequence[tuple[TrainingFeed, float]] = (),
        judged: Sequence[TaskCard] | None = None,
        selection: str | None = None,
        recipe: Mapping[str, Any] | None = None,
    ) -> Train:
        """Train `start` on training sets, all together; a card stands for its source-language one.

        `beside`: feeds and the share of all steps that each gets. `judged`: the targets on whose
        dev data `selection: target-dev` looks, by default the route's. `selection` comes over the
        study's, `recipe` over its recipe.
        """
        ...


class Strategy(Protocol):
    """A pure function from a route to the model the target is judged on."""

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> type[BaseModel]: ...

    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest: ...


# --- executors -------------------------------------------------------------------------------


class Executor(Protocol):
    """Carries out a plan; see `xharness.executor` for the shipped one."""

    @property
    def name(self) -> str: ...

    def run(self, plan: Any, work: Any) -> Any: ...
