"""The optimiser's part of a step, decided by the device: the host neither reads nor waits.

Clipping, the learning rate, the guard against numbers that are none, and the note of the loss are
operations on the device's own numbers, so a captured graph can replay them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from xharness import Recipe
from xharness_hf.training.optim import optimizer, rate


class DeviceOptimizer:
    """AdamW over masters, with rates, losses and norms of all steps in the device's memory."""

    def __init__(
        self, masters: Mapping[str, nn.Parameter], recipe: Recipe, total: int, device: torch.device
    ) -> None:
        self._most = recipe.max_grad_norm
        self._rate = torch.zeros((), device=device)
        factors = [recipe.learning_rate * rate(step, total, recipe) for step in range(total)]
        self._rates = torch.tensor(factors, dtype=torch.float32, device=device)
        self._decays = [1 - factor * recipe.weight_decay for factor in factors]
        self.optimizer = optimizer(masters, recipe, device, rate=self._rate)
        self._found_inf = torch.zeros((), device=device)
        self._scale = torch.ones((), device=device)
        # torch's own loss scaler hands AdamW its findings by these names
        self.optimizer.found_inf = self._found_inf  # type: ignore[attr-defined]
        self.optimizer.grad_scale = self._scale  # type: ignore[attr-defined]
        self._step = torch.zeros(1, dtype=torch.long, device=device)
        self._history = torch.full((total, 2), math.nan, device=device)
        self._pinned = torch.empty((total, 2), pin_memory=device.type == "cuda")
        self._known = self._asked = 0
        event: Any = torch.cuda.Event  # torch leaves it untyped
        self._event = event() if device.type == "cuda" else None

    def update(self, learnt: Sequence[nn.Parameter], loss: Tensor) -> None:
        """One step from the gradients of `learnt`; after a loss or norm that is no number, none."""
        grads = [parameter.grad for parameter in learnt if parameter.grad is not None]
        norm = nn.utils.get_total_norm(grads)
        bad = torch.isfinite(norm) & torch.isfinite(loss)
        self._found_inf.copy_(torch.maximum(self._found_inf, 1 - bad.float()))
        long = norm > self._most
        self._scale.copy_(torch.where(long, (norm + 1e-6) / self._most, torch.ones_like(norm)))
        self._rate.copy_(self._rates.index_select(0, self._step).squeeze(0))
        self.optimizer.step()
        self._history.index_copy_(0, self._step, torch.stack([loss, norm]).unsqueeze(0))
        self._step.add_(1)

    def start(self, step: int) -> None:
        """Go on with `step`, counted from 0."""
        self._step.fill_(step)
        self._known = self._asked = step

    def ask(self, done: int) -> None:
        """Have losses and norms of the first `done` steps sent to the host, without waiting."""
        if self._asked == self._known < done:
            part = slice(self._known, done)
            self._pinned[part].copy_(self._history[part], non_blocking=True)
            if self._event is not None:
                self._event.record()
            self._asked = done

    def answered(self, *, wait: bool = False) -> list[tuple[float, float]]:
        """(loss, norm) of the steps that were asked for, once they have come; none before."""
        if self._event is not None and self._asked > self._known:
            if wait:
                self._event.synchronize()
            elif not self._event.query():
                return []
        pairs = self._pinned[self._known : self._asked].tolist()
        self._known = self._asked
        return [(loss, norm) for loss, norm in pairs]

    def decay(self, done: int) -> float:
        """What the first `done` steps leave of a weight that never has a gradient."""
        return math.prod(self._decays[:done])
