"""Files of a submission as text, with every complaint naming its file and line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError, reason_of, suggestion
from xharness.json_text import parse_json
from xharness.phrases import listed


@dataclass(frozen=True)
class SubmissionFile:
    """A text and where it was read."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> SubmissionFile:
        """The file at `path`.

        Raises:
            ConfigurationError: missing, unreadable, or not UTF-8.
        """
        try:
            # Bytes, since reading as text would turn other line ends into line feeds.
            return cls(path, path.read_bytes().decode("utf-8-sig"))
        except FileNotFoundError:
            folder = path.parent
            neighbours = [entry.name for entry in folder.glob("*")] if folder.is_dir() else []
            hint = suggestion(path.name, neighbours)
            raise ConfigurationError("there is no such file", where=str(path), hint=hint) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise ConfigurationError(reason_of(error), where=f"{path}:{line}") from None
        except OSError as error:
            raise ConfigurationError(reason_of(error), where=str(path)) from None

    @cached_property
    def lines(self) -> list[str]:
        """The lines, bare; they end at line feeds alone, for texts may hold other separators."""
        lines = self.text.split("\n")
        return [line.strip() for line in (lines if lines[-1] else lines[:-1])]

    def error(
        self, problem: str, line: int | None = None, **details: str | None
    ) -> ConfigurationError:
        """A complaint about the file, or about one of its lines, counted from 1."""
        location = str(self.path) if line is None else f"{self.path}:{line}"
        return ConfigurationError(problem, where=location, **details)

    def check_count(self, count: int, expected: int, noun: str, labels: SubmissionFile) -> None:
        """Refuse another number of items than the labels have, at the line where it is seen."""
        if count != expected:
            problem = f"{count} {noun}"
            raise self.error(problem, len(self.lines), expected=f"{expected}, as in {labels.path}")

    def parsed(self, line: int | None = None) -> Any:
        """The JSON of the whole file, or of one line of it.

        Raises:
            ConfigurationError: broken JSON, or a key that stands twice in one object.
        """
        text = self.text if line is None else self.lines[line - 1]
        try:
            # Python alone would silently keep the last of two answers to one item.
            return parse_json(text, lambda pairs: self._once(pairs, line))
        except json.JSONDecodeError as error:
            error_line = error.lineno if line is None else line
            raise self.error(f"broken JSON: {error.msg}", error_line) from None
        except ValueError as error:
            raise self.error(f"broken JSON: {error}", line) from None

    def _once(self, pairs: list[tuple[str, Any]], line: int | None) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated_name = next(name for name, count in counts.items() if count > 1)
            raise self.error(
                f"'{repeated_name}' stands twice", line or self.line_of(repeated_name, last=True)
            )
        return mapping

    def line_of(self, key: str, *, last: bool = False) -> int | None:
        """The first or the last line on which the JSON key stands, if it is written plainly."""
        for quoted_key in (json.dumps(key, ensure_ascii=False), json.dumps(key)):
            position = self.text.rfind(quoted_key) if last else self.text.find(quoted_key)
            if position >= 0:
                return self.text.count("\n", 0, position) + 1
        return None

    def mapping(self, is_right: Callable[[Any], bool], shape: str) -> dict[str, Any]:
        """The file's mapping from items to answers, each of them `is_right`.

        Raises:
            ConfigurationError: broken JSON, no mapping, or an answer of another shape.
        """
        answers = self.parsed()
        if not isinstance(answers, dict):
            raise self.error("not a mapping from items to answers", 1)
        for item, answer in answers.items():
            if not is_right(answer):
                problem = f"the answer to '{item}' has the wrong shape"
                raise self.error(problem, self.line_of(item), expected=shape)
        return answers

    def check_items(self, answers: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
        """Refuse answers to other items than those of the labels.

        Raises:
            ConfigurationError: an item that is unknown, or left out.
        """
        for item in answers:
            if item not in labels:
                hint = suggestion(item, labels)
                raise self.error(f"there is no item '{item}'", self.line_of(item), hint=hint)
        unanswered = [item for item in labels if item not in answers]
        if unanswered:
            items = listed([f"'{item}'" for item in unanswered], limit=1)
            raise self.error(f"there is no answer to {items}", len(self.lines))
