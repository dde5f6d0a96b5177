"""What the core itself offers, through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources.abc import Traversable

from xharness.plugin.card_files import builtin_folder
from xharness.plugin.hookspecs import hookimpl
from xharness.task_types import BUILTIN
from xharness.task_types.base import TaskType


@hookimpl
def xharness_task_cards() -> Iterable[Traversable]:
    return [builtin_folder()]


@hookimpl
def xharness_task_types() -> Iterable[TaskType]:
    return BUILTIN
