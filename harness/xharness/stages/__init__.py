"""Stages: the content-addressed steps that a study compiles to.

A stage's key is the digest of everything that can change its answer, the keys of the stages it
needs included. Names, paths, devices and prose stay out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from xharness.digests import digest
from xharness.spec.recipe import Recipe, Sampling
from xharness.spec.sources import Split

VERSIONS = {"train": 1, "predict": 1, "score": 1, "translate": 1, "choose": 1}
"""Raised when the code of a stage starts to give other answers to the same question."""

Objective = Literal["task", "mlm", "tlm", "align", "shots"]
"""Answering the task; masked words, in one language or two (TLM); aligning translations; nothing:
the examples are shown before every question."""
Heads = Literal["drop", "keep"]
_LENGTHS = ("max_length", "doc_stride", "max_answer_length", "max_query_length")
_ANSWERING = frozenset({*_LENGTHS, "pooling", "layer", "precision"})
"""The recipe's fields that answering reads."""


@dataclass(frozen=True)
class Start:
    """A model before any training here: a backend, its options, and what they stand for."""

    backend: str
    options: str
    """Canonical JSON of the backend's options."""
    fingerprint: str
    """What the options stand for: a digest of weights, or a hub commit; never a path."""

    @cached_property
    def key(self) -> str:
        return digest({"backend": self.backend, "model": self.fingerprint})


@dataclass(frozen=True)
class DataSlice:
    """Some rows of one task: the card's name to find it, the fingerprint to identify it."""

    card: str
    language: str
    """What they are in, or are said to be in: those of a translation are in its target."""
    split: Split
    limit: int | None
    fingerprint: str
    sample: int | None = None
    """The seed that draws `limit` rows; without it they are the first ones."""
    translation: Translate | None = None
    """Where their texts come from, if not from the data."""

    @property
    def text_language(self) -> str:
        """The language of the texts that a model is given."""
        return self.translation.target if self.translation else self.language

    @property
    def identity(self) -> list[Any]:
        sample = [] if self.sample is None else [{"sample": self.sample}]
        translation = [] if self.translation is None else [{"texts": self.translation.key}]
        return [self.fingerprint, self.limit, *sample, *translation]


@dataclass(frozen=True)
class Translate:
    """Say the texts of some rows in another language."""

    data_slice: DataSlice
    translator: Start
    source: str
    target: str

    @property
    def needs(self) -> tuple[Stage, ...]:
        return ()

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["translate", VERSIONS["translate"]],
                "translator": self.translator.key,
                "portion": _identities((self.data_slice,)),
                "languages": [self.source, self.target],
            }
        )


@dataclass(frozen=True)
class TrainingFeed:
    """A training set: the portions it is made of and what is learnt from them."""

    data_slices: tuple[DataSlice, ...]
    objective: Objective
    head: str
    prompt_digest: str | None = None
    """How items are put into words, for a model that reads and writes words."""

    @property
    def identity(self) -> Any:
        return {
            "portions": [portion.identity for portion in self.data_slices],
            "objective": self.objective,
            "head": self.head,
            **({"said": self.prompt_digest} if self.prompt_digest else {}),
        }


@dataclass(frozen=True)
class Mixture:
    """How a step's feed is drawn when there are several: p is proportional to min(n, cap)^(1/t)."""

    sampling: Sampling = "proportional"
    temperature: float = 1.0
    cap: int | None = None
    weights: tuple[float, ...] = ()
    """In place of all that: p is proportional to these, one a feed."""
    auxiliary_shares: tuple[float, ...] = ()
    """Shares of all steps for the last so many feeds, which no epoch counts; the rest is for the
    others."""

    @property
    def identity(self) -> list[Any]:
        more = {"weights": list(self.weights), "beside": list(self.auxiliary_shares)}
        said = {name: value for name, value in more.items() if value}
        return [self.sampling, self.temperature, self.cap, *([said] if said else [])]


@dataclass(frozen=True)
class CheckpointSelection:
    """Which state of a training is its result: the best on `dev`, or the mean of several."""

    by: Literal["source-dev", "target-dev", "average"]
    num_evals: int
    """Evenly spaced steps at which the model is looked at, the last step included."""
    patience: int | None = None
    """Looks without improvement after which training ends early."""
    dev: tuple[DataSlice, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    """Each card of `dev`, and the metric that judges its answers."""

    @property
    def identity(self) -> Any:
        if self.by == "average":
            return ["average", self.num_evals, self.patience, []]
        judged = [_identities(self.dev), [metric for _, metric in self.metrics]]
        return ["best", self.num_evals, self.patience, *judged]


@dataclass(frozen=True)
class Train:
    """Train `start` on `feeds`; what becomes of heads it already has is a named choice."""

    start: Checkpoint
    feeds: tuple[TrainingFeed, ...]
    mixture: Mixture
    recipe: Recipe
    heads: Heads
    seed: int
    selection: CheckpointSelection | None = None
    """None: the last state is the result."""

    @property
    def needs(self) -> tuple[Stage, ...]:
        portions = (one for feed in self.feeds for one in feed.data_slices)
        return (*_made_by(self.start), *_translations(portions))

    @property
    def _read(self) -> set[str]:
        """The recipe's fields that training reads: changing another must not retrain."""
        masks = any(feed.objective in ("mlm", "tlm") for feed in self.feeds)
        answers = self.selection is not None and self.selection.dev
        unread = set() if answers else {"layer", "max_answer_length"}
        return {*Recipe.model_fields} - unread - (set() if masks else {"mlm_probability"})

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["train", VERSIONS["train"]],
                "start": self.start.key,
                "feeds": [feed.identity for feed in self.feeds],
                "mixing": self.mixture.identity,
                "recipe": self.recipe.meaning(self._read),
                "heads": self.heads,
                "seed": self.seed,
                **({"selection": self.selection.identity} if self.selection else {}),
            }
        )


