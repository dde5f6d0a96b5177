"""What is refused before anything runs: names that nothing has, and heads that nothing trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness.errors import ConfigurationError, nearest, raise_all, suggestion
from xharness.planning.context import ArmContext, PlanningContext
from xharness.planning.plan import Plan
from xharness.plugin.api import RunEnvironment
from xharness.plugin.asking import ask
from xharness.plugin.catalogue import Catalogue, option_error, validated
from xharness.plugin.registry import Registry
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document
from xharness.spec.models import ModelSpec
from xharness.spec.sources import Split
from xharness.spec.study import StrategySpec, Study, examined, sound_parts
from xharness.spec.study_document import StudyDocument
from xharness.spec.yaml_nodes import KeyPath
from xharness.stages import Checkpoint, DataSlice, SelectModel, Train


def checked_study(
    document: Document,
    base: Path,
    catalogue: Catalogue,
    environment: RunEnvironment,
    *,
    with_names: bool = False,
) -> Study:
    """The study that `document` says.

    `with_names`: whether names are looked at where nothing else is wrong, too. They can wait for
    the plan, and for the flags that take another name's place.

    Raises:
        ConfigurationError: all that is wrong in it.
    """
    examination = examined(document, base)
    if not examination.problems and not with_names:
        return examination.sound_value()
    parts, sound_document = sound_parts(document, base, examination)
    context = PlanningContext(
        parts, catalogue, _no_rows, environment, StudyDocument(sound_document)
    )
    raise_all([*map(ConfigurationError, examination.problems), *name_errors(context)])
    return examination.sound_value()


def _no_rows(card: TaskCard, language: str, split: Split, limit: int | None) -> DataSlice:
    raise AssertionError("names are checked without rows")


def name_errors(context: PlanningContext) -> Iterator[ConfigurationError]:
    """Every backend with its options, strategy, task, language, executor and tracker that a study
    names and that there is not, with its line and the nearest name.
    """
    # All in one pass: a user mends a file once, not once for each mistake.
    for check in _checks(context):
        try:
            check()
        except ConfigurationError as error:
            yield error


def _checks(context: PlanningContext) -> Iterator[Callable[[], object]]:
    for index, model in enumerate(context.study.models):
        yield partial(_check_model, context, index, model)
    for index, strategy in enumerate(context.study.strategies):
        yield partial(_check_strategy, context, index, strategy)
    for path, task in _task_names(context):
        yield partial(_check_task, context, path, task)
    for path, tasks in (
        (("recipe", "tasks"), context.study.recipe.tasks),
        (("source_score_from",), context.study.source_score_from),
    ):
        yield partial(_check_one_name_each, context, path, tasks)
    yield lambda: context.targets
    runtime, catalogue = context.study.runtime, context.catalogue
    yield partial(_check_runtime, context, "executor", runtime.executor.name, catalogue.executors)
    for tracker in runtime.trackers:
        yield partial(_check_runtime, context, "trackers", tracker, catalogue.trackers)


def _check_model(context: PlanningContext, index: int, model: ModelSpec) -> None:
    document = context.document
    path = document.model(index, model)
    with document.locating((*path, "backend")):
        backend = context.catalogue.backends[model.backend]
    part = document.options(path)
    own_keys = {*ModelSpec.model_fields, "model"}
    _check_spelling(context, path, model.backend_options, backend.options, own_keys)
    validated(backend.options, model.backend_options, f"model '{model.name}'", part)


def _check_strategy(context: PlanningContext, index: int, strategy: StrategySpec) -> None:
    path: KeyPath = ("strategies", index)
    with context.document.locating((*path, "strategy")):
        offer = context.catalogue.strategies[strategy.strategy]
    own_keys = {*StrategySpec.model_fields}
    _check_spelling(context, path, strategy.strategy_options, offer.options, own_keys)
    part, owner = context.document.options(path), f"strategy '{strategy.name}'"
    options = validated(offer.options, strategy.strategy_options, owner, part)
    cards = context.catalogue.card_files
    raise_all(
        [
            option_error(
                part, owner, name, f"there is no task card '{name}'", suggestion(name, cards)
            )
            for name in ask(owner, lambda: [*offer.card_names(options)])
            if cards.card_name(name) is None
        ]
    )


def _check_runtime(context: PlanningContext, key: str, name: str, registry: Registry[Any]) -> None:
    path = context.document.runtime(key, name)
    # What a flag names is told by who reads the flag.
    if path is not None:
        with context.document.locating(path):
            registry[name]


def _check_spelling(
    context: PlanningContext,
    path: KeyPath,
    values: Iterable[str],
    options: type[BaseModel],
    own_keys: set[str],
) -> None:
    """Refuse a key that is taken for a plugin's option, and is an own key misspelt."""
    option_keys = {field.alias or name for name, field in options.model_fields.items()}
    for key in values:
        near = None if key in option_keys else nearest(key, own_keys | option_keys)
        if near in own_keys:
            raise context.document.error(
                (*path, key), f"unknown key '{key}'", hint=f"did you mean '{near}'?"
            )


