"""A study: models x strategies x targets x seeds, as one YAML file says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from xharness.errors import ConfigurationError, suggestion
from xharness.spec import documents
from xharness.spec.cards import LanguageCode, Name, Size, Split, refuse_truth_value
from xharness.spec.documents import Document, KeyPath, Strict
from xharness.spec.languages import check_choice
from xharness.spec.registry import RegistryQuery, find_model

Sampling = Literal["proportional", "uniform", "temperature"]
Pooling = Literal["mean", "first", "last"]


_READ_BY = {
    "lora": ("rank", "alpha", "dropout", "targets", "merge"),
    "prompt": ("num_virtual_tokens",),
    "prefix": ("num_virtual_tokens",),
}


class Adapter(Strict):
    """Few parameters that learn in place of the body's own, which are held fixed."""

    method: Literal["lora", "prompt", "prefix"] = Field(
        description="LoRA (2106.09685), prompt tuning (2104.08691), prefix tuning (2101.00190)"
    )
    r: int = Field(default=8, gt=0, description="of LoRA's two matrices")
    lora_alpha: float = Field(
        default=16, gt=0, description="LoRA's change is scaled by alpha / rank"
    )
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="of what LoRA's matrices read")
    target_modules: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="names of the linear layers; default: queries and values of the attention, all "
        "linear layers where PEFT does not know those of the family",
    )
    merge: bool = Field(
        default=False, description="add LoRA's change to the weights when training ends"
    )
    num_virtual_tokens: int = Field(default=20, gt=0, description="of a prompt or a prefix")

    @model_validator(mode="after")
    def _fields_belong_to_the_method(self) -> Adapter:
        for name in sorted(self.model_fields_set - {"method", *_READ_BY[self.method]}):
            raise ValueError(f"'{name}' does not belong to the method '{self.method}'")
        return self

    def meaning(self) -> dict[str, Any]:
        """What can change an answer: what the method reads."""
        return self.model_dump(mode="json", include={"method", *_READ_BY[self.method]})


