"""Recorded functions: launched once by Python, then replayed as a whole by the device."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Protocol

import torch

Replay = Callable[[], None]


class Recorder(Protocol):
    """Turns a function on fixed memory into one that does the same with less of the host's time."""

    @property
    def count(self) -> int:
        """How many functions were recorded."""
        ...

    def record(self, function: Callable[[], None]) -> Replay:
        """`function` recorded; recording computes nothing.

        Raises:
            Exception: whatever the function or the device does not allow in a recording.
        """
        ...

    def running(self) -> AbstractContextManager[Any]:
        """Where everything of a training is to be computed, recorded or not."""
        ...

    def wait(self) -> None:
        """Until the device has done all that was asked of it."""
        ...


class CudaGraphs:
    """CUDA graphs that share one pool of memory and one stream, so they replay one at a time."""

    def __init__(self, device: torch.device) -> None:
        stream: Any = torch.cuda.Stream  # torch leaves it untyped
        self.stream = stream(device)
        self._pool = torch.cuda.graph_pool_handle()
        self.count = 0

    def record(self, function: Callable[[], None]) -> Replay:
        """`function` as a graph; it must have run before, for kernels to have been chosen."""
        graph = torch.cuda.CUDAGraph()
        self.stream.synchronize()
        collects = gc.isenabled()
        gc.disable()  # freeing another graph's memory inside a capture would break it
        try:
            # other threads may pin memory meanwhile: only this one is bound to the capture
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                function()
            except BaseException:
                with suppress(RuntimeError):  # what ended the capture is the error to tell
                    graph.capture_end()
                raise
            graph.capture_end()
        finally:
            if collects:
                gc.enable()
        self.count += 1
        return graph.replay

    def running(self) -> AbstractContextManager[Any]:
        """On the graphs' stream: what a default stream did, a capture cannot go on from."""
        self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
        return torch.cuda.stream(self.stream)

    def wait(self) -> None:
        self.stream.synchronize()


class NoGraphs:
    """Functions stay as they are: on devices without graphs."""

    count = 0

    def record(self, function: Callable[[], None]) -> Replay:
        return function

    def running(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def wait(self) -> None:
        """Everything is done as soon as it is asked."""
