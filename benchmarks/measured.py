"""What a contestant is given and what it answers; the contests register what they compare."""

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
    """A body in the Hugging Face layout."""
    work: Path
    """A folder that a contestant may write to; empty before, removed after."""
    scale: float = 1.0
    precision: str = "fp32"
    decoder: Path | None = None
    """A language model in the Hugging Face layout, for contests that need one."""

    def count(self, examples: int) -> int:
        """So many examples at this scale, at least a few."""
        return max(round(examples * self.scale), 8)


@dataclass(frozen=True)
class Measured:
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


Contestant = Callable[[Setting], Measured]


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

    def __init__(self, whose: int = resource.RUSAGE_SELF) -> None:
        self._whose = whose
        self.seconds = self.processor_seconds = self.megabytes = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what happens inside."""
        began, before = time.perf_counter(), self._processor()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began
            self.processor_seconds += self._processor() - before
            self.megabytes = resource.getrusage(self._whose).ru_maxrss / 1024

    def _processor(self) -> float:
        usage = resource.getrusage(self._whose)
        return usage.ru_utime + usage.ru_stime

    def read(self, amount: float, checks: Mapping[str, float] | None = None) -> Measured:
        """What was measured, told that `amount` was done meanwhile."""
        return Measured(amount, self.seconds, self.processor_seconds, self.megabytes, checks or {})
