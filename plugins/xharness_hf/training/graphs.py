"""Recorded functions: launched once by Python, then replayed as a whole by the device."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Protocol, cast

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


_ABANDONED: list[torch.cuda.CUDAGraph] = []
"""Graphs whose capture was lost: the allocator of pinned memory goes on asking them."""


class CudaGraphs:
    """CUDA graphs that share one pool of memory and one stream, so they replay one at a time."""

    def __init__(self, device: torch.device) -> None:
        stream: Any = torch.cuda.Stream  # torch leaves it untyped
        self.stream = stream(device)
        self.count = 0
        self._open_pool()

    def record(self, function: Callable[[], None]) -> Replay:
        """`function` as a graph; it must have run before, for kernels to have been chosen.

        After an error graphs that were recorded before may no longer follow seeds.
        """
        with suppress(torch.OutOfMemoryError):
            return self._captured(function)
        # what other steps have left cached is not in the graphs' pool, and what the first try
        # had allocated is free only here, where no traceback holds it
        torch.cuda.empty_cache()
        return self._captured(function)

    def _captured(self, function: Callable[[], None]) -> Replay:
        if not self._graphs:
            self._open_pool()  # a pool dies with its last graph, and no other can share it then
        graph = torch.cuda.CUDAGraph()
        self.stream.synchronize()
        collects = gc.isenabled()
        gc.disable()  # freeing another graph's memory inside a capture would break it
        try:
            # other threads may pin memory meanwhile: only this one is bound to the capture
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            with _nothing_filled():
                function()
            graph.capture_end()
        except BaseException:
            self._abandon(graph)
            raise
        finally:
            if collects:
                gc.enable()
        self._graphs.add(graph)
        self.count += 1
        return graph.replay

    def _open_pool(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def _abandon(self, graph: torch.cuda.CUDAGraph) -> None:
        """End a capture that failed, for allocators and the generator too."""
        with suppress(RuntimeError):  # what made the capture fail is the error to tell
            graph.capture_end()
        try:
            graph.pool()  # only a capture that has ended has one
        except RuntimeError:
            self._release_capture(graph)
        else:
            graph.reset()

    def _release_capture(self, graph: torch.cuda.CUDAGraph) -> None:
        """Do what torch leaves undone when a capture is lost: all that is drawn fails otherwise."""
        index, binding = self.stream.device.index, cast(Any, torch._C)
        for release in (binding._cuda_endAllocateToPool, binding._cuda_releasePool):
            with suppress(RuntimeError):  # depending on where it was lost this has been done
                release(index, self._pool)
        _ABANDONED.append(graph)
        self._open_pool()
        generator: Any = torch.cuda.default_generators[index]
        generator.graphsafe_set_state(generator.clone_state())

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


@contextmanager
def _nothing_filled() -> Iterator[None]:
    """Inside it, deterministic torch does not fill fresh memory: a kernel each, for nothing."""
    settings: Any = torch.utils.deterministic
    filled = settings.fill_uninitialized_memory
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        settings.fill_uninitialized_memory = filled
