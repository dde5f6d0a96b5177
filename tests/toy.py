"""A plugin for tests: cards from a folder, a source made on the spot, a backend that counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness.plugin import manager as plugin_loading
from xharness.plugin.api import (
    Backend,
    Example,
    Model,
    Recipe,
    Row,
    RunEnvironment,
    Sizes,
    Source,
    SourceRequest,
    StageError,
    TaskCard,
    TaskType,
    TrainingSession,
    TrainingSet,
    UnavailableError,
)
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Plugins, Provider
from xharness.spec.fields import Strict

CARD = """\
name: {name}
task_type: classification
role: {role}
sources:
  - from: toy
    rows: {rows}
languages: [en, de, sw]
fields: {{text: text, label: label}}
labels: [a, b]
metrics: [accuracy]
train_on: [{train_on}]
rows: {{train: {rows}, test: {rows}}}
about: {{title: t, summary: s, license: CC0-1.0, citation: c}}
"""


class ToyOptions(Strict):
    rows: int = 10
    missing: tuple[str, ...] = ()
    labels: int = 2


class ToySource(Source):
    """`rows` rows in every language and split but the missing languages."""

    name = "toy"
    options: type[BaseModel] = ToyOptions

    def fingerprint(self, request: SourceRequest) -> str:
        if request.language in request.options.missing:
            raise UnavailableError(f"no rows in '{request.language}'")
        return f"toy-{request.options.rows}-{request.language}-{request.split}"

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        for number in range(request.options.rows):
            label = (number + len(request.language)) % request.options.labels
            yield {"text": f"{request.language} {number}", "label": label}


class CountingOptions(Strict):
    seedling: str = "x"
    fail: str | None = None
    """A task whose training fails."""


class CountingModel(Model):
    """Remembers what it was trained on; answers with how often it was trained, modulo 2."""

    def __init__(self, options: CountingOptions, learnt: list[str]) -> None:
        self.options, self.learnt = options, learnt

    def sizes(self) -> Sizes:
        return Sizes(100, 40)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        for feed in feeds:
            if feed.card.name == self.options.fail:
                raise StageError("loss is nan at step 3; last finite loss 0.7 at step 2")
            self.learnt.append(feed.card.name)
            session.progress(len(self.learnt), None)
        return {"steps": len(feeds)}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[int]:
        return [(len(self.learnt) + index) % 2 for index, _ in enumerate(examples)]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "learnt.json").write_text(json.dumps(self.learnt))


class CountingBackend(Backend):
    name = "counting"
    options: type[BaseModel] = CountingOptions
    task_types = frozenset({"classification"})

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        if options.seedling == "absent":
            raise UnavailableError("there is no model 'absent'")
        return f"{options.seedling}-{options.fail}"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> CountingModel:
        return CountingModel(options, [])

    def load(self, folder: Path, device: str | None) -> CountingModel:
        return CountingModel(CountingOptions(), json.loads((folder / "learnt.json").read_text()))


class ToyPlugin:
    """Offers the toy source, the counting backend, and the cards of a folder."""

    def __init__(self, cards: Path) -> None:
        self._cards = cards

    @hookimpl
    def xharness_task_cards(self) -> Iterable[Traversable]:
        return [self._cards]

    @hookimpl
    def xharness_sources(self) -> Iterable[Source]:
        return [ToySource()]

    @hookimpl
    def xharness_backends(self) -> Iterable[Backend]:
        return [CountingBackend()]


def card(
    folder: Path, name: str, *, role: str = "target", train_on: str = "", rows: int = 10
) -> Path:
    """Write a toy card; by default it trains on itself."""
    path = folder / f"{name}.yaml"
    path.write_text(CARD.format(name=name, role=role, train_on=train_on or name, rows=rows))
    return path


def toy_plugins(cards: Path) -> Plugins:
    """The built-in task types, the project's strategies, and the toy plugin."""
    import xharness_strategies.plugin

    loaded = plugin_loading.load(installed=False)
    toy = ToyPlugin(cards)
    loaded.add(_BuiltinTaskTypes(), Provider("builtin"))
    loaded.add(xharness_strategies.plugin, Provider("strategies"))
    loaded.add(toy, Provider("toy", "toy-package 1.0"))
    assert not loaded.broken, loaded.broken
    return loaded


class _BuiltinTaskTypes:
    @hookimpl
    def xharness_task_types(self) -> Iterable[TaskType]:
        from xharness.task_types import BUILTIN

        return BUILTIN


def toy_catalogue(cards: Path) -> Catalogue:
    """A catalogue of `toy_plugins`."""
    return Catalogue(toy_plugins(cards))
