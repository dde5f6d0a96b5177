"""Formats of the official files, one module each, by the kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xharness.errors import ConfigurationError
from xharness.submission.formats.base import Answered, Format, Written
from xharness.submission.formats.choices import Choices
from xharness.submission.formats.labels import Labels
from xharness.submission.formats.pairs import Pairs
from xharness.submission.formats.places import Places
from xharness.submission.formats.rankings import Rankings
from xharness.submission.formats.squad import Squad
from xharness.submission.formats.tags import Tags
from xharness.submission.layout import Task

_FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "classification": Labels(),
        "choice": Choices(),
        "tagging": Tags(),
        "span": Squad(),
        "bitext": Places(),
        "mining": Pairs(),
        "retrieval": Rankings(),
        "linking": Rankings(),
    }
)

__all__ = ["Answered", "Format", "Written", "format_of"]


def format_of(task: Task) -> Format:
    """The format of the task's files.

    Raises:
        ConfigurationError: tasks of its kind have none.
    """
    if task.card.kind not in _FORMATS:
        raise ConfigurationError(
            f"there is no file format for tasks of the kind '{task.card.kind}'",
            where=f"card '{task.card.name}'",
            hint=f"formats exist for: {', '.join(sorted(_FORMATS))}",
        )
    return _FORMATS[task.card.kind]
