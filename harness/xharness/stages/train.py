"""The stage that trains a model, and which state of the training it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from xharness.spec.recipe import Recipe
from xharness.stages.checkpoint import Checkpoint, Start
from xharness.stages.feed import Mixture, TrainingFeed
from xharness.stages.stage import Stage
from xharness.stages.translate import DataSlice, identities, translations

Heads = Literal["drop", "keep"]


@dataclass(frozen=True)
class CheckpointSelection:
    """Which state of a training is its result: the best on `dev`, or the mean of several."""

    by: Literal["source-dev", "target-dev", "average"]
    num_evals: int
    """Evenly spaced steps at which the model is evaluated, the last step included."""
    patience: int | None = None
    """Evaluations without improvement after which training ends early."""
    dev: tuple[DataSlice, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    """Each card of `dev`, and the metric that judges its answers."""

    @property
    def identity(self) -> Any:
        """What it adds to the key of a training."""
        # A mean of states reads no dev data, so none may enter the key.
        if self.by == "average":
            return ["average", self.num_evals, self.patience, []]
        dev = [identities(self.dev), [metric for _, metric in self.metrics]]
        return ["best", self.num_evals, self.patience, *dev]


@dataclass(frozen=True)
class Train(Stage, Checkpoint):
    """Train `start` on `feeds`; what becomes of heads it already has is a named choice."""

    name: ClassVar[str] = "train"

    start: Checkpoint
    feeds: tuple[TrainingFeed, ...]
    mixture: Mixture
    recipe: Recipe
    heads: Heads
    seed: int
    selection: CheckpointSelection | None = None
    """None: the last state is the result."""

    @property
    def needs(self) -> tuple[Stage, ...]:
        data_slices = (data_slice for feed in self.feeds for data_slice in feed.data_slices)
        return (*self.start.stages, *translations(data_slices))

    @property
    def origin(self) -> Start:
        return self.start.origin

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (self,)

    @property
    def _recipe_fields(self) -> set[str]:
        """The recipe's fields that training reads: changing another must not retrain."""
        masks = any(feed.objective in ("mlm", "tlm") for feed in self.feeds)
        answers = self.selection is not None and self.selection.dev
        # Only answers read these two, and nothing is answered in a training without dev data.
        ignored = set() if answers else {"layer", "max_answer_length"}
        return {*Recipe.model_fields} - ignored - (set() if masks else {"mlm_probability"})

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {
            "start": self.start.key,
            "feeds": [feed.identity for feed in self.feeds],
            "mixture": self.mixture.identity,
            "recipe": self.recipe.meaning(self._recipe_fields),
            "heads": self.heads,
            "seed": self.seed,
            **({"selection": self.selection.identity} if self.selection else {}),
        }
