"""Files of a submission as text, with every complaint naming its file and line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError, suggestion


@dataclass(frozen=True)
class File:
    """A text and where it was read."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> File:
        """The file at `path`.

        Raises:
            ConfigurationError: missing, unreadable, or not UTF-8.
        """
        try:
            return cls(path, path.read_bytes().decode("utf-8-sig"))
        except FileNotFoundError:
            beside = [one.name for one in path.parent.glob("*")] if path.parent.is_dir() else []
            hint = suggestion(path.name, beside)
            raise ConfigurationError("there is no such file", where=str(path), hint=hint) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            what = f"not UTF-8 text ({error.reason})"
            raise ConfigurationError(what, where=f"{path}:{line}") from None
        except OSError as error:
            raise ConfigurationError(error.strerror or str(error), where=str(path)) from None

    @cached_property
    def lines(self) -> list[str]:
        """The lines, bare; they end at line feeds alone, for texts may hold other separators."""
        lines = self.text.split("\n")
        return [line.strip() for line in (lines if lines[-1] else lines[:-1])]

    def error(
        self, what: str, line: int | None = None, **details: str | None
    ) -> ConfigurationError:
        """A complaint about the file, or about one of its lines, counted from 1."""
        where = str(self.path) if line is None else f"{self.path}:{line}"
        return ConfigurationError(what, where=where, **details)

    def check_count(self, found: int, expected: int, things: str, gold: File) -> None:
        """Refuse another number of `things` than the labels have, at the line where it is seen."""
        if found != expected:
            what = f"{found} {things}"
            raise self.error(what, len(self.lines), expected=f"{expected}, as in {gold.path}")

    def parsed(self, line: int | None = None) -> Any:
        """The JSON of the whole file, or of one line of it.

        Raises:
            ConfigurationError: broken JSON, or a key that stands twice in one object.
        """
        text = self.text if line is None else self.lines[line - 1]
        try:
            return json.loads(text, object_pairs_hook=lambda pairs: self._once(pairs, line))
        except json.JSONDecodeError as error:
            at = error.lineno if line is None else line
            raise self.error(f"broken JSON: {error.msg}", at) from None
        except (ValueError, RecursionError) as error:  # huge numbers; thousands of brackets
            raise self.error(f"broken JSON: {error}", line) from None

    def _once(self, pairs: list[tuple[str, Any]], line: int | None) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = next(name for name, count in counts.items() if count > 1)
            raise self.error(f"'{twice}' stands twice", line or self.line_of(twice, last=True))
        return found

    def line_of(self, key: str, *, last: bool = False) -> int | None:
        """The first or the last line on which the JSON key stands, if it is written plainly."""
        for quoted in (json.dumps(key, ensure_ascii=False), json.dumps(key)):
            place = self.text.rfind(quoted) if last else self.text.find(quoted)
            if place >= 0:
                return self.text.count("\n", 0, place) + 1
        return None

    def mapping(self, right: Callable[[Any], bool], shape: str) -> dict[str, Any]:
        """The file's mapping from items to answers, each of them `right`.

        Raises:
            ConfigurationError: broken JSON, no mapping, or an answer of another shape.
        """
        found = self.parsed()
        if not isinstance(found, dict):
            raise self.error("not a mapping from items to answers", 1)
        for item, answer in found.items():
            if not right(answer):
                what = f"the answer to '{item}' has the wrong shape"
                raise self.error(what, self.line_of(item), expected=shape)
        return found

    def check_items(self, found: Mapping[str, Any], golds: Mapping[str, Any]) -> None:
        """Refuse answers to other items than those of the labels.

        Raises:
            ConfigurationError: an item that is unknown, or left out.
        """
        for item in found:
            if item not in golds:
                hint = suggestion(item, golds)
                raise self.error(f"there is no item '{item}'", self.line_of(item), hint=hint)
        left = [item for item in golds if item not in found]
        if left:
            many = f", nor are {len(left) - 1} others" if len(left) > 1 else ""
            raise self.error(f"item '{left[0]}' is not answered{many}", len(self.lines))
