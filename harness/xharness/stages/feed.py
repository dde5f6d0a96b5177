"""What is learnt: training sets, and how several of them are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from xharness.spec.recipe import Sampling
from xharness.stages.translate import DataSlice

Objective = Literal["task", "mlm", "tlm", "align", "shots"]
"""Answering the task; masked words, in one language or two (TLM); aligning translations; nothing:
the examples are shown before every question."""


@dataclass(frozen=True)
class TrainingFeed:
    """A training set: the data slices it is made of and what is learnt from them."""

    data_slices: tuple[DataSlice, ...]
    objective: Objective
    head: str
    prompt_digest: str | None = None
    """How items are put into words, for a model that reads and writes words."""

    @property
    def identity(self) -> Any:
        """What it adds to the key of a training."""
        return {
            "data_slices": [data_slice.identity for data_slice in self.data_slices],
            "objective": self.objective,
            "head": self.head,
            # Only where there is one: a model with a head reads no prompt, whatever the card says.
            **({"prompt": self.prompt_digest} if self.prompt_digest else {}),
        }


@dataclass(frozen=True)
class Mixture:
    """How a step's feed is drawn when there are several: p is proportional to min(n, cap)^(1/t)."""

    sampling: Sampling = "proportional"
    temperature: float = 1.0
    cap: int | None = None
    weights: tuple[float, ...] = ()
    """In place of all that: p is proportional to these, one a feed."""
    auxiliary_shares: tuple[float, ...] = ()
    """Shares of all steps for the last so many feeds, which no epoch counts; the rest is for the
    others."""

    @property
    def identity(self) -> list[Any]:
        """What it adds to the key of a training."""
        shares = {"weights": list(self.weights), "auxiliary_shares": list(self.auxiliary_shares)}
        # A key says nothing of what is not used, so that all mixtures without shares are alike.
        stated_shares = {name: values for name, values in shares.items() if values}
        return [self.sampling, self.temperature, self.cap, *filter(None, [stated_shares])]
