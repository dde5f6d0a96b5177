"""Scores: one tidy row per model, strategy, seed, task, language and metric, as JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from xharness.errors import ConfigurationError
from xharness.files import atomic_file
from xharness.json_text import parse_json

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


# Slots, because a board holds hundreds of thousands of rows: a tenth of a model's memory.
@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class ScoreRow:
    """One measured (or published) number and what it stands on."""

    model: str
    parameters: int | None = Field(default=None, description="all parameters of the backbone")
    embedding_parameters: int | None = Field(
        default=None, description="parameters of the token embedding"
    )
    family: str | None = Field(
        default=None, description="models of one design in several sizes share a family"
    )
    strategy: str
    seed: int | None
    task: str
    task_type: str
    language: str
    seen: bool | None = Field(
        default=None, description="whether the model was pretrained on the language, where known"
    )
    source_language: str | None = Field(
        description="the language the task's gap is measured from; null where there is none"
    )
    source_score_from: str | None = Field(
        default=None, description="the task whose source-language score stands in for its own"
    )
    split: str
    metric: str
    main: bool = Field(description="whether this metric is the task's score")
    value: float = Field(ge=0, le=100, description="points: 0 to 100")
    chance: float | None = Field(default=None, description="points a guess would get, where known")
    floor: float | None = Field(
        default=None,
        description="points of the best answer that does not look at the item, from the gold of "
        "the scored items; null where it is not known",
    )
    constant_answer: str | None = Field(
        default=None, description="the answer given most often, where answers are few"
    )
    constant_share: float | None = Field(
        default=None, description="in how many percent of the items it was given"
    )
    n: int | None = Field(ge=1, description="items scored; null where a publication does not say")
    parallel: bool = False
    protocol: str = Field(default="fine-tuned", description="how the model was made to answer")
    trained_languages: tuple[str, ...] = Field(
        default=(), description="languages, but the source, that the task was trained on in"
    )
    trainings: tuple[str, ...] = Field(
        default=(), description="keys of the trainings behind the weights, the last one last"
    )
    training_steps: tuple[int, ...] | None = Field(
        default=None,
        description="optimizer steps of each of `trainings`, none for the model's own pretraining",
    )
    target_steps: int | None = Field(
        default=None, description="optimizer steps on examples of this task"
    )
    examples: int | None = Field(
        default=None, description="different training examples of this task"
    )
    notes: tuple[str, ...] = Field(
        default=(), description="what a reader must know: partial data, limited, other split, …"
    )
    provenance: Literal["measured", "published"] = "measured"
    source: str | None = None
    stage: str | None = Field(default=None, description="key of the stage that measured it")

    @property
    def non_embedding_parameters(self) -> int | None:
        """Parameters outside the token embedding: the size axis of the question."""
        if self.parameters is None or self.embedding_parameters is None:
            return None
        return self.parameters - self.embedding_parameters


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class MissingRow:
    """A number that should be there and is not, with the reason."""

    model: str
    strategy: str
    seed: int | None
    task: str
    language: str | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class StatedAverage:
    """An average that a publication states; it enters no average here, it is checked by its cells.

    `task` null: an average over the tasks of `suite`, else one over the task's languages.
    """

    model: str
    strategy: str
    task: str | None
    suite: str | None = Field(default=None, description="the group of tasks it belongs to")
    seed: int | None = None
    split: str | None = None
    metric: str
    averaged_over: Literal["languages", "tasks", "families"]
    families: tuple[tuple[str, ...], ...] = Field(
        default=(), description="the suite's families of tasks, where it is a mean of their means"
    )
    mean: float = Field(ge=0, le=100, description="points: 0 to 100")
    parameters: int | None = None
    embedding_parameters: int | None = None
    protocol: str = "fine-tuned"
    notes: tuple[str, ...] = ()
    source: str


_REPEATED = ("notes", "trainings")  # what thousands of rows say alike
CellRow = ScoreRow | MissingRow
"""What stands for one model, strategy, task, language and seed: gaps are measured from these."""
Row = CellRow | StatedAverage
# Made once: making one takes far longer than reading a row with it.
_ADAPTERS: dict[type[Row], TypeAdapter[Any]] = {
    row_type: TypeAdapter(row_type) for row_type in (ScoreRow, MissingRow, StatedAverage)
}


def record(row: Row, *, defaults: bool = True) -> dict[str, Any]:
    """A row as JSON has it, with or without what stands at its default."""
    values: dict[str, Any] = _ADAPTERS[type(row)].dump_python(
        row, mode="json", exclude_defaults=not defaults
    )
    return values


def columns(row_type: type[Row]) -> list[str]:
    """The names of a row's fields, in their order."""
    return [field.name for field in fields(row_type)]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as JSON lines, atomically, in the order given."""
    # Line feeds on every system: committed boards are compared byte for byte.
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(record(row, defaults=False), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[Row]:
    """Read what `write` wrote; a line with a `reason` is a missing number, one with a `mean` an
    average.

    Raises:
        ConfigurationError: file and line of a row that is broken.
    """
    # One object for all saves most of the memory.
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = _ADAPTERS[_row_type(line)].validate_json(line)
                if b"\\u00" in line or b"\\b" in line or b"\\f" in line or b"\\r" in line:
                    _check_printable(row)
            except (ValueError, ValidationError) as error:
                raise ConfigurationError(
                    f"not a score row: {_reason(error)}", where=f"{path}:{number}"
                ) from None
            for name in _REPEATED:
                if value := getattr(row, name, ()):
                    object.__setattr__(row, name, shared.setdefault(value, value))
            yield row


def _check_printable(row: Row) -> None:
    """Refuse what would have a terminal do things; a board may be somebody else's."""
    text = json.dumps(record(row), ensure_ascii=False)
    if _CONTROL_ESCAPE.search(text.replace("\\\\", "")):
        raise ValueError("a control character in a text")


_CONTROL_ESCAPE = re.compile(r"\\[bfr]|\\u00[01]|[\x7f-\x9f]")


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else first["msg"]


def _row_type(line: bytes) -> type[Row]:
    """Which row a line holds."""
    # Nearly every line is a score: a look at its bytes spares reading it twice.
    if b'"reason"' not in line and b'"mean"' not in line:
        return ScoreRow
    values = parse_json(line)
    if "reason" in values:
        return MissingRow
    return StatedAverage if "mean" in values else ScoreRow
