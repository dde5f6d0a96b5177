"""One score as somebody else's file states it, and where it stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AveragedOver = Literal["languages", "tasks", "families"]


@dataclass(frozen=True)
class ReportedScore:
    """A score that a file reports. Names are still the file's own; `value` is in points, 0 to 100.

    Without a `language` it is an average: over the languages of `task`, or, where `task` names a
    group, over its tasks (or its families of tasks, if `averaged_over` says so).
    """

    location: str
    """File and line, for whatever is said about it."""
    task: str
    metric: str
    model: str
    value: float
    source: str
    language: str | None = None
    seed: int | None = None
    split: str | None = None
    strategy: str = "single"
    n: int | None = None
    whole_split: bool = True
    """Whether the whole split was scored, so that the card's count stands for a missing `n`."""
    protocol: str = "fine-tuned"
    averaged_over: AveragedOver | None = None
    suite: str | None = None
    """The group of tasks that an average over languages was published as a part of."""
    notes: tuple[str, ...] = ()
