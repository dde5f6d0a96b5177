"""The observer that shows progress: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pluggy

from xharness.console.bars import Bars
from xharness.console.lines import Lines


class _Watcher(Protocol):
    def close(self) -> None: ...


@contextmanager
def watching(
    manager: pluggy.PluginManager, *, quiet: bool = False, verbose: bool = False
) -> Iterator[None]:
    """Show on standard error how far the stages are; nothing when `quiet`."""
    if quiet:
        yield
        return
    watcher: _Watcher = Bars(verbose=verbose) if sys.stderr.isatty() else Lines()
    manager.register(watcher, name="console")
    try:
        yield
    finally:
        manager.unregister(watcher)
        watcher.close()
