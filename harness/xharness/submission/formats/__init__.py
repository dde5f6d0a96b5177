"""Formats of the official files, one module each, by the kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xharness.errors import ConfigurationError
from xharness.submission.formats.base import AnsweredItems, FileFormat, FileTexts
from xharness.submission.formats.choices import ChoiceFormat
from xharness.submission.formats.labels import LabelFormat
from xharness.submission.formats.pairs import PairFormat
from xharness.submission.formats.positions import PositionFormat
from xharness.submission.formats.rankings import RankingFormat
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
        ConfigurationError: tasks of its kind have none.
    """
    if task.card.task_type not in _FORMATS:
        raise ConfigurationError(
            f"there is no file format for tasks of the kind '{task.card.task_type}'",
            where=f"card '{task.card.name}'",
            hint=f"formats exist for: {', '.join(sorted(_FORMATS))}",
        )
    return _FORMATS[task.card.task_type]
