"""Checkpoint selection: which of the weights that a training passes through are its result.

The best by someone's judgement, or the mean of evenly spaced ones: averaging the checkpoints of a
training makes transfer less a matter of luck where there is no target-language data to choose by
(Schmidt et al. 2023, 2305.16834).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from xharness import CheckpointPolicy, StageError

Judge = Callable[[], float]


class CheckpointSelector:
    """Evaluates weights while they learn, and keeps the chosen ones on the CPU."""

    def __init__(self, policy: CheckpointPolicy, judge: Judge | None, total: int) -> None:
        if judge is None and (policy.by == "best" or policy.patience is not None):
            raise StageError("nobody judges the weights that are to be chosen from")
        self._policy, self._judge = policy, judge
        count = min(policy.num_evals, total)
        self._due = {math.ceil(total * number / count) for number in range(1, count + 1)}
        self.weights: dict[str, Tensor] = {}
        self._evals: list[list[Any]] = []

    def due(self, step: int) -> bool:
        """Whether to evaluate after `step` steps."""
        return step in self._due

    def evaluate(self, step: int, learning: Mapping[str, nn.Parameter]) -> None:
        """Judge the weights after `step` steps, and keep them if they are among the chosen.

        Until an evaluation has a finite score the last one is kept, as without choosing.
        """
        value = self._judge() if self._judge else math.nan
        score = value if math.isfinite(value) else None
        better = self._best is None or (score is not None and score > self._best[1])
        self._evals.append([step, score])
        if self._policy.by == "average":
            self._mix(learning)
        elif better:
            self.weights = {name: _copy(parameter) for name, parameter in learning.items()}

    @property
    def is_out_of_patience(self) -> bool:
        """Whether patience has run out."""
        patience, best = self._policy.patience, self._best
        if patience is None or not self._evals:
            return False
        since = [step for step, _ in self._evals if best is None or step > best[0]]
        return len(since) >= patience

    def choose(self, learning: Mapping[str, nn.Parameter]) -> None:
        """Put the chosen weights in place of the last ones."""
        with torch.no_grad():
            for name, value in self.weights.items():
                learning[name].copy_(value)

    def facts(self) -> dict[str, Any]:
        """For the receipt: (step, score) of every evaluation, and the step that was chosen."""
        best = self._best
        step = best[0] if best else self._evals[-1][0]
        source = {} if self._policy.by == "average" else {"step": step}
        return {"by": self._policy.by, "num_evals": self._evals, **source}

    def state(self) -> list[list[Any]]:
        """What a checkpoint keeps beside the weights."""
        return self._evals

    def restore(self, state: list[list[Any]], weights: Mapping[str, Tensor]) -> None:
        """Go on from what a checkpoint kept."""
        self._evals, self.weights = (
            state,
            {name: weight.clone() for name, weight in weights.items()},
        )

    @property
    def _best(self) -> tuple[int, float] | None:
        """The first of the best evaluations so far."""
        scores = [(step, score) for step, score in self._evals if score is not None]
        return max(scores, key=lambda evaluation: evaluation[1], default=None)

    def _mix(self, learning: Mapping[str, nn.Parameter]) -> None:
        """The mean so far moves by a share of the difference: no sum grows with their number."""
        for name, parameter in learning.items():
            weight = _copy(parameter)
            mean = self.weights.get(name, weight)
            self.weights[name] = mean + (weight - mean) / len(self._evals)


def _copy(parameter: nn.Parameter) -> Tensor:
    # On the host: beside gradients and moments many a device has no room for the weights once more.
    return parameter.detach().to("cpu", copy=True)
