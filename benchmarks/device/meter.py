"""Seconds of a step, seconds in which kernels ran, and the peak of the device's memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.measurement import synchronize


class StepMeter:
    """Told after each step how many are done; seconds a step, the first of them left out.

    With `profiled_steps` the last so many are profiled and not timed.
    """

    def __init__(self, device: str, unmeasured: int, profiled_steps: int = 0) -> None:
        self._device, self._unmeasured = device, unmeasured
        self._profiled_steps = profiled_steps
        self._profiler: Any = None
        self._started: float | None = None
        self.steps = 0
        self.seconds_per_step = 0.0
        self.kernel_seconds_per_step = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """`done` of `total` steps are done."""
        last = max((total or done) - self._profiled_steps, 1)
        self.steps = done
        if done == min(self._unmeasured, last - 1):
            synchronize(self._device)
            self._started = time.perf_counter()
        elif done == last and self._started is not None:
            synchronize(self._device)
            measured = last - min(self._unmeasured, last - 1)
            self.seconds_per_step = (time.perf_counter() - self._started) / measured
        if self._profiled_steps and done == last:
            self._profiler = profile(activities=_activities(self._device))
            self._profiler.start()
        if self._profiler is not None and done == total:
            synchronize(self._device)
            self._profiler.stop()
            self.kernel_seconds_per_step = kernel_seconds(self._profiler) / (done - last or 1)
            self._profiler = None


def kernel_seconds_of(work: Callable[[], object], device: str) -> float:
    """Seconds in which the device ran kernels while `work` was done."""
    with profile(activities=_activities(device)) as profiler:
        work()
        synchronize(device)
    return kernel_seconds(profiler)


def kernel_seconds(profiler: Any) -> float:
    """Seconds in which at least one kernel or copy ran on the device."""
    intervals = [
        (event.time_range.start, event.time_range.end)
        for event in profiler.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
        and not getattr(event, "is_user_annotation", False)
    ]
    return covered(intervals) / 1e6


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """The length of the union of intervals (start, end)."""
    length, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        if end > reached:
            length += end - max(start, reached)
            reached = end
    return length


def _activities(device: str) -> list[ProfilerActivity]:
    on_card = device.startswith("cuda")
    return [ProfilerActivity.CUDA] if on_card else [ProfilerActivity.CPU]


def reset_peak(device: str) -> None:
    """Count the peak of the device's memory anew."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)


def peak_megabytes(device: str) -> float:
    """The peak of the memory that tensors held on the device; 0 on a CPU."""
    if not device.startswith("cuda"):
        return 0.0
    return float(torch.cuda.max_memory_allocated(device)) / 2**20
