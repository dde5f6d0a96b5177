"""Batches filled ahead by a thread, into memory from which a device copies without waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_DEPTH = 4  # steps filled ahead, and so how far the host runs before the device


@dataclass
class StagedStep:
    """One step's numbers in host memory."""

    memory: Tensor
    rows: Any = None
    """What `fill` says of them."""
    event: torch.cuda.Event | None = None
    """When the device has copied them."""

    @property
    def array(self) -> NDArray[np.int64]:
        """The memory as an array to be filled."""
        return np.asarray(self.memory.numpy())


@dataclass
class _Failure:
    error: BaseException


Fill = Callable[[int, NDArray[np.int64]], Any]
"""Writes a step's numbers, and returns what they are."""


@dataclass
class StepStream:
    """The steps from `first` on, each filled by a thread while the device computes others."""

    fill: Fill
    first: int
    total: int
    size: int
    """Numbers that a step has, at most."""
    pinned: bool
    _free: queue.Queue[StagedStep | None] = field(default_factory=queue.Queue)
    _full: queue.Queue[StagedStep | _Failure] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self._closed = False
        event_class: Any = torch.cuda.Event  # torch leaves it untyped
        for _ in range(_DEPTH):
            memory = torch.zeros(self.size, dtype=torch.long, pin_memory=self.pinned)
            event = event_class() if self.pinned else None
            self._free.put(StagedStep(memory, event=event))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self) -> StagedStep:
        """The next step; give it back with `release`."""
        step = self._full.get()
        if isinstance(step, _Failure):
            raise step.error
        return step

    def release(self, step: StagedStep) -> None:
        """Let `step` be filled anew once the device has copied it."""
        # Recorded behind the copies: they are through when the device comes to it.
        if step.event is not None:
            step.event.record()
        self._free.put(step)

    def close(self) -> None:
        """Stop filling."""
        self._closed = True
        self._free.put(None)  # in case the thread waits
        self._thread.join()

    def _run(self) -> None:
        try:
            for step in range(self.first, self.total):
                staged = self._free.get()
                if staged is None or self._closed:
                    return
                if staged.event is not None:
                    staged.event.synchronize()
                staged.rows = self.fill(step, staged.array)
                self._full.put(staged)
        except BaseException as error:  # it is the training's, which this thread only serves
            self._full.put(_Failure(error))
