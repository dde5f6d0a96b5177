"""From files to entries: which format a file has, and what was left out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from xharness.catalogue import Catalogue
from xharness.elsewhere import euroeval, lm_eval
from xharness.elsewhere.entries import Entry
from xharness.elsewhere.tables import decoded, table
from xharness.errors import ConfigurationError

Format = Literal["csv", "lm-eval", "euroeval"]
Unit = Literal["points", "fraction"]
FORMATS: tuple[str, ...] = get_args(Format)


@dataclass(frozen=True)
class Reading:
    """How tables are read: our columns to the file's, or to one value; and the scores' unit."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    unit: Unit | None = None
    format: Format | None = None


@dataclass(frozen=True)
class Found:
    """What files say, and the names in them that no card stands for."""

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...] = ()


def read(paths: Iterable[Path], reading: Reading, catalogue: Catalogue) -> Found:
    """The entries of all files, in their order.

    Raises:
        ConfigurationError: a file that cannot be read as what it is, with file and line.
    """
    parts = [_read(path, reading, catalogue) for path in paths]
    return Found(
        tuple(entry for part in parts for entry in part.entries),
        tuple(dict.fromkeys(name for part in parts for name in part.left_out)),
    )


def _read(path: Path, reading: Reading, catalogue: Catalogue) -> Found:
    if not path.is_file():
        raise ConfigurationError("there is no such file", where=str(path))
    kind = reading.format or _format(path)
    if kind == "csv":
        found = table(path, reading.renamed, reading.fixed)
        return Found(tuple(_in_points(found, reading.unit, path)))
    if kind == "lm-eval":
        told = lm_eval.told(_json(decoded(path), str(path)), path)
        entries = lm_eval.entries(told, path, catalogue)
        return Found(tuple(entries), tuple(lm_eval.left_out(told, catalogue)))
    return _euroeval(path, catalogue)


def _format(path: Path) -> Format:
    known: dict[str, Format] = {
        ".csv": "csv", ".tsv": "csv", ".json": "lm-eval", ".jsonl": "euroeval",
    }  # fmt: skip
    if path.suffix not in known:
        raise ConfigurationError(
            f"'{path.suffix}' says nothing about the format", where=str(path),
            hint=f"name it with --format: {', '.join(FORMATS)}",
        )  # fmt: skip
    return known[path.suffix]


def _euroeval(path: Path, catalogue: Catalogue) -> Found:
    found: list[Entry] = []
    left_out: list[str] = []
    for number, line in enumerate(decoded(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        told = euroeval.told(_json(line, where), where)
        known = euroeval.entries(told, where, catalogue)
        found += known
        left_out += [] if known else [told.dataset]
    return Found(tuple(found), tuple(left_out))


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"not JSON: {error}", where=where) from None


def _in_points(found: list[Entry], unit: Unit | None, path: Path) -> list[Entry]:
    """Table scores in points. Shares of 1 must be named as such: 0.8 points look like them."""
    if unit == "fraction":
        return [replace(one, value=100 * one.value) for one in found]
    if unit is None and found and all(0 <= one.value <= 1 for one in found):
        raise ConfigurationError(
            "all scores lie between 0 and 1", where=str(path), expected="points, 0 to 100",
            hint="--unit fraction if they are shares of 1, --unit points if they are points",
        )  # fmt: skip
    return found
