"""What a step of a training is made of, whichever way it is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xharness import Recipe
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Feature, Layout
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.tasks import Logits, TrainingObjective, hide
from xharness_hf.training.grad_accumulation import GradientAccumulation
from xharness_hf.training.sampler import BatchSampler, random

_MASKS, _DROPOUT = 3, 4  # streams of random numbers, beside those of the sampler


@dataclass(frozen=True)
class PreparedFeed:
    """A feed made ready: its features, and what learns from them."""

    name: str
    examples: int
    """How many examples the features were cut from."""
    features: Sequence[Feature]
    task: TrainingObjective
    head: Logits
    layout: Layout
    masked: bool = False
    """Whether words are hidden in each step, to be learnt from the others."""
    embeddings_only: bool = False
    """Whether it learns from sub-word embeddings alone, without the backbone's layers."""


@dataclass
class TrainingContext:
    """What every step of a training needs; of it only the parts of a batch change in number."""

    backbone: Backbone
    heads: Sequence[nn.Module]
    tokens: Tokens
    feeds: Sequence[PreparedFeed]
    recipe: Recipe
    seed: int
    device: torch.device
    sampler: BatchSampler
    learning: Mapping[str, nn.Parameter]
    autocast: Any
    """Called, the context in which the recipe's precision is computed."""
    accumulation: GradientAccumulation = field(init=False)

    def __post_init__(self) -> None:
        self.accumulation = GradientAccumulation(self.recipe.gradient_accumulation_steps)

    def features(self, feed: int, rows: NDArray[np.int64], step: int) -> list[Feature]:
        """The features of a batch, with words hidden where that is what is learnt from."""
        prepared = self.feeds[feed]
        features = [prepared.features[row] for row in rows]
        if not prepared.masked:
            return features
        assert self.tokens.mask is not None
        vocabulary = min(self.tokens.size, self.backbone.embedding.num_embeddings)
        # By the step: other words are hidden each time (dynamic masking, Liu et al. 2019, RoBERTa).
        stream = random(self.seed, _MASKS, step)
        return hide(features, self.tokens.mask, vocabulary, self.recipe.mlm_probability, stream)

    def dropout_seed(self, step: int) -> int:
        """What random numbers of a step hang on."""
        return int(random(self.seed, _DROPOUT, step).integers(2**63))


class TrainingStep(Protocol):
    """One way to compute a step: gradients of a batch's mean loss, and what is learnt by them."""

    @property
    def layout(self) -> str:
        """Trainings whose layouts differ draw other dropout, so no checkpoint serves both."""
        ...

    @property
    def tokens_read(self) -> int:
        """Sub-words in all batches so far, padding left out."""
        ...

    def start(self, step: int) -> None:
        """Make ready for `step`, after weights were put in place."""
        ...

    def run(self, step: int) -> None:
        """Learn from the batch of `step`.

        Raises:
            StageError: memory does not hold the smallest piece.
        """
        ...

    def losses(self, steps: int, *, wait: bool) -> list[float]:
        """Losses of the first `steps` steps that were not told before, in their order.

        With `wait` they are all there; without, a device may need some more steps to tell.
        A loss is no number, too, where the gradients' norm was none.
        """
        ...

    def learnt_weights(self) -> AbstractContextManager[None]:
        """Inside it, the model has the weights learnt so far, to be looked at."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Weights and moments by name, on the CPU."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state` gave, before the start."""
        ...

    def facts(self) -> dict[str, Any]:
        """For the receipt: how steps were computed."""
        ...

    def close(self) -> None:
        """Leave the model with the learnt weights, and let go of everything else."""
        ...
