"""From files to reported scores: which format a file has, and what was left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from xharness.errors import ConfigurationError
from xharness.importers import euroeval, lm_eval, mteb
from xharness.importers.reported import ReportedScore
from xharness.importers.tables import read_table, read_text
from xharness.json_text import parse_json
from xharness.plugin.catalogue import Catalogue

ImportFormat = Literal["csv", "lm-eval", "euroeval", "mteb"]
ScoreUnit = Literal["points", "fraction"]
FORMATS: tuple[str, ...] = get_args(ImportFormat)


@dataclass(frozen=True)
class ImportOptions:
    """How tables are read: our columns to the file's, or to one value; and the scores' unit."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    unit: ScoreUnit | None = None
    format: ImportFormat | None = None


@dataclass(frozen=True)
class ImportedScores:
    """What files say, and the names in them that no card stands for."""

    reported_scores: tuple[ReportedScore, ...]
    names_without_card: tuple[str, ...] = ()


def read(paths: Iterable[Path], options: ImportOptions, catalogue: Catalogue) -> ImportedScores:
    """The reported scores of all files, in their order.

    Raises:
        ConfigurationError: a file that cannot be read as what it is, with file and line.
    """
    parts = [_read(path, options, catalogue) for path in paths]
    return ImportedScores(
        tuple(score for part in parts for score in part.reported_scores),
        tuple(dict.fromkeys(name for part in parts for name in part.names_without_card)),
    )


def _read(path: Path, options: ImportOptions, catalogue: Catalogue) -> ImportedScores:
    if not path.is_file():
        raise ConfigurationError("there is no such file", where=str(path))
    file_format = options.format or _format(path)
    if file_format == "csv":
        reported = read_table(path, options.columns, options.constants)
        return ImportedScores(tuple(_table_in_points(reported, options.unit, path)))
    if file_format == "euroeval":
        return _euroeval(path, catalogue)
    values = _json(read_text(path), str(path))
    # Two tools write `.json`: what is in it decides, unless somebody said.
    if file_format == "mteb" or (options.format is None and mteb.is_mteb(values)):
        return _mteb(mteb.parse_file(values, path), path, catalogue)
    return _lm_eval(lm_eval.parse_file(values, path), path, catalogue)


def _format(path: Path) -> ImportFormat:
    """What the file's ending says; JSON is looked into, for two tools write it."""
    format_of_ending: dict[str, ImportFormat] = {
        ".csv": "csv", ".tsv": "csv", ".json": "lm-eval", ".jsonl": "euroeval",
    }  # fmt: skip
    if path.suffix not in format_of_ending:
        raise ConfigurationError(
            f"'{path.suffix}' says nothing about the format", where=str(path),
            hint=f"name it with --format: {', '.join(FORMATS)}",
        )  # fmt: skip
    return format_of_ending[path.suffix]


def _lm_eval(file: lm_eval.LmEvalFile, path: Path, catalogue: Catalogue) -> ImportedScores:
    return ImportedScores(
        tuple(lm_eval.reported_scores(file, path, catalogue)),
        tuple(lm_eval.tasks_without_card(file, catalogue)),
    )


def _mteb(file: mteb.MtebFile, path: Path, catalogue: Catalogue) -> ImportedScores:
    return ImportedScores(
        tuple(mteb.reported_scores(file, path, catalogue)),
        tuple(mteb.names_without_card(file, catalogue)),
    )


def _euroeval(path: Path, catalogue: Catalogue) -> ImportedScores:
    reported: list[ReportedScore] = []
    names_without_card: list[str] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        location = f"{path}:{number}"
        parsed_line = euroeval.parse_line(_json(line, location), location)
        line_scores = euroeval.reported_scores(parsed_line, location, catalogue)
        reported += line_scores
        names_without_card += [] if line_scores else [parsed_line.dataset]
    return ImportedScores(tuple(reported), tuple(names_without_card))


def _json(text: str, location: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise ConfigurationError(f"not JSON: {error}", where=location) from None


def _table_in_points(
    reported: list[ReportedScore], unit: ScoreUnit | None, path: Path
) -> list[ReportedScore]:
    """Table scores in points. Shares of 1 must be named as such: 0.8 points look like them."""
    if unit == "fraction":
        return [replace(score, value=100 * score.value) for score in reported]
    # Never guessed: 0.8 may be 80 points, or the 0.8 points of a model that failed.
    if unit is None and reported and all(0 <= score.value <= 1 for score in reported):
        raise ConfigurationError(
            "all scores lie between 0 and 1", where=str(path), expected="points, 0 to 100",
            hint="--unit fraction if they are shares of 1, --unit points if they are points",
        )  # fmt: skip
    return reported
