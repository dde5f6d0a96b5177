"""The optimiser's part of a step, decided by the device: the host neither reads nor waits.

Clipping, the learning rate, the guard against numbers that are none, and the note of the loss are
operations on the device's own numbers, so a captured graph can replay them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from xharness import Recipe
from xharness_hf.speed.adamw_kernel import AdamWKernel, AdamWScalars, AdamWSlot, refusal
from xharness_hf.training.optim import decay, optimizer, rate, room_for_moments


class DeviceOptimizer:
    """AdamW over masters, with rates, losses and norms of all steps in the device's memory.

    Where one kernel serves, `refusal` is None, gradients may come in half precision, and `copies`
    of masters are written in the same pass.
    """

    def __init__(
        self, masters: Mapping[str, nn.Parameter], copies: Mapping[str, Tensor], recipe: Recipe,
        total: int, device: torch.device,
    ) -> None:  # fmt: skip
        self._masters, self._copies = masters, copies
        self._total, self._recipe = total, recipe
        self.refusal = refusal(device)
        self._kernels: dict[tuple[int, ...], AdamWKernel] = {}
        self._max_norm = recipe.max_grad_norm
        self._rate = torch.zeros((), device=device)
        factors = [recipe.learning_rate * rate(step, total, recipe) for step in range(total)]
        self._rates = torch.tensor(factors, dtype=torch.float32, device=device)
        self.optimizer = optimizer(masters, recipe, device, rate=self._rate)
        with room_for_moments(masters.values()):
            self._allocate_moments(device)
        self._found_inf = torch.zeros((), device=device)
        self._scale = torch.ones((), device=device)
        # torch's own loss scaler hands AdamW its findings by these names
        self.optimizer.found_inf = self._found_inf  # type: ignore[attr-defined]
        self.optimizer.grad_scale = self._scale  # type: ignore[attr-defined]
        self._step = torch.zeros(1, dtype=torch.long, device=device)
        self._history = torch.full((total, 2), math.nan, device=device)
        self._pinned = torch.empty((total, 2), pin_memory=device.type == "cuda")
        self._received = self._requested = 0
        event: Any = torch.cuda.Event  # torch leaves it untyped
        self._event = event() if device.type == "cuda" else None

    def update(self, grads: Mapping[str, Tensor], loss: Tensor) -> None:
        """One step from gradients by name; none once a loss or norm is no number."""
        norm = _total_norm([*grads.values()])
        finite = torch.isfinite(norm) & torch.isfinite(loss)
        # Once set it stays: the host hears of a lost step later, and no step between may count.
        self._found_inf.copy_(torch.maximum(self._found_inf, 1 - finite.float()))
        exceeds = norm > self._max_norm
        self._scale.copy_(
            # What gradients are divided by, with the 1e-6 of torch's `clip_grad_norm_`.
            torch.where(exceeds, (norm + 1e-6) / self._max_norm, torch.ones_like(norm))
        )
        self._rate.copy_(self._rates.index_select(0, self._step).squeeze(0))
        if self.refusal is None:
            scalars = AdamWScalars(self._rate, self._scale, self._found_inf)
            self._kernel(grads).step(scalars)
        else:
            self._step_by_torch(grads)
        self._history.index_copy_(0, self._step, torch.stack([loss, norm]).unsqueeze(0))
        self._step.add_(1)

    def forget(self) -> None:
        """Gradients or moments are in other memory from now on."""
        self._kernels.clear()

    def _kernel(self, grads: Mapping[str, Tensor]) -> AdamWKernel:
        """The kernel for gradients in this memory; it is made before a step is recorded."""
        key = tuple(grad.data_ptr() for grad in grads.values())
        if key not in self._kernels:
            slots = [self._slot(name, grad) for name, grad in grads.items()]
            options = self.optimizer.defaults
            betas, eps = options["betas"], options["eps"]
            self._kernels[key] = AdamWKernel(slots, self._total, betas, eps)
        return self._kernels[key]

    def _slot(self, name: str, grad: Tensor) -> AdamWSlot:
        master = self._masters[name]
        state = self.optimizer.state[master]
        decay = next(
            group["weight_decay"]
            for group in self.optimizer.param_groups
            if any(parameter is master for parameter in group["params"])
        )
        return AdamWSlot(
            master.data, state["exp_avg"], state["exp_avg_sq"], state["step"], grad,
            self._copies.get(name), decay,
        )  # fmt: skip

    def _step_by_torch(self, grads: Mapping[str, Tensor]) -> None:
        for name, master in self._masters.items():
            master.grad = grads.get(name)
        self.optimizer.step()
        copies = [copy for name, copy in self._copies.items() if name in grads]
        if copies:
            masters = [self._masters[name].data for name in self._copies if name in grads]
            torch._foreach_copy_(copies, masters)

    def _allocate_moments(self, device: torch.device) -> None:
        """Before the first step, so that what pieces have to fit into is known beforehand."""
        for group in self.optimizer.param_groups:
            for master in group["params"]:
                self.optimizer.state[master] = {
                    "step": torch.zeros((), device=device),
                    "exp_avg": torch.zeros_like(master),
                    "exp_avg_sq": torch.zeros_like(master),
                }

    def start(self, step: int) -> None:
        """Go on with `step`, counted from 0."""
        self._step.fill_(step)
        self._received = self._requested = step

    def request(self, steps: int) -> None:
        """Have losses and norms of the first `steps` steps sent to the host, without waiting."""
        if self._requested == self._received < steps:
            part = slice(self._received, steps)
            self._pinned[part].copy_(self._history[part], non_blocking=True)
            if self._event is not None:
                self._event.record()
            self._requested = steps

    def received(self, *, wait: bool = False) -> list[tuple[float, float]]:
        """(loss, norm) of the steps that were requested, once they have come; none before."""
        if self._event is not None and self._requested > self._received:
            if wait:
                self._event.synchronize()
            elif not self._event.query():
                return []
        pairs = self._pinned[self._received : self._requested].tolist()
        self._received = self._requested
        return [(loss, norm) for loss, norm in pairs]

    def decay(self, steps: int) -> float:
        """What the first `steps` steps leave of a weight that never has a gradient."""
        return decay(steps, self._total, self._recipe)


def _total_norm(grads: list[Tensor]) -> Tensor:
    """Of all `grads` together, () in float32, whatever they come in."""
    norms: list[Tensor] = []
    for dtype in sorted({grad.dtype for grad in grads}, key=str):
        group = [grad for grad in grads if grad.dtype == dtype]
        norms += torch._foreach_norm(group, 2, dtype=torch.float32)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm
