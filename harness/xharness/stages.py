"""Stages: the content-addressed steps that a study compiles to.

A stage's key is the digest of everything that can change its answer, the keys of the stages it
needs included. Names, paths, devices and prose stay out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from xharness.cards import Split
from xharness.digest import digest
from xharness.study import Recipe, Sampling

VERSIONS = {"train": 1, "predict": 1, "score": 1}
"""Raised when the code of a stage starts to give other answers to the same question."""

Objective = Literal["task", "mlm", "tlm", "align"]
"""Answering the task; masked words, in one language or two (TLM); aligning translations."""
Heads = Literal["drop", "keep"]


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
class Portion:
    """Some rows of one task: the card's name to find it, the fingerprint to identify it."""

    card: str
    language: str
    split: Split
    limit: int | None
    fingerprint: str

    @property
    def identity(self) -> list[Any]:
        return [self.fingerprint, self.limit]


@dataclass(frozen=True)
class Feed:
    """A training set: the portions it is made of and what is learnt from them."""

    portions: tuple[Portion, ...]
    objective: Objective
    head: str

    @property
    def identity(self) -> Any:
        return {
            "portions": [portion.identity for portion in self.portions],
            "objective": self.objective,
            "head": self.head,
        }


@dataclass(frozen=True)
class Mixing:
    """How a step's feed is drawn when there are several: p is proportional to min(n, cap)^(1/t)."""

    by: Sampling = "proportional"
    temperature: float = 1.0
    cap: int | None = None


@dataclass(frozen=True)
class Train:
    """Train `start` on `feeds`; what becomes of heads it already has is a named choice."""

    start: Start | Train
    feeds: tuple[Feed, ...]
    mixing: Mixing
    recipe: Recipe
    heads: Heads
    seed: int

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (self.start,) if isinstance(self.start, Train) else ()

    @property
    def _unread(self) -> set[str]:
        """The recipe's fields that training does not read: changing one must not retrain."""
        masks = any(feed.objective in ("mlm", "tlm") for feed in self.feeds)
        return {"layer", "answer_length"} | (set() if masks else {"mask_rate"})

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "stage": ["train", VERSIONS["train"]],
                "start": self.start.key,
                "feeds": [feed.identity for feed in self.feeds],
                "mixing": [self.mixing.by, self.mixing.temperature, self.mixing.cap],
                "recipe": self.recipe.model_dump(mode="json", exclude=self._unread),
                "heads": self.heads,
                "seed": self.seed,
            }
        )


@dataclass(frozen=True)
class Predict:
    """Answer one task in every language with one model."""

    model: Start | Train
    card: str
    portions: tuple[Portion, ...]
    recipe: Recipe

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (self.model,) if isinstance(self.model, Train) else ()

    @cached_property
    def key(self) -> str:
        read = {"max_length", "stride", "answer_length", "pooling", "layer", "precision"}
        return digest(
            {
                "stage": ["predict", VERSIONS["predict"]],
                "model": self.model.key,
                "portions": [[one.language, one.split, *one.identity] for one in self.portions],
                "recipe": self.recipe.model_dump(mode="json", include=read),
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


Stage = Train | Predict | Score
