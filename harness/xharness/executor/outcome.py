"""How stages ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xharness.stages import Stage

Ending = Literal["ran", "reused", "failed", "skipped"]


@dataclass(frozen=True)
class StageOutcome:
    """How one stage ended, and why where it did not end well."""

    stage: Stage
    label: str
    ending: Ending
    reason: str | None = None
    log: Path | None = None
    exit_code: int = 0
    """What this ending alone would make the command exit with."""


@dataclass
class RunReport:
    """How all stages of a run ended."""

    outcomes: dict[str, StageOutcome] = field(default_factory=dict)

    def count(self, ending: Ending) -> int:
        """How many stages ended so."""
        return sum(one.ending == ending for one in self.outcomes.values())

    @property
    def failed(self) -> list[StageOutcome]:
        return [one for one in self.outcomes.values() if one.ending == "failed"]

    def reason(self, stage: Stage) -> str | None:
        """Why `stage` has no result: its own failure, or that of a stage it needs."""
        outcome = self.outcomes.get(stage.key)
        return outcome.reason if outcome else None

    @property
    def exit_code(self) -> int:
        """0 all done; 3 where only data or models were missing; else 1."""
        codes = {one.exit_code for one in self.failed}
        return min(codes, default=0)
