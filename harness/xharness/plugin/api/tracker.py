"""Trackers: what shows a run in a tool for experiments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run before its first stage."""

    name: str
    """The study's name."""
    parameters: Mapping[str, Any]
    """The study as JSON values, without `runtime`."""
    folder: Path
    """The run's folder of results: where a tracker writes that is told of no other place."""
    offline: bool = False
    """Whether no connection may be opened."""


class Observer:
    """Watches one run through the hooks it implements: `xharness_stage_started` and its like."""

    def close(self) -> None:
        """Let go of everything; called at the end of every run, an interrupted one too."""


class Tracker(ABC):
    """Shows a run elsewhere. It can stop no run: its first failure is told, then it is left out."""

    name: str

    @abstractmethod
    def observe(self, run: TrackedRun) -> Observer:
        """An observer of `run`.

        Raises:
            UnavailableError: a package or a credential is missing; the hint says which.
        """
