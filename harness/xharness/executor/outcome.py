"""How stages ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from xharness.stages import Stage
from xharness.stages.label import StageLabel

Ending = Literal["ran", "reused", "failed", "skipped"]


@dataclass(frozen=True)
class StageOutcome:
    """How one stage ended, and why where it did not end well."""

    stage: Stage
    label: StageLabel
    ending: Ending
    reason: str | None = None
    log: Path | None = None
    """Where the traceback of a failure stands."""
    exit_code: int = 0
    """What this ending alone would make the command exit with."""
    facts: Mapping[str, Any] | None = field(default=None, repr=False)
    """Those of the receipt, where there is one."""
    damaged: str | None = None
    """The key of a stored stage whose damage is the reason of a failure."""


@dataclass
class RunReport:
    """How all stages of a run ended, by key."""

    outcomes: dict[str, StageOutcome] = field(default_factory=dict)

    def add(self, outcome: StageOutcome) -> None:
        """Note how a stage ended."""
        self.outcomes[outcome.stage.key] = outcome

    def merge(self, later: RunReport) -> None:
        """Take over how stages ended that were tried once more; what ran before still counts so."""
        for key, outcome in later.outcomes.items():
            earlier = self.outcomes.get(key)
            if outcome.ending != "reused" or earlier is None or earlier.ending != "ran":
                self.outcomes[key] = outcome

    def skipped(self, stage: Stage, label: StageLabel) -> StageOutcome | None:
        """The outcome of a stage that needs one without a result; None where nothing is lacking."""
        for need in stage.needs:
            if reason := self.reason(need):
                return StageOutcome(stage, label, "skipped", reason)
        return None

    def count(self, ending: Ending) -> int:
        """How many stages ended so."""
        return sum(outcome.ending == ending for outcome in self.outcomes.values())

    @property
    def failed(self) -> list[StageOutcome]:
        return [outcome for outcome in self.outcomes.values() if outcome.ending == "failed"]

    def reason(self, stage: Stage) -> str | None:
        """Why `stage` has no result: its own failure, or that of a stage it needs."""
        outcome = self.outcomes.get(stage.key)
        return outcome.reason if outcome else None

    @property
    def exit_code(self) -> int:
        """0 all done; 3 where only data or models were missing; else 1."""
        # A failure of the run (1) outweighs data that is missing (3).
        return min((outcome.exit_code for outcome in self.failed), default=0)
