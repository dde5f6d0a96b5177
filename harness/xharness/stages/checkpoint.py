"""Models as the plan knows them, and where each begins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from xharness.digests import digest
from xharness.stages.stage import Stage


class Checkpoint(ABC):
    """A model as the plan knows it: an untrained start, or what a stage will leave or name."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What identifies the model."""

    @property
    @abstractmethod
    def origin(self) -> Start:
        """The start that it was trained from."""

    @property
    @abstractmethod
    def stages(self) -> tuple[Stage, ...]:
        """The stages that must be done before it can be loaded."""


@dataclass(frozen=True)
class Start(Checkpoint):
    """A model before any training here: a backend, its options, and what they stand for."""

    backend: str
    options: str
    """Canonical JSON of the backend's options."""
    fingerprint: str
    """What the options stand for: a digest of weights, or a hub commit; never a path."""

    @cached_property
    def key(self) -> str:
        # Not the options: equal weights in another folder answer alike.
        return digest({"backend": self.backend, "model": self.fingerprint})

    @property
    def origin(self) -> Start:
        return self

    @property
    def stages(self) -> tuple[Stage, ...]:
        return ()
