"""A study: models x strategies x targets x seeds, as one YAML file says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from xharness.errors import suggestion
from xharness.spec import documents
from xharness.spec.documents import Document
from xharness.spec.examination import Examination, examine, validate
from xharness.spec.fields import Name, Prose, Strict
from xharness.spec.languages import LanguageCode, LanguageSelector
from xharness.spec.models import Models, ModelSpec, model_name
from xharness.spec.recipe import Grid, StudyRecipe
from xharness.spec.selection import Selections, SelectionSpec
from xharness.spec.sound_parts import sound_document
from xharness.spec.sources import SplitName

MOST_SEEDS = 1000
"""Runs of each arm; no study has a tenth of them, and a slip of the keyboard has a billion."""


def _strategy(value: Any) -> Any:
    """`single`, `{multitask: {...}}`, or `{name: stilts, strategy: intermediate, tasks: [...]}`."""
    if isinstance(value, str):
        return {"name": value, "strategy": value}
    if isinstance(value, dict) and len(value) == 1 and "name" not in value:
        ((name, options),) = value.items()
        if not isinstance(options, dict | None):
            raise ValueError(f"the options of '{name}' must be keys with values")
        return {"name": name, "strategy": name, **(options or {})}
    if isinstance(value, dict) and "strategy" not in value:
        return {**value, "strategy": value.get("name")}
    return value


class StrategySpec(BaseModel):
    """A training strategy: its name on the board, the strategy used, and that one's options."""

    # What is left over is the strategy's own, whose `options` check it while planning.
    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    strategy: str = Field(description="a strategy by name: single, multitask, intermediate, …")
    about: Prose | None = Field(
        default=None, description="what it is, in a line for the board; changes nothing"
    )
    recipe: Grid = Field(default={}, description="recipe fields that differ under it")
    selection: Selections | None = Field(default=None, description="in place of the study's")
    models: tuple[Name, ...] | None = Field(
        default=None, min_length=1, description="the models it is for; default: all of the study's"
    )
    seeds: tuple[int, ...] | None = Field(
        default=None, min_length=1, description="those of the study's seeds that it is run with"
    )

    def takes(self, model: ModelSpec) -> bool:
        """Whether it is for `model`."""
        return self.models is None or model.name in self.models

    @property
    def strategy_options(self) -> dict[str, Any]:
        """What is left for the strategy itself to read."""
        return dict(self.model_extra or {})


