"""Scores: one tidy row per model, strategy, seed, task, language and metric, as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from xharness.errors import ConfigurationError
from xharness.files import whole
from xharness.spec.documents import Strict


class Score(Strict):
    """One measured (or published) number and what it stands on."""

    model: str
    parameters: int | None = Field(default=None, description="all parameters of the body")
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
    split: str
    metric: str
    main: bool = Field(description="whether this metric is the task's score")
    value: float = Field(ge=0, le=100, description="points: 0 to 100")
    chance: float | None = Field(default=None, description="points a guess would get, where known")
    n: int | None = Field(ge=1, description="items scored; null where a publication does not say")
    parallel: bool = False
    protocol: str = Field(default="fine-tuned", description="how the model was made to answer")
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


class Missing(Strict):
    """A number that should be there and is not, with the reason."""

    model: str
    strategy: str
    seed: int | None
    task: str
    language: str | None = None
    reason: str


class Mean(Strict):
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
    over: Literal["languages", "tasks", "families"]
    families: tuple[tuple[str, ...], ...] = Field(
        default=(), description="the suite's families of tasks, where it is a mean of their means"
    )
    mean: float = Field(ge=0, le=100, description="points: 0 to 100")
    parameters: int | None = None
    embedding_parameters: int | None = None
    protocol: str = "fine-tuned"
    notes: tuple[str, ...] = ()
    source: str


Row = Score | Missing | Mean


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as JSON lines, atomically, in the order given."""
    with whole(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            values = row.model_dump(mode="json", exclude_defaults=True)
            file.write(json.dumps(values, ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[Row]:
    """Read what `write` wrote; a line with a `reason` is a missing number, one with a `mean` an
    average.

    Raises:
        ConfigurationError: file and line of a row that is broken.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                values = json.loads(line)
                yield _kind(values).model_validate(values)
            except (ValueError, ValidationError) as error:
                reason = str(error).splitlines()[0]
                raise ConfigurationError(
                    f"not a score row: {reason}", where=f"{path}:{number}"
                ) from None


def _kind(values: object) -> type[Score | Missing | Mean]:
    """Which row a line holds."""
    if not isinstance(values, Mapping):
        return Score
    if "reason" in values:
        return Missing
    return Mean if "mean" in values else Score