def _adapter(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


class Recipe(Strict):
    """How a model is trained and read; what of it can change an answer enters the key."""

    epochs: float = Field(default=3, gt=0, description="passes over the feeds; unused with steps")
    steps: int | None = Field(default=None, gt=0, description="optimiser steps, in place of epochs")
    batch_size: int = Field(default=32, gt=0, description="examples per optimiser step")
    gradient_accumulation_steps: int = Field(
        default=1, gt=0, description="pieces a batch is computed in"
    )
    learning_rate: float = Field(default=2e-5, gt=0)
    warmup_ratio: float = Field(
        default=0.1, ge=0, le=1, description="share of steps, linear from 0"
    )
    lr_scheduler_type: Literal["linear", "constant"] = "linear"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    precision: Literal["fp32", "bf16"] = Field(default="fp32", description="of the computation")
    freeze_ratio: float = Field(
        default=0.0, ge=0, le=1, description="share of the body, embeddings first, held fixed"
    )
    max_length: int = Field(default=128, ge=8, description="sub-words per window")
    doc_stride: int = Field(default=64, ge=0, description="sub-words that span windows share")
    max_answer_length: int = Field(
        default=30, gt=0, description="sub-words of a span answer, at most"
    )
    pooling: Pooling = Field(default="mean", description="of hidden states into one vector")
    layer: int = Field(
        default=-1, description="hidden states a sentence embedding is pooled from; 0: embeddings"
    )
    mlm_probability: float = Field(
        default=0.15, gt=0, lt=1, description="sub-words masked in MLM and TLM"
    )
    max_query_length: int | None = Field(
        default=None,
        ge=4,
        description="sub-words of a question or a query, at most; default: half of max_length for "
        "span questions, max_length for retrieval queries",
    )
    optimizer: Literal["adamw", "adafactor"] = Field(
        default="adamw", description="Adafactor (1804.04235) with steps relative to the weights"
    )
    adapter: Annotated[Adapter | None, BeforeValidator(_adapter)] = Field(
        default=None, description="what learns in place of the body; `lora` for short"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="computes layers twice and so keeps less; changes no weight"
    )

    came_later: ClassVar[frozenset[str]] = frozenset({"max_query_length", "optimizer", "adapter"})
    """Fields that older keys do not know: at its default, such a field enters no key."""
    costs_only: ClassVar[frozenset[str]] = frozenset({"gradient_checkpointing"})
    """Fields that change time and memory and no answer: they enter no key at all."""

    def changed(self, *changes: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields changed, later changes over earlier ones."""
        values = {name: getattr(self, name) for name in Recipe.model_fields}
        return Recipe(
            **{key: value for change in (values, *changes) for key, value in change.items()}
        )

    def meaning(self, fields: Iterable[str]) -> dict[str, Any]:
        """What of `fields` enters the key of a stage that reads them."""
        read = {*fields} - self.costs_only
        values = {name: getattr(self, name) for name in Recipe.model_fields if name in read}
        for name in self.came_later:
            if name in values and values[name] == Recipe.model_fields[name].default:
                del values[name]
        if self.adapter is not None and "adapter" in values:
            values["adapter"] = self.adapter.meaning()
        return values


def common_fields(recipes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields on which all of `recipes` agree; what is learnt together has one recipe."""
    first, *others = [Recipe(**one).model_dump(exclude_unset=True) for one in recipes] or [{}]
    return {
        name: value
        for name, value in first.items()
        if all(name in one and one[name] == value for one in others)
    }


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


def at_learning_rate(fields: Mapping[str, Any], place: int) -> Mapping[str, Any]:
    """`fields` with one learning rate, where they list several; a short list repeats its last."""
    rates = fields.get("learning_rate")
    if not isinstance(rates, list | tuple):
        return fields
    return {**fields, "learning_rate": rates[min(place, len(rates) - 1)]}


def learning_rate_count(fields: Mapping[str, Any]) -> int:
    """How many learning rates `fields` list."""
    rates = fields.get("learning_rate")
    return len(rates) if isinstance(rates, list | tuple) else 1


def _grid(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not learning_rate_count(value):
        raise ValueError("learning_rate: the list names none")
    for place in range(learning_rate_count(value)):
        _changes(at_learning_rate(value, place))
    return value


Grid = Annotated[dict[str, Any], AfterValidator(_grid)]
"""Some fields of a recipe; `learning_rate` may be a list of which the best is taken."""


def _rates(value: Any) -> Any:
    _grid({"learning_rate": value})
    return tuple(value) if isinstance(value, list) else value


class StudyRecipe(Recipe):
    """A recipe, the published one it starts from, and what differs for single tasks."""

    learning_rate: Annotated[Any, AfterValidator(_rates)] = Field(
        default=2e-5,
        description="or several: each is tried, and the best on source-language dev taken",
    )
    preset: Name | None = Field(
        default=None,
        description="a recipe of the cards by name, such as xtreme; `recipe: xtreme` for short",
    )
    tasks: dict[Name, Grid] = Field(
        default={}, description="fields that differ when training on, or scoring, one task"
    )

    @property
    def stated_fields(self) -> dict[str, Any]:
        """The fields that the study itself says."""
        named = self.model_fields_set & Recipe.model_fields.keys()
        return {name: getattr(self, name) for name in named}


def _recipe(value: Any) -> Any:
    return {"preset": value} if isinstance(value, str) else value


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
    size: Size = Field(default="base", description="which column of a published recipe is for it")
    family: str | None = Field(
        default=None, description="models of one family share a trend; default: the registry's"
    )
    pretrained_on: tuple[LanguageCode, ...] | None = Field(
        default=None, description="the languages of its pretraining, for the board to tell apart"
    )
    pretrain: Pretraining | None = None
    recipe: Grid = Field(default={}, description="recipe fields that differ for it")

    def saw(self, language: str) -> bool | None:
        """Whether its pretraining included `language`, where that is known."""
        known = self.pretrained_on or (self.pretrain.languages if self.pretrain else None)
        return None if known is None else language in known

    @property
    def known_family(self) -> str | None:
        """Its family: as the study says, or as the registry does of a model on the hub."""
        known = (
            find_model(str(self.backend_options["hub"])) if "hub" in self.backend_options else None
        )
        return self.family or (known.family if known else None)

    @property
    def backend_options(self) -> dict[str, Any]:
        """What is left for the backend itself to read."""
        return dict(self.model_extra or {})


def _models(value: Any) -> Any:
    """Models with queries such as `{max_total: 1e9, family: mmbert}` spelt out.

    What else a query says is for each of its models; one that is listed by name is not repeated.
    """
    written = [value] if isinstance(value, dict) else value
    if not isinstance(written, list | tuple):
        return value
    listed = {one.get("hub") for one in written if isinstance(one, dict)}
    found: list[Any] = []
    for one in written:
        if (
            not isinstance(one, dict)
            or "name" in one
            or not one.keys() & RegistryQuery.model_fields
        ):
            found.append(one)
            continue
        query = RegistryQuery(
            **{key: one[key] for key in one.keys() & RegistryQuery.model_fields.keys()}
        )
        rest = {key: value for key, value in one.items() if key not in RegistryQuery.model_fields}
        spelt = [{"name": known.name, "hub": known.hub, **rest} for known in query.matching()]
        found += [one for one in spelt if one["hub"] not in listed]
        listed |= {one["hub"] for one in spelt}
    return found


def _named(value: Any) -> Any:
    """`single` or `{multitask: {...}}` or `{name: stilts, strategy: intermediate, tasks: [...]}`."""
    if isinstance(value, str):
        return {"name": value, "strategy": value}
    if isinstance(value, dict) and len(value) == 1 and "name" not in value:
        ((use, options),) = value.items()
        if not isinstance(options, dict | None):
            raise ValueError(f"the options of '{use}' must be keys with values")
        return {"name": use, "strategy": use, **(options or {})}
    if isinstance(value, dict) and "strategy" not in value:
        return {**value, "strategy": value.get("name")}
    return value


class SelectionSpec(Strict):
    """Which state of a training is its result."""

    by: Literal["last", "source-dev", "target-dev", "average"] = Field(
        description="the last state; the best on dev data in the source language, or in the "
        "target's languages (an oracle: zero-shot transfer has none); the mean of several"
    )
    num_evals: int = Field(default=10, ge=1, description="evenly spaced states that are looked at")
    patience: int | None = Field(
        default=None, gt=0, description="looks without improvement before training ends early"
    )
    limit: int | None = Field(default=None, gt=0, description="dev items per language, at most")

    @model_validator(mode="after")
    def _dev_is_there(self) -> SelectionSpec:
        for name in ("patience", "limit"):
            if getattr(self, name) is not None and self.by in ("last", "average"):
                raise ValueError(f"'{name}' needs dev data: source-dev or target-dev")
        return self

    def label(self, strategy: str, *, first: bool) -> str:
        """How the board calls an arm of `strategy`; an oracle never hides."""
        if self.by == "target-dev":
            return f"{strategy} (target-dev, oracle)"
        return strategy if first else f"{strategy} ({self.by})"


def _selections(value: Any) -> Any:
    some = value if isinstance(value, list | tuple) else [value]
    return [{"by": one} if isinstance(one, str) else one for one in some]


def _once_each(value: tuple[SelectionSpec, ...]) -> tuple[SelectionSpec, ...]:
    named = [one.by for one in value]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice:
        raise ValueError(f"'{twice}' stands twice")
    return value


Selections = Annotated[
    tuple[SelectionSpec, ...],
    BeforeValidator(_selections),
    AfterValidator(_once_each),
    Field(min_length=1),
]
"""One selection or several; each after the first is an arm of its own."""


class StrategySpec(BaseModel):
    """A training strategy: its name on the board, the strategy used, and that one's options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    strategy: str = Field(description="a strategy by name: single, multitask, intermediate, …")
    recipe: Grid = Field(default={}, description="recipe fields that differ under it")
    selection: Selections | None = Field(default=None, description="in place of the study's")
    models: tuple[Name, ...] | None = Field(
        default=None, min_length=1, description="the models it is for; default: all of the study's"
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


def _language(word: str) -> str:
    check_choice(word)
    return word


LanguageChoice = Annotated[str, BeforeValidator(refuse_truth_value), AfterValidator(_language)]
"""A language code, or several by script (`script:Cyrl`) or family (`family:Slavic`)."""


class TargetSpec(Strict):
    """A task (or a group of them) to score, and how much of it."""

    task: Name = Field(description="a target card, or a group of them")
    split: Split | None = Field(default=None, description="another split than the card's")
    languages: tuple[LanguageChoice, ...] | None = Field(
        default=None, min_length=1, description="codes, script:NAME, family:NAME; default: all"
    )
    limit: int | None = Field(default=None, gt=0, description="items per language")


def _executor(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class ExecutorSpec(BaseModel):
    """What carries out the plan: an executor by name, and its own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name = Field(default="sequential", description="sequential, ray, …")

    @property
    def executor_options(self) -> dict[str, Any]:
        """What is left for the executor itself to read."""
        return dict(self.model_extra or {})


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
    shard: int = Field(default=1024, gt=0, description="items between saves of predictions")
    deterministic: bool = Field(
        default=False, description="equal to the bit on the same hardware, though slower on some"
    )


class Study(Strict):
    """One question: what is trained how, and scored where."""

    name: Name
    title: str | None = None
    about: str | None = Field(default=None, description="prose for the board; changes nothing")
    models: Annotated[tuple[ModelSpec, ...], BeforeValidator(_models)] = Field(
        min_length=1,
        description="models, or queries of the registry such as {max_total: 1e9, family: mmBERT}",
    )
    strategies: tuple[Annotated[StrategySpec, BeforeValidator(_named)], ...] = Field(min_length=1)
    targets: tuple[Annotated[TargetSpec, BeforeValidator(_target)], ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    source_language: LanguageCode = "en"
    train_limit: int | None = Field(
        default=None, gt=0, description="training examples per task, the first ones"
    )
    recipe: Annotated[StudyRecipe, BeforeValidator(_recipe)] = StudyRecipe()
    selection: Selections = Field(
        default=(SelectionSpec(by="last"),), description="which state of a training is its result"
    )
    source_score_from: dict[Name, Name] = Field(
        default={},
        description="a source-language score borrowed for a task that has none: {xcopa: copa}",
    )
    runtime: Runtime = Runtime()

    @property
    def arms(self) -> Iterator[tuple[ModelSpec, StrategySpec]]:
        """Every model with every strategy that is for it."""
        for model in self.models:
            yield from ((model, one) for one in self.strategies if one.takes(model))

    def model(self, name: str) -> ModelSpec:
        """The model that the study calls `name`."""
        return next(one for one in self.models if one.name == name)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Study:
        for shelf, specs in (("models", self.models), ("strategies", self.strategies)):
            names = [spec.name for spec in specs]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"'{twice}' stands twice in '{shelf}'; give each its own 'name'")
        known = {model.name for model in self.models}
        for strategy in self.strategies:
            unknown = next((name for name in strategy.models or () if name not in known), None)
            if unknown:
                hint = suggestion(unknown, known)
                raise ValueError(
                    f"strategy '{strategy.name}' is for '{unknown}', no model of the study; {hint}"
                )
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed stands twice in 'seeds'")
        return self


@dataclass(frozen=True)
class StudyDocument:
    """Where a study's file says what; errors name no line where there is no file."""

    document: Document | None = None

    def error(self, path: KeyPath, what: str, hint: str | None = None) -> ConfigurationError:
        """An error about what stands at `path`."""
        if self.document is None:
            return ConfigurationError(what, hint=hint)
        return self.document.error(path, what, hint=hint)

    def located(self, path: KeyPath, error: ConfigurationError) -> ConfigurationError:
        """`error`, which names no line yet, with that of `path`."""
        if self.document is None:
            return error
        where = str(self.document.position(path))
        where = f"{where}: {error.where}" if error.where else where
        return ConfigurationError(error.what, where=where, expected=error.expected, hint=error.hint)

    @contextmanager
    def locating(self, path: KeyPath) -> Iterator[None]:
        """Inside it, an error without a place gets that of `path`."""
        try:
            yield
        except ConfigurationError as error:
            if error.where is not None:
                raise
            raise self.error(path, error.what, hint=error.hint) from None

    def model(self, number: int, spec: ModelSpec) -> KeyPath:
        """The model in the file; queries are spelt out, and a model of theirs stands nowhere."""
        found = self._value("models")
        written = found if isinstance(found, list) else []
        names = [one.get("name") if isinstance(one, dict) else None for one in written]
        if number < len(names) and names[number] == spec.name:
            return ("models", number)
        return ("models", names.index(spec.name)) if spec.name in names else ("models",)

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
