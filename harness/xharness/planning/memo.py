"""Values that planning looks up over and over, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from xharness.errors import UnavailableError

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Values by key; that a value cannot be had is remembered too."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Value | UnavailableError] = {}

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """What `compute` gave, or raised, when `key` was first looked up."""
        if key not in self._values:
            try:
                self._values[key] = compute()
            except UnavailableError as error:
                # A hub that does not answer would else be waited for again by every arm.
                self._values[key] = error
        value = self._values[key]
        if isinstance(value, UnavailableError):
            raise value
        return value
