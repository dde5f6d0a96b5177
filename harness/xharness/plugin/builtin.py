"""What the core itself offers, through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from xharness.plugin.hookspecs import hookimpl
from xharness.task_types import BUILTIN
from xharness.task_types.base import TaskType


def cards_folder() -> Traversable:
    """`task_cards/`: inside the package in a wheel, at the repository's root when editable."""
    packaged = files("xharness").joinpath("task_cards")
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "task_cards"


@hookimpl
def xharness_task_cards() -> Iterable[Traversable]:
    return [cards_folder()]


@hookimpl
def xharness_task_types() -> Iterable[TaskType]:
    return BUILTIN
