"""Gradients in memory that stays, so that a recorded step finds them where they were."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class GradientMemory:
    """The gradients of a step by name, and which of them each feed's loss gives."""

    def __init__(self, learning: Mapping[str, nn.Parameter]) -> None:
        self._learning = learning
        self._grads: dict[str, Tensor] = {}
        self._names_by_feed: dict[int, list[str]] = {}

    def allocate(self, masters: Mapping[str, nn.Parameter], *, single: bool) -> bool:
        """Room for gradients of `masters`; whether it is other memory than before.

        Float32, to add up in; of single ones, in the format in which they come.
        """
        dtypes = {name: self._learning[name].dtype if single else torch.float32 for name in masters}
        if dtypes == {name: grad.dtype for name, grad in self._grads.items()}:
            return False
        self._grads.clear()
        for name, master in masters.items():
            self._grads[name] = torch.zeros_like(master, dtype=dtypes[name])
        return True

    def learn(self, feed: int, loss: Tensor, *, first: bool) -> None:
        """Take the gradients of a row's loss; a first row's replace what there was."""
        # From the second time on only for what gave a gradient: other feeds' heads give none.
        names = self._names_by_feed.get(feed) or [*self._learning]
        gradients = torch.autograd.grad(
            loss, [self._learning[name] for name in names], allow_unused=True
        )
        grads = {
            name: grad for name, grad in zip(names, gradients, strict=True) if grad is not None
        }
        self._names_by_feed[feed] = [*grads]
        for dtype in {grad.dtype for grad in grads.values()}:
            alike = [name for name, grad in grads.items() if grad.dtype == dtype]
            sums, addends = [self._grads[name] for name in alike], [grads[name] for name in alike]
            torch._foreach_copy_(sums, addends) if first else torch._foreach_add_(sums, addends)

    def of(self, feed: int) -> dict[str, Tensor]:
        """The gradients of what took part in the feed's loss."""
        return {name: self._grads[name] for name in self._names_by_feed[feed]}

    def clear(self) -> None:
        """Let the memory go."""
        self._grads.clear()
