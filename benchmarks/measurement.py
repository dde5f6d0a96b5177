"""What a contestant is given and what it measures; the contests register what they compare."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LIGHT = 0.25
"""The scale at which the whole table takes about a minute."""


@dataclass(frozen=True)
class Setting:
    """The same for all contestants of a contest."""

    data_root: Path
    model: Path
    """A backbone in the Hugging Face layout."""
    work: Path
    """A folder that a contestant may write to; empty before, removed after."""
    scale: float = 1.0
    precision: str = "fp32"
    decoder: Path | None = None
    """A language model in the Hugging Face layout, for contests that need one."""
    device: str = "cpu"

    def count(self, examples: int) -> int:
        """So many examples at this scale, at least a few."""
        return max(round(examples * self.scale), 8)


@dataclass(frozen=True)
class Measurement:
    """One run of one contestant."""

    amount: float
    """How much it did, in the contest's unit: real tokens, sentences, answers."""
    seconds: float
    processor_seconds: float
    """Of all threads: what a busy machine lengthens least."""
    megabytes: float
    """The process's peak of memory."""
    checks: Mapping[str, float] = field(default_factory=dict)
    """Numbers that must agree between contestants, as far as the contest says."""
    device: Mapping[str, float] = field(default_factory=dict)
    """Of a run on an accelerator: steps, seconds a step, seconds of kernels, peak memory."""


Contestant = Callable[[Setting], Measurement]


@dataclass(frozen=True)
class Contest:
    """Contestants that do the same work; ratios are told against `ours`."""

    unit: str
    contestants: Mapping[str, Contestant]
    ours: str = "xharness"
    rounds: int = 2
    decodes: bool = False
    """Whether it needs a decoder."""


class Clock:
    """Seconds spent inside `running`, and the process's peak of memory until it ended."""

    def __init__(self, process: int = resource.RUSAGE_SELF, device: str = "cpu") -> None:
        self._process, self._device = process, device
        self.seconds = self.processor_seconds = self.megabytes = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what happens inside, until the device has done it."""
        synchronize(self._device)
        started, processor_start = time.perf_counter(), self._processor()
        try:
            yield
        finally:
            synchronize(self._device)
            self.seconds += time.perf_counter() - started
            self.processor_seconds += self._processor() - processor_start
            self.megabytes = resource.getrusage(self._process).ru_maxrss / 1024

    def _processor(self) -> float:
        usage = resource.getrusage(self._process)
        return usage.ru_utime + usage.ru_stime

    def measurement(
        self,
        amount: float,
        checks: Mapping[str, float] | None = None,
        device: Mapping[str, float] | None = None,
    ) -> Measurement:
        """What was measured while `amount` was done."""
        return Measurement(
            amount, self.seconds, self.processor_seconds, self.megabytes, checks or {}, device or {}
        )


def synchronize(device: str) -> None:
    """Wait until the device has done what it was asked; a CPU always has."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
