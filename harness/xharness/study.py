"""A study: models x strategies x targets x seeds, as one YAML file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from xharness import documents
from xharness.cards import LanguageCode, Name, Split
from xharness.documents import Document, KeyPath, Strict
from xharness.errors import ConfigurationError

Sampling = Literal["proportional", "uniform", "temperature"]
Pooling = Literal["mean", "first", "last"]


class Recipe(Strict):
    """How a model is trained and read; every field can change an answer, so all enter the key."""

    epochs: float = Field(default=3, gt=0, description="passes over the feeds; unused with steps")
    steps: int | None = Field(default=None, gt=0, description="optimiser steps, in place of epochs")
    batch_size: int = Field(default=32, gt=0, description="examples per optimiser step")
    accumulate: int = Field(default=1, gt=0, description="pieces a batch is computed in")
    learning_rate: float = Field(default=2e-5, gt=0)
    warmup: float = Field(default=0.1, ge=0, le=1, description="share of steps, linear from 0")
    schedule: Literal["linear", "constant"] = "linear"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    precision: Literal["fp32", "bf16"] = Field(default="fp32", description="of the computation")
    freeze: float = Field(
        default=0.0, ge=0, le=1, description="share of the body, embeddings first, held fixed"
    )
    max_length: int = Field(default=128, ge=8, description="sub-words per window")
    stride: int = Field(default=64, ge=0, description="sub-words that span windows share")
    answer_length: int = Field(default=30, gt=0, description="sub-words of a span answer, at most")
    pooling: Pooling = Field(default="mean", description="of hidden states into one vector")
    layer: int = Field(
        default=-1, description="hidden states a sentence embedding is pooled from; 0: embeddings"
    )
    mask_rate: float = Field(
        default=0.15, gt=0, lt=1, description="sub-words masked in MLM and TLM"
    )

    def changed(self, *changes: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields changed, later changes over earlier ones."""
        values = {name: getattr(self, name) for name in Recipe.model_fields}
        return Recipe(
            **{key: value for change in (values, *changes) for key, value in change.items()}
        )


