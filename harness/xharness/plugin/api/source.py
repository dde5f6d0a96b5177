"""Sources: rows from somewhere, and the environment that a run takes place in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness.task_types.base import Row


@dataclass(frozen=True)
class RunEnvironment:
    """Where a run takes place: the data root, offline or not, and folders it may write to."""

    data_root: Path | None = None
    offline: bool = False
    cache: Path = Path(".xharness")
    strict_data: bool = False
    base: Path = Path()
    """The folder that relative paths in a study count from."""


@dataclass(frozen=True)
class SourceRequest:
    """Rows to read: a source's own options, expanded for one language, and the split."""

    options: Any
    language: str
    split: str
    """What the source calls the split."""
    environment: RunEnvironment


@dataclass(frozen=True)
class Download:
    """A file that is not on this machine yet."""

    name: str
    """What it is part of: a data set, a model; or its address."""
    file: str
    bytes: int | None
    """None where nobody tells."""


class Source(ABC):
    """Rows from somewhere; `rows` streams, and may be asked twice for the same rows."""

    name: str
    options: type[BaseModel]
    """What a card may write beside `from:`; validated, then handed back in a SourceRequest."""

    @abstractmethod
    def fingerprint(self, request: SourceRequest) -> str:
        """A digest of what `rows` would give, cheap enough for planning.

        Raises:
            UnavailableError: the data cannot be had; a missing split names the existing ones.
        """

    @abstractmethod
    def rows(self, request: SourceRequest) -> Iterator[Row]:
        """The rows in their published order.

        Raises:
            UnavailableError: as `fingerprint`.
        """

    def label_names(self, request: SourceRequest) -> Mapping[str, Sequence[str]]:
        """Column to the names of its classes, where rows have their numbers; for 'xharness new'.

        Asked after `rows`. Columns of which nobody tells names are left out.
        """
        return {}

    def config_names(self, request: SourceRequest) -> Sequence[str]:
        """What a card's `config:` may say beside the options; for 'xharness new'.

        Raises:
            UnavailableError: there is no such data.
        """
        return ()

    def downloads(self, request: SourceRequest) -> Iterable[Download]:
        """What `rows` would fetch first, without fetching it; for 'xharness prefetch --list'.

        Raises:
            UnavailableError: there is no such data.
        """
        return ()
