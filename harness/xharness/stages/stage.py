"""What a stage is: a step of a plan with a name, what it needs, and a key.

A key is the digest of everything that can change the stage's answer, the keys of the stages it
needs included. Names of models, paths, devices and prose stay out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

from xharness.digests import digest


class Stage(ABC):
    """A content-addressed step that a study compiles to."""

    name: ClassVar[str]
    """What it is called on every floor, from keys to progress bars."""
    version: ClassVar[int] = 1
    """Raised when the code of the stage starts to give other answers to the same question."""

    @property
    @abstractmethod
    def needs(self) -> tuple[Stage, ...]:
        """The stages whose results it reads."""

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, Any]:
        """All that can change its answer, as JSON."""

    # Parents' keys are in it: uncached, a plan would hash its whole graph anew for each stage.
    @cached_property
    def key(self) -> str:
        """The address of its result in a store."""
        return digest({"stage": [self.name, self.version], **self.inputs})

    def with_needs(self) -> Iterator[Stage]:
        """This stage before everything it needs, however far back; what two need comes twice."""
        yield self
        for need in self.needs:
            yield from need.with_needs()
