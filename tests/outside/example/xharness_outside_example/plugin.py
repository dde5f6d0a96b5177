"""What the package offers: every hook is a function that returns offers."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

from xharness import Backend, Source, Strategy, hookimpl
from xharness_outside_example.counting import NumberSource
from xharness_outside_example.lengths import LengthBackend
from xharness_outside_example.twice import Twice


@hookimpl
def xharness_task_cards() -> Iterable[Traversable]:
    return [files("xharness_outside_example") / "cards"]


@hookimpl
def xharness_sources() -> Iterable[Source]:
    return [NumberSource()]


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return [LengthBackend()]


@hookimpl
def xharness_strategies() -> Iterable[Strategy]:
    return [Twice()]
