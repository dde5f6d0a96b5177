"""Where every model begins: a backend, and what its options stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from xharness.digests import digest
from xharness.stages.stage import Checkpoint, Stage


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
        return digest({"backend": self.backend, "model": self.fingerprint})

    @property
    def stages(self) -> tuple[Stage, ...]:
        return ()
