"""Ctrl-C waits for the end of a step, so that what is saved is a state between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class DelayedInterrupt:
    """Whether Ctrl-C was pressed; `raise_` then does what it would have done."""

    def __init__(self) -> None:
        self.pending = False
        self._previous_handler: Any = None
        self._frame: FrameType | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Remember the first; a second one does not wait."""
        if self.pending:
            self.raise_()
        self.pending, self._frame = True, frame

    def raise_(self) -> None:
        """Hand the signal to whoever handled it before; usually raises KeyboardInterrupt."""
        self.pending = False
        if callable(self._previous_handler):
            self._previous_handler(signal.SIGINT, self._frame)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take Ctrl-C over; only the main thread may, elsewhere nothing changes."""
        # Python hands signals to the main thread alone.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._previous_handler = signal.signal(signal.SIGINT, self.note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, self._previous_handler or signal.SIG_DFL)
