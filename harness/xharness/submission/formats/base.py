"""What a format does: files of labels and predictions to examples and answers, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from xharness.submission.files import SubmissionFile
from xharness.submission.layout import SuiteTask
from xharness.task_types.base import Example, Prediction


@dataclass(frozen=True)
class AnsweredItems:
    """Examples as far as scoring reads them, and a prediction for each, in order."""

    examples: Sequence[Example]
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class FileTexts:
    """The texts of a file of labels and of its file of predictions."""

    labels: str
    predictions: str


class FileFormat(Protocol):
    """How the official files hold tasks of one kind."""

    @property
    def ending(self) -> str:
        """What file names end in, without the dot."""
        ...

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        """What two files say.

        Raises:
            ConfigurationError: a file is broken, or they do not fit each other.
        """
        ...

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        """The two files' texts; `read` gives back the same scores."""
        ...


def numbered(count: int) -> list[str]:
    """Ids for items that have none but their place."""
    return [str(index) for index in range(count)]


def as_lines(words: Sequence[str]) -> str:
    """A line for each."""
    return "".join(f"{word}\n" for word in words)


def as_json(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
