"""What people call a stage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StageLabel:
    """The name of a stage in tables, in progress and in receipts: fields, which `str` joins.

    The same stage may serve several arms; then it has the label of the first.
    """

    model: str
    """The model's name in the study, or the translator's."""
    action: str
    """What is done: train, predict, ..."""
    task: str = ""
    """What it is done on: a card, or several."""
    detail: str = ""
    """What tells it from other stages that do the same on the same."""
    strategy: str | None = None
    seed: int | None = None

    def __str__(self) -> str:
        # Joined here alone: whoever needs a part reads the field, and nobody parses a label.
        deed = " ".join(filter(None, (self.action, self.task, self.detail)))
        seed = None if self.seed is None else f"seed {self.seed}"
        return " · ".join(filter(None, (self.model, deed, self.strategy, seed)))
