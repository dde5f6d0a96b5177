"""Formats of the official files, by the type of task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xharness.errors import ConfigurationError
from xharness.submission.formats.base import AnsweredItems, FileFormat, FileTexts
from xharness.submission.formats.labels import ChoiceFormat, LabelFormat
from xharness.submission.formats.search import PairFormat, PositionFormat, RankingFormat
from xharness.submission.formats.squad import SquadFormat
from xharness.submission.formats.tags import TagFormat
from xharness.submission.layout import SuiteTask

_FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        "classification": LabelFormat(),
        "multiple_choice": ChoiceFormat(),
        "tagging": TagFormat(),
        "extractive_qa": SquadFormat(),
        "bitext_retrieval": PositionFormat(),
        "bitext_mining": PairFormat(),
        "retrieval": RankingFormat(),
        "entity_linking": RankingFormat(),
    }
)

__all__ = ["AnsweredItems", "FileFormat", "FileTexts", "format_of"]


def format_of(task: SuiteTask) -> FileFormat:
    """The format of the task's files.

    Raises:
        ConfigurationError: tasks of its type have none.
    """
    if task.card.task_type not in _FORMATS:
        raise ConfigurationError(
            f"there is no file format for tasks of the type '{task.card.task_type}'",
            where=f"card '{task.card.name}'",
            hint=f"formats exist for: {', '.join(sorted(_FORMATS))}",
        )
    return _FORMATS[task.card.task_type]