def _changes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        Recipe().changed(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ValueError(f"{key}: {first['msg']}" if key else first["msg"]) from None
    return value


Changes = Annotated[dict[str, Any], AfterValidator(_changes)]
"""Some fields of a recipe."""


class StudyRecipe(Recipe):
    """A recipe, and what differs for single tasks."""

    tasks: dict[Name, Changes] = Field(
        default={}, description="fields that differ when training on, or scoring, one task"
    )


class Pretraining(Strict):
    """The stage that turns a scratch model into a multilingual one."""

    corpus: Name = Field(description="a bitext card with a train split")
    objectives: tuple[Literal["mlm", "tlm", "align"], ...] = Field(
        default=("mlm", "tlm"),
        min_length=1,
        description="masked words, masked words in aligned pairs, aligned sub-word embeddings",
    )
    languages: tuple[LanguageCode, ...] | None = Field(default=None, description="default: all")
    limit: int | None = Field(default=None, gt=0, description="sentence pairs per language")
    seed: int = 0
    recipe: Changes = Field(
        default={}, description="its recipe; the study's own, which is for tasks, does not apply"
    )


class ModelSpec(BaseModel):
    """A model: its name on the board, the backend that makes it, and the backend's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    backend: str = "hf"
    pretrain: Pretraining | None = None
    recipe: Changes = Field(default={}, description="recipe fields that differ for it")

    @property
    def own_options(self) -> dict[str, Any]:
        """What is left for the backend itself to read."""
        return dict(self.model_extra or {})


def _named(value: Any) -> Any:
    """`single` or `{multitask: {...}}` or `{name: stilts, use: intermediate, tasks: [...]}`."""
    if isinstance(value, str):
        return {"name": value, "use": value}
    if isinstance(value, dict) and len(value) == 1 and "name" not in value:
        ((use, options),) = value.items()
        if not isinstance(options, dict | None):
            raise ValueError(f"the options of '{use}' must be keys with values")
        return {"name": use, "use": use, **(options or {})}
    if isinstance(value, dict) and "use" not in value:
        return {**value, "use": value.get("name")}
    return value


class StrategySpec(BaseModel):
    """A training strategy: its name on the board, the strategy used, and that one's options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    use: str = Field(description="a strategy by name: single, multitask, intermediate, …")
    recipe: Changes = Field(default={}, description="recipe fields that differ under it")

    @property
    def own_options(self) -> dict[str, Any]:
        """What is left for the strategy itself to read."""
        return dict(self.model_extra or {})


def _target(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


class TargetSpec(Strict):
    """A task (or a group of them) to score, and how much of it."""

    task: Name = Field(description="a target card, or a group of them")
    split: Split | None = Field(default=None, description="another split than the card's")
    languages: tuple[LanguageCode, ...] | None = None
    limit: int | None = Field(default=None, gt=0, description="items per language")


class Runtime(Strict):
    """Where and how it runs: never part of a key, because it must not change an answer."""

    store: Path | None = Field(
        default=None, description="folder of the stages; default: ./runs/store"
    )
    device: str | None = Field(default=None, description="cpu, cuda, cuda:1, mps; default: best")
    checkpoint_seconds: float = Field(default=120, ge=0, description="between checkpoints")
    shard: int = Field(default=1024, gt=0, description="items between saves of predictions")


class Study(Strict):
    """One question: what is trained how, and scored where."""

    name: Name
    title: str | None = None
    about: str | None = Field(default=None, description="prose for the board; changes nothing")
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    strategies: tuple[Annotated[StrategySpec, BeforeValidator(_named)], ...] = Field(min_length=1)
    targets: tuple[Annotated[TargetSpec, BeforeValidator(_target)], ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    source_language: LanguageCode = "en"
    train_limit: int | None = Field(
        default=None, gt=0, description="training examples per task, the first ones"
    )
    recipe: StudyRecipe = StudyRecipe()
    runtime: Runtime = Runtime()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Study:
        for shelf, specs in (("models", self.models), ("strategies", self.strategies)):
            names = [spec.name for spec in specs]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"'{twice}' stands twice in '{shelf}'; give each its own 'name'")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed stands twice in 'seeds'")
        return self


@dataclass(frozen=True)
class Places:
    """Where a study's file says what; errors name no line where there is no file."""

    document: Document | None = None

    def error(self, path: KeyPath, what: str, hint: str | None = None) -> ConfigurationError:
        """An error about what stands at `path`."""
        if self.document is None:
            return ConfigurationError(what, hint=hint)
        return self.document.error(path, what, hint=hint)

    def placed(self, path: KeyPath, error: ConfigurationError) -> ConfigurationError:
        """`error`, which names no line yet, with that of `path`."""
        if self.document is None:
            return error
        where = str(self.document.place(path))
        where = f"{where}: {error.where}" if error.where else where
        return ConfigurationError(error.what, where=where, expected=error.expected, hint=error.hint)

    def target(self, number: int, spec: TargetSpec) -> KeyPath:
        """The target in the file; flags may have spelt groups out and moved it."""
        found = self._value("targets")
        written = found if isinstance(found, list) else []
        names = [one.get("task") if isinstance(one, dict) else one for one in written]
        if number >= len(names) or names[number] != spec.task:
            if spec.task not in names:
                return ("targets",)
            number = names.index(spec.task)
        inner = ("task",) if isinstance(written[number], dict) else ()
        return ("targets", number, *inner)

    def options(self, path: KeyPath) -> Document | None:
        """The part of the file where the options of the model or strategy at `path` stand."""
        if self.document is None:
            return None
        own = self._value(*path)
        if isinstance(own, dict) and len(own) == 1 and "name" not in own:
            path = (*path, *own)
        return self.document.part(*path)

    def _value(self, *path: str | int) -> Any:
        return None if self.document is None else self.document.part(*path).data


def load(path: Path) -> tuple[Study, Document]:
    """The study in a YAML file, and the document for pointing at its lines."""
    document = documents.load(path)
    return documents.validate(document, Study), document
