"""Recordings that fail leave allocators, the generator and later recordings as they should be.

Stand-ins take the place of torch's graphs, which need a GPU; they keep the rules that torch keeps.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from xharness_hf.training import graphs
from xharness_hf.training.graphs import CudaGraphs


class Generator:
    """A default generator whose state can be stuck in a capture."""

    def __init__(self) -> None:
        self.capturing = False

    def clone_state(self) -> Generator:
        """A state that is in no capture."""
        return Generator()

    def graphsafe_set_state(self, state: Generator) -> None:
        """Go on with another state."""
        self.capturing = state.capturing

    def draw(self) -> None:
        """As an operator outside a graph does."""
        if self.capturing:
            raise RuntimeError("Offset increment outside graph capture encountered unexpectedly")


class Device:
    """What captures change: uses of pools, where memory is allocated, the generator."""

    def __init__(self) -> None:
        self.generator = Generator()
        self.pools: Counter[int] = Counter()
        self.calls: list[str] = []
        self.allocating: int | None = None
        self.lost = False
        """Whether what ran has made the capture invalid."""
        self._handles = iter(range(100))

    def handle(self) -> int:
        """A pool's number."""
        return next(self._handles)

    def end_allocate(self, index: int, pool: int) -> None:
        """As torch, it fails if nothing is allocated to the pool."""
        if self.allocating != pool:
            raise RuntimeError("not currently recording")
        self.allocating = None

    def release(self, index: int, pool: int) -> None:
        """One use less."""
        self.pools[pool] -= 1


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """A GPU's stand-in."""
    device = Device()

    class Graph:
        """A CUDA graph as torch treats it."""

        def __init__(self) -> None:
            self._pool, self._ended = -1, False

        def capture_begin(self, pool: int, capture_error_mode: str) -> None:
            device.generator.capturing = True
            if pool in device.pools and not device.pools[pool]:
                raise RuntimeError("use_count > 0 INTERNAL ASSERT FAILED")
            device.pools[pool] += 1
            device.allocating = self._pool = pool
            device.lost = False
            device.calls.append("begin")

        def capture_end(self) -> None:
            device.calls.append("end")
            if device.lost:
                raise RuntimeError("operation failed due to a previous error during capture")
            device.allocating, device.generator.capturing = None, False
            self._ended = True

        def pool(self) -> int:
            if not self._ended:
                raise RuntimeError("Called CUDAGraph::pool() without a preceding capture")
            return self._pool

        def reset(self) -> None:
            if self._ended:
                device.pools[self._pool] -= 1
                self._ended = False

        def replay(self) -> None:
            device.generator.draw()
            device.calls.append("replay")

        def __del__(self) -> None:
            self.reset()

    stream = SimpleNamespace(device=SimpleNamespace(index=0), synchronize=lambda: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", device.handle)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: device.calls.append("empty"))
    monkeypatch.setattr(torch.cuda, "default_generators", (device.generator,))
    bindings = {"_cuda_endAllocateToPool": "end_allocate", "_cuda_releasePool": "release"}
    for name, method in bindings.items():
        monkeypatch.setattr(torch._C, name, getattr(device, method), raising=False)
    yield device
    graphs._ABANDONED.clear()


@pytest.mark.parametrize("lost", [False, True])
def test_what_finds_no_memory_is_recorded_again_after_clearing_up(
    lost: bool, device: Device
) -> None:
    tries: list[bool] = []

    def function() -> None:
        device.lost = lost and not tries
        tries.append(torch.utils.deterministic.fill_uninitialized_memory)
        if len(tries) == 1:
            raise torch.OutOfMemoryError

    recorder = CudaGraphs(torch.device("cuda:0"))
    replay = recorder.record(function)
    assert device.calls == ["begin", "end", "empty", "begin", "end"]
    assert tries == [False, False]
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert gc.isenabled()
    replay()
    assert (recorder.count, device.allocating) == (1, None)
    assert sorted(device.pools.values()) == [0, 1]


@pytest.mark.parametrize("lost", [False, True])
def test_after_a_failed_recording_all_goes_on(lost: bool, device: Device) -> None:
    def function() -> None:
        device.lost = lost
        raise torch.OutOfMemoryError

    recorder = CudaGraphs(torch.device("cuda:0"))
    alive = recorder.record(lambda: None)
    with pytest.raises(torch.OutOfMemoryError):
        recorder.record(function)
    device.generator.draw()
    assert device.allocating is None
    assert sum(device.pools.values()) == 1
    later = CudaGraphs(torch.device("cuda:0")).record(lambda: None)
    for replay in (alive, later, recorder.record(lambda: None)):
        replay()


def test_recordings_go_on_after_the_last_graph_has_gone(device: Device) -> None:
    recorder = CudaGraphs(torch.device("cuda:0"))
    replays: list[Any] = [recorder.record(lambda: None) for _ in range(2)]
    assert list(device.pools.values()) == [2]
    replays.clear()
    recorder.record(lambda: None)()
    assert list(device.pools.values()) == [0, 0]