@dataclass(frozen=True)
class SelectModel:
    """The one of several trainings that does best on `dev`: models that differ in their recipe."""

    candidates: tuple[Train, ...]
    dev: tuple[DataSlice, ...]
    metrics: tuple[tuple[str, str], ...]
    """Each card of `dev`, and the metric that judges its answers."""

    @property
    def needs(self) -> tuple[Stage, ...]:
        return self.candidates

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["choose", VERSIONS["choose"]],
                "candidates": [one.key for one in self.candidates],
                "recipes": [one.recipe.meaning(_ANSWERING) for one in self.candidates],
                "dev": _identities(self.dev),
                "metrics": [metric for _, metric in self.metrics],
            }
        )


Checkpoint = Start | Train | SelectModel
"""A model as the plan knows it: an untrained start, or what a stage will leave or name."""


def _made_by(checkpoint: Checkpoint) -> tuple[Stage, ...]:
    """The stages a checkpoint is loaded from; of those it was chosen from, one has the weights."""
    if isinstance(checkpoint, SelectModel):
        return (*checkpoint.candidates, checkpoint)
    return (checkpoint,) if isinstance(checkpoint, Train) else ()


def _translations(portions: Iterable[DataSlice]) -> tuple[Translate, ...]:
    return tuple(one.translation for one in portions if one.translation is not None)


@dataclass(frozen=True)
class RetrievalData:
    """Rows that an answer needs beside the items: candidates, and items to be tuned on."""

    shared_index: bool
    """Whether all languages' candidates are one pool; else each language has its own."""
    index: tuple[DataSlice, ...]
    tuning: tuple[DataSlice, ...] = ()
    tuning_index: tuple[DataSlice, ...] = ()

    @property
    def data_slices(self) -> tuple[DataSlice, ...]:
        """All of them."""
        return (*self.index, *self.tuning, *self.tuning_index)

    def candidates_for(self, portion: DataSlice) -> tuple[DataSlice, ...]:
        """The candidates for the items of `portion`, which are scored or tuned on."""
        index = self.tuning_index if portion in self.tuning else self.index
        return index if self.shared_index else tuple(one for one in index if _alike(one, portion))

    def tuning_for(self, portion: DataSlice) -> DataSlice | None:
        """The items to tune on before those of `portion` are answered."""
        return next((one for one in self.tuning if _alike(one, portion)), None)

    @property
    def identity(self) -> Any:
        parts = {"index": self.index, "tuning": self.tuning, "tuning_index": self.tuning_index}
        return {"pooled": self.shared_index} | {
            name: _identities(some) for name, some in parts.items()
        }


def _alike(one: DataSlice, other: DataSlice) -> bool:
    return one.language == other.language


def _identities(portions: tuple[DataSlice, ...]) -> list[Any]:
    return [[one.language, one.split, *one.identity] for one in portions]


@dataclass(frozen=True)
class Predict:
    """Answer one task in every language with one model."""

    model: Checkpoint
    card: str
    data_slices: tuple[DataSlice, ...]
    recipe: Recipe
    retrieval: RetrievalData | None = None
    """Where the items are answered from an index."""
    prompt_digest: str | None = None
    """How items are put into words, for a model that answers in words."""

    @property
    def all_data_slices(self) -> tuple[DataSlice, ...]:
        """Everything that must be read."""
        return (*self.data_slices, *(self.retrieval.data_slices if self.retrieval else ()))

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (*_made_by(self.model), *_translations(self.data_slices))

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["predict", VERSIONS["predict"]],
                "model": self.model.key,
                "portions": _identities(self.data_slices),
                "recipe": self.recipe.meaning(_ANSWERING),
                **({"beside": self.retrieval.identity} if self.retrieval else {}),
                **({"said": self.prompt_digest} if self.prompt_digest else {}),
            }
        )


@dataclass(frozen=True)
class Score:
    """Score stored predictions; no model is needed for it."""

    predictions: Predict
    metrics: tuple[str, ...]

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (self.predictions,)

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["score", VERSIONS["score"]],
                "predictions": self.predictions.key,
                "metrics": list(self.metrics),
            }
        )


Stage = Translate | Train | SelectModel | Predict | Score
