"""What a foreign plugin gets wrong costs itself, and is told with its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.toy import CountingBackend, ToySource, card, toy_plugins
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import PlanningContext, compile_plan
from xharness.plugin import manager
from xharness.plugin.api import Backend, NoOptions, RunEnvironment, SourceRequest, Strategy
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Provider
from xharness.spec.study import Study

STRANGER = Provider("stranger", "strange 2.0")


class Everything:
    """Offers the same thing under every noun that has a type."""

    def __init__(self, offer: Any) -> None:
        self._offer = offer

    @hookimpl
    def xharness_task_types(self) -> Any:
        return [self._offer]

    @hookimpl
    def xharness_sources(self) -> Any:
        return [self._offer]

    @hookimpl
    def xharness_backends(self) -> Any:
        return [self._offer]

    @hookimpl
    def xharness_strategies(self) -> Any:
        return [self._offer]

    @hookimpl
    def xharness_translators(self) -> Any:
        return [self._offer]

    @hookimpl
    def xharness_executors(self) -> Any:
        return [self._offer]


class Offers:
    """Offers strategies and places of cards."""

    def __init__(self, strategies: Sequence[Any] = (), places: Any = ()) -> None:
        self.strategies, self.places = strategies, places

    @hookimpl
    def xharness_strategies(self) -> Any:
        return self.strategies

    @hookimpl
    def xharness_task_cards(self) -> Any:
        return self.places


class Exits:
    @hookimpl
    def xharness_strategies(self) -> Any:
        raise SystemExit(3)


class OddStrategy(Strategy):
    name = "odd"
    options: type[BaseModel] = NoOptions

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._answer = answer

    def route(self, route: Any, options: Any) -> Any:
        return self._answer(route)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green"):
        card(folder, name)
    return folder


def _catalogue(cards: Path, *strangers: object) -> Catalogue:
    plugins = toy_plugins(cards)
    for number, stranger in enumerate(strangers):
        plugins.add(stranger, STRANGER if not number else Provider("other"))
    return Catalogue(plugins)


class Nameless:
    pass


class NumberName:
    name = 3


class Explodes:
    @property
    def name(self) -> str:
        raise SystemExit(1)


@pytest.mark.parametrize("offer", [Nameless(), NumberName(), Explodes(), None])
def test_an_offer_without_a_name_is_set_aside(cards: Path, offer: Any) -> None:
    good = OddStrategy(lambda route: route.base)
    catalogue = _catalogue(cards, Offers([offer, good]))
    (broken,) = catalogue.plugins.broken
    assert broken.provider == STRANGER
    assert broken.reason.startswith("xharness_strategies: ")
    assert catalogue.strategies["odd"] is good
    assert catalogue.strategies["single"]


class NameAlone:
    name = "bare"


def test_an_offer_of_another_class_is_set_aside_with_the_base_class(cards: Path) -> None:
    catalogue = _catalogue(cards, Everything(NameAlone()))
    reasons = {
        broken.reason.partition(":")[0]: broken.reason for broken in catalogue.plugins.broken
    }
    assert {broken.provider for broken in catalogue.plugins.broken} == {STRANGER}
    for hook, base in {
        "xharness_backends": "Backend",
        "xharness_sources": "Source",
        "xharness_strategies": "Strategy",
        "xharness_task_types": "TaskType",
        "xharness_translators": "Translator",
        "xharness_executors": "Executor",
    }.items():
        assert f"is no {base}: derive its class from xharness.{base}" in reasons[hook]
    assert "bare" not in {*catalogue.backends, *catalogue.strategies, *catalogue.task_types}


def test_an_offer_that_lacks_an_attribute_is_set_aside_with_its_name(cards: Path) -> None:
    class Bare(Backend):
        name = "bare"
        fingerprint = start = load = CountingBackend.fingerprint  # type: ignore[assignment]

    catalogue = _catalogue(cards, OffersBackend(Bare()))
    (broken,) = catalogue.plugins.broken
    assert "backend 'bare' lacks 'task_types'" in broken.reason


class OffersBackend:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @hookimpl
    def xharness_backends(self) -> Any:
        return [self._backend]


def test_a_class_is_no_offer(cards: Path) -> None:
    (broken,) = _catalogue(cards, Offers([OddStrategy])).plugins.broken
    assert "strategy 'odd' is a class: offer an instance, OddStrategy()" in broken.reason


def test_a_hook_that_exits_is_set_aside(cards: Path) -> None:
    (broken,) = _catalogue(cards, Exits()).plugins.broken
    assert broken.provider == STRANGER
    assert "SystemExit: 3" in broken.reason


def test_a_folder_given_as_text_is_read(cards: Path, tmp_path: Path) -> None:
    second_folder = tmp_path / "other"
    second_folder.mkdir()
    card(second_folder, "pink")
    catalogue = _catalogue(cards, Offers(places=[str(second_folder)]))
    assert catalogue.card("pink").name == "pink"
    assert not catalogue.plugins.broken


@pytest.mark.parametrize("offers", [[3], ["/no/such/folder"], "/", 5])
def test_places_that_are_none_are_set_aside(cards: Path, offers: Any) -> None:
    catalogue = _catalogue(cards, Offers(places=offers))
    (broken,) = catalogue.plugins.broken
    assert broken.provider == STRANGER
    assert list(catalogue.card_files) == ["green", "red"]


def test_a_plugin_that_exits_at_import_is_named(tmp_path: Path) -> None:
    (tmp_path / "leaves.py").write_text("raise SystemExit(4)\n")
    with pytest.raises(ConfigurationError, match=r"leaves\.py': SystemExit: 4"):
        manager.load([str(tmp_path / "leaves.py")], installed=False)


class _Point:
    name = "leaver"
    dist = None

    def load(self) -> object:
        raise SystemExit(4)


def test_an_installed_plugin_that_exits_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "entry_points", lambda group: [_Point()])
    (broken,) = manager.load().broken
    assert broken.provider.plugin == "leaver"


def _fails(route: Any) -> Any:
    raise TypeError("something of its own")


def _exits(route: Any) -> Any:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (_fails, "route failed: TypeError: something of its own (test_strangers.py:"),
        (_exits, "route failed: SystemExit: 1"),
        (lambda route: None, "route returned None; expected route.base or what route.train"),
        (lambda route: [route.base], "expected route.base or what route.train returns"),
    ],
)
def test_a_strategy_that_goes_wrong_is_named(
    cards: Path, answer: Callable[[Any], Any], message: str
) -> None:
    catalogue, environment = _catalogue(cards, Offers([OddStrategy(answer)])), RunEnvironment()
    values = {
        "name": "s",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": [{"name": "mine", "strategy": "odd"}],
        "targets": ["red"],
    }
    study = Study.model_validate(values)
    with pytest.raises(ConfigurationError) as caught:
        compile_plan(
            PlanningContext(
                study, catalogue, DataReader(catalogue, environment).data_slice, environment
            )
        )
    assert "strategy 'odd', offered by stranger (strange 2.0): " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("broken_split", ["train", "test"])
def test_a_strategy_is_not_blamed_for_a_source(
    cards: Path, monkeypatch: pytest.MonkeyPatch, broken_split: str
) -> None:
    fingerprint = ToySource.fingerprint

    def broken(self: ToySource, request: SourceRequest) -> str:
        if request.split == broken_split:
            raise ZeroDivisionError("in a source")
        return fingerprint(self, request)

    monkeypatch.setattr(ToySource, "fingerprint", broken)
    values = {
        "name": "s",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single"],
        "targets": ["red"],
    }
    catalogue, environment = _catalogue(cards), RunEnvironment()
    find_slice = DataReader(catalogue, environment).data_slice
    study = Study.model_validate(values)
    plan = compile_plan(PlanningContext(study, catalogue, find_slice, environment))
    assert not plan.arms
    assert {missing.reason.partition(" (")[0] for missing in plan.unavailable} == {
        "card 'red': source 'toy' failed: ZeroDivisionError: in a source"
    }


def _groups(folder: Path, **groups: str) -> str:
    folder.mkdir()
    lines = [f"  {name}: {{title: t, tasks: [{tasks}]}}\n" for name, tasks in groups.items()]
    (folder / "groups.yaml").write_text("groups:\n" + "".join(lines))
    return str(folder)


def test_a_group_offered_twice_names_both(cards: Path, tmp_path: Path) -> None:
    first = Offers(places=[_groups(tmp_path / "one", warm="red", mine="red")])
    second = Offers(places=[_groups(tmp_path / "other", warm="green")])
    catalogue = _catalogue(cards, first, second)
    message = r"group 'warm' is offered by stranger \(strange 2.0\) and other"
    with pytest.raises(ConfigurationError, match=message):
        catalogue.members("warm")
    assert [member.task for member in catalogue.members("mine")] == ["red"]
    assert sorted(catalogue.groups) == ["mine", "warm"]


def test_a_group_named_as_a_card_names_both(cards: Path, tmp_path: Path) -> None:
    catalogue = _catalogue(cards, Offers(places=[_groups(tmp_path / "one", red="green")]))
    with pytest.raises(ConfigurationError) as caught:
        catalogue.members("red")
    assert "a group offered by stranger (strange 2.0)" in str(caught.value)
    assert "a task card offered by toy (toy-package 1.0)" in str(caught.value)
    assert [member.task for member in catalogue.members("green")] == ["green"]


def test_members_of_a_group_are_known(cards: Path, tmp_path: Path) -> None:
    catalogue = _catalogue(cards, Offers(places=[_groups(tmp_path / "one", both="red, gren")]))
    for ask in (catalogue.members, lambda name: catalogue.groups[name].tasks):
        with pytest.raises(ConfigurationError) as caught:
            ask("both")
        assert "groups.yaml:2:33: groups.both.tasks.1: there is no task card" in str(caught.value)
        assert "did you mean 'green'?" in str(caught.value)