def _check_task(context: PlanningContext, path: KeyPath, task: str) -> None:
    cards = context.catalogue.card_files
    card = cards.card_name(task)
    if card is None:
        hint = suggestion(task, cards)
        raise context.document.error(path, f"there is no task card '{task}'", hint=hint)


def _check_one_name_each(context: PlanningContext, path: KeyPath, tasks: Iterable[str]) -> None:
    """Refuse a card that stands there under two names, of which only one could count."""
    names: dict[str, str] = {}
    for task in tasks:
        card = context.catalogue.card_files.card_name(task)
        if card is not None and names.setdefault(card, task) != task:
            raise context.document.error(
                (*path, task), f"'{task}' and '{names[card]}' are both the task '{card}'"
            )


def _task_names(context: PlanningContext) -> Iterator[tuple[KeyPath, str]]:
    """Where the study's file names a task that need be no target, and the name."""
    for index, model in enumerate(context.study.models):
        if model.pretrain is not None:
            path = context.document.model(index, model)
            yield (*path, "pretrain", "corpus"), model.pretrain.corpus
    for task in context.study.recipe.tasks:
        yield ("recipe", "tasks", task), task
    for task, source_task in context.study.source_score_from.items():
        yield ("source_score_from", task), task
        if source_task is not None:
            yield ("source_score_from", task), source_task


def studied_cards(plan: Plan, context: PlanningContext) -> list[TaskCard]:
    """The cards that a study scores, and those it trains on or would."""
    catalogue = context.catalogue
    names = {target.task for target in context.targets}
    for stage in plan.stages.values():
        if isinstance(stage, Train):
            names |= {data_slice.card for feed in stage.feeds for data_slice in feed.data_slices}
    for target in context.targets:
        names |= {*catalogue.card(target.task).train_on}
    return [catalogue.card(name) for name in sorted(names)]


def check_choices(context: PlanningContext, cards: list[TaskCard]) -> None:
    """Refuse a source language or a recipe preset that the study names and none of `cards` has."""
    raise_all([*_source_language_errors(context, cards), *_preset_errors(context, cards)])


def _source_language_errors(
    context: PlanningContext, cards: list[TaskCard]
) -> Iterator[ConfigurationError]:
    # Only where it is written: the default must not refuse a study whose tasks lack English.
    if "source_language" not in context.study.model_fields_set:
        return
    language = context.study.source_language
    languages = {code for card in cards for code in card.languages}
    if language not in languages:
        yield context.document.error(
            ("source_language",),
            f"no target has the language '{language}'",
            hint=suggestion(language, languages),
        )


def _preset_errors(context: PlanningContext, cards: list[TaskCard]) -> Iterator[ConfigurationError]:
    """Those that lack the preset keep the study's own recipe; some card has to have it."""
    preset = context.study.recipe.preset
    presets = {name for card in cards for name in card.recipes}
    if preset is not None and preset not in presets:
        yield context.document.error(
            ("recipe", "preset"),
            f"no task of this study has a recipe '{preset}'",
            hint=suggestion(preset, presets),
        )


def check_head(checkpoint: Checkpoint, card: TaskCard, arm: ArmContext) -> None:
    """Whether the model will have learnt the head that answers `card`.

    Raises:
        ConfigurationError: no stage trains it, so that a run could only end in an error.
    """
    # Vectors need no head: any model that embeds can answer.
    if arm.planning.catalogue.task_types[card.task_type].answered_by_search:
        return
    heads = set(_heads(checkpoint))
    if card.head_name in heads:
        return
    if not card.train_on and card.head is None:
        raise ConfigurationError(
            f"task '{card.name}' names no training set",
            hint="add `train_on` to its card, or use it as an intermediate task",
        )
    raise ConfigurationError(
        f"strategy '{arm.strategy.name}' never trains the head '{card.head_name}' "
        f"that task '{card.name}' needs",
        hint=f"heads it trains: {', '.join(sorted(heads)) or 'none'}",
    )


def _heads(checkpoint: Checkpoint) -> Iterator[str]:
    """The heads a checkpoint ends with: those of its last stage, and those kept before it."""
    if isinstance(checkpoint, SelectModel):
        # Candidates differ in their recipe alone, so the first has the heads of all.
        yield from _heads(checkpoint.candidates[0])
    if isinstance(checkpoint, Train):
        yield from (feed.head for feed in checkpoint.feeds)
        if checkpoint.heads == "keep":
            yield from _heads(checkpoint.start)
