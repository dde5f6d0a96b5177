"""How much of a run is through, weighed by what each stage was expected to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_TRUSTED_SECONDS = 20.0  # so much of a run goes by before its own pace outweighs the expectation


class RunClock:
    """Counts the expected seconds that are still to come; `clock` tells those that have passed."""

    def __init__(self, expected_seconds: Mapping[str, float], clock: Callable[[], float]) -> None:
        self._expected, self._clock = expected_seconds, clock
        self._began = clock()
        self._open = dict(expected_seconds)
        self._performed = 0.0
        self.total = self._remaining = sum(expected_seconds.values())

    @property
    def completed(self) -> float:
        """Expected seconds of all stages, and parts of stages, that need no more work."""
        return self.total - self._remaining

    @property
    def seconds_left(self) -> float:
        """At the pace of this run so far, however many workers there are."""
        elapsed = self._clock() - self._began
        pace = (elapsed + _TRUSTED_SECONDS) / (self._performed + _TRUSTED_SECONDS)
        return max(0.0, pace * self._remaining)

    def progress(self, key: str, share: float) -> None:
        """Note that a share of a stage, of 1, is through."""
        if key in self._open:
            self._performed += self._reduce(key, (1 - share) * self._expected[key])

    def finish(self, key: str, outcome: str) -> None:
        """Note how a stage ended; one that did not run says nothing of the pace."""
        if key in self._open:
            seconds = self._reduce(key, 0.0)
            self._performed += seconds if outcome == "ran" else 0.0
            del self._open[key]

    def _reduce(self, key: str, seconds: float) -> float:
        difference = self._open[key] - seconds
        self._open[key] = seconds
        self._remaining -= difference
        return difference
