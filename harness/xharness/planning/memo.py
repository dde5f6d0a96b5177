"""Questions that are asked over and over while planning, each answered once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from xharness.errors import UnavailableError

Found = TypeVar("Found")


class Memo(Generic[Found]):
    """Answers by their question; that there is none is an answer too."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Found | UnavailableError] = {}

    def of(self, asked: Hashable, find: Callable[[], Found]) -> Found:
        """What `find` gave, or raised, when `asked` was first asked."""
        if asked not in self._known:
            try:
                self._known[asked] = find()
            except UnavailableError as error:
                self._known[asked] = error
        found = self._known[asked]
        if isinstance(found, UnavailableError):
            raise found
        return found