def _target(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


class TargetSpec(Strict):
    """A task (or a group of them) to score, and how much of it."""

    task: Name = Field(description="a target card, or a group of them")
    split: SplitName | None = Field(default=None, description="another split than the card's")
    languages: tuple[LanguageSelector, ...] | None = Field(
        default=None, min_length=1, description="codes, script:NAME, family:NAME; default: all"
    )
    limit: int | None = Field(default=None, gt=0, description="items per language")


def _executor(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class ExecutorSpec(BaseModel):
    """What carries out the plan: an executor by name, and its own options."""

    # As of strategies: what is left over is the executor's own.
    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name = Field(default="sequential", description="sequential, ray, …")

    @property
    def executor_options(self) -> dict[str, Any]:
        """What is left for the executor itself to read."""
        return dict(self.model_extra or {})


Strategies = tuple[Annotated[StrategySpec, BeforeValidator(_strategy)], ...]
Targets = tuple[Annotated[TargetSpec, BeforeValidator(_target)], ...]
Keep = Literal["none", "last", "all"]


class Runtime(Strict):
    """Where and how it runs: never part of a key, because it must not change an answer."""

    store: Path | None = Field(
        default=None, description="folder of the stages; default: ./runs/store"
    )
    device: str | None = Field(default=None, description="cpu, cuda, cuda:1, mps; default: best")
    checkpoint_seconds: float = Field(default=120, ge=0, description="between checkpoints")
    executor: Annotated[ExecutorSpec, BeforeValidator(_executor)] = Field(
        default=ExecutorSpec(), description="what carries out the plan: a name, or more"
    )
    keep: Keep = Field(
        default="none",
        description="weights that stay when everything that needs them is stored: none, "
        "last (those that tasks were answered with), or all",
    )
    shard: int = Field(default=1024, gt=0, description="items between saves of predictions")
    deterministic: bool = Field(
        default=False, description="equal to the bit on the same hardware, though slower on some"
    )
    trackers: tuple[Name, ...] = Field(
        default=(), description="where the run is shown too: tensorboard, mlflow, wandb"
    )


def _recipe(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


class Study(Strict):
    """One question: what is trained how, and scored where."""

    name: Name
    title: str | None = None
    about: Prose | None = Field(default=None, description="prose for the board; changes nothing")
    models: Models = Field(
        description="models, or queries of the registry such as {max_total: 1e9, family: mmBERT}",
    )
    strategies: Strategies = Field(min_length=1)
    targets: Targets = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1, max_length=MOST_SEEDS)
    source_language: LanguageCode = "en"
    train_limit: int | None = Field(
        default=None, gt=0, description="training examples per task, the first ones"
    )
    recipe: Annotated[StudyRecipe, BeforeValidator(_recipe)] = StudyRecipe()
    budget: Literal["equal", "per-training"] = Field(
        default="equal",
        description="equal: where `steps` is given, what is learnt together gets as many as its "
        "parts apart; per-training: as many as any training. A strategy's own `steps` stand",
    )
    selection: Selections = Field(
        default=(SelectionSpec(by="last"),), description="which state of a training is its result"
    )
    source_score_from: dict[Name, Name | None] = Field(
        default={},
        description="a source-language score borrowed for a task that has none: {xcopa: copa}; "
        "null: none; default: what the task's card says",
    )
    runtime: Runtime = Runtime()

    @property
    def arms(self) -> Iterator[tuple[ModelSpec, StrategySpec]]:
        """Every model with every strategy that is for it."""
        for model in self.models:
            for strategy in self.strategies:
                if strategy.takes(model):
                    yield model, strategy

    def seeds_of(self, strategy: StrategySpec) -> tuple[int, ...]:
        """Those of the study's seeds that `strategy` is run with."""
        # In the study's order, whatever order the strategy names them in: boards follow it.
        chosen = self.seeds if strategy.seeds is None else strategy.seeds
        return tuple(seed for seed in self.seeds if seed in chosen)

    def model(self, name: str) -> ModelSpec:
        """The model that the study calls `name`."""
        return next(model for model in self.models if model.name == name)

    def in_names_of_cards(self, card_name: Callable[[str], str | None]) -> Study:
        """The study with every target and lender called as its card is, where `card_name` has one.

        Results are stored under the names of cards, by whatever name a study asks for them.
        """

        def name_of_card(task: str) -> str:
            return card_name(task) or task

        lenders = {
            name_of_card(task): None if lender is None else name_of_card(lender)
            for task, lender in self.source_score_from.items()
        }
        targets = tuple(
            target.model_copy(update={"task": name_of_card(target.task)}) for target in self.targets
        )
        return self.model_copy(update={"source_score_from": lenders, "targets": targets})

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        self._check_unique_names()
        self._check_models_and_seeds_of_strategies()
        return self

    def _check_unique_names(self) -> None:
        # A board tells its rows apart by these names.
        for key, specs in (("models", self.models), ("strategies", self.strategies)):
            names = [spec.name for spec in specs]
            duplicate = next((name for name in names if names.count(name) > 1), None)
            if duplicate:
                raise ValueError(f"'{duplicate}' stands twice in '{key}'; give each its own 'name'")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed stands twice in 'seeds'")

    def _check_models_and_seeds_of_strategies(self) -> None:
        # Here, not while planning: the file's line is still at hand, and no plugin is needed yet.
        names = {model.name for model in self.models}
        for strategy in self.strategies:
            strange = next((seed for seed in strategy.seeds or () if seed not in self.seeds), None)
            if strange is not None:
                raise ValueError(
                    f"strategy '{strategy.name}' has the seed {strange}, which is not in 'seeds'"
                )
            unknown = next((name for name in strategy.models or () if name not in names), None)
            if unknown:
                hint = suggestion(unknown, names)
                raise ValueError(
                    f"strategy '{strategy.name}' is for '{unknown}', no model of the study; {hint}"
                )


def load(path: Path) -> tuple[Study, Document]:
    """The study in a YAML file, and the document for pointing at its lines."""
    document = documents.load(path)
    return of(document, path.parent), document


def of(document: Document, base: Path) -> Study:
    """The study that `document` says, its relative paths counting from `base`.

    Raises:
        ConfigurationError: one line per problem, with its position.
    """
    return examined(document, base).sound_value()


def examined(document: Document, base: Path) -> Examination[Study]:
    """The study that `document` says, or all that is wrong in it."""
    return examine(document, Study, {"base": base})


class _Parts(Study):
    """A study of which parts may be missing, and need not fit each other."""

    name: Name = "study"
    models: Models | tuple[()] = ()
    strategies: Strategies = ()
    targets: Targets = ()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        return self


def sound_parts(
    document: Document, base: Path, examination: Examination[Study]
) -> tuple[Study, Document]:
    """What of a study is right in itself, and the document of that alone."""
    models = document.data.get("models") if isinstance(document.data, dict) else None
    # A query becomes several models, so that the number of a wrong one says nothing.
    has_query = isinstance(models, list) and None in map(model_name, models)
    whole_keys = frozenset({"models"} if has_query else ())
    sound = sound_document(document, examination, whole_keys)
    return validate(sound, _Parts, {"base": base}), sound
