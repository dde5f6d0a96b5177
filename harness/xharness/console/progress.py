"""Progress of stages, and of loops over a few slow things: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import pluggy
from rich.console import Console
from rich.progress import track

from xharness.console.bars import Bars
from xharness.console.lines import Lines

Item = TypeVar("Item")


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
    # Bars need a cursor; in a log they would fill pages.
    watcher: _Watcher = Bars(verbose=verbose) if sys.stderr.isatty() else Lines()
    manager.register(watcher, name="console")
    try:
        yield
    finally:
        manager.unregister(watcher)
        watcher.close()


def tracked(items: Sequence[Item], description: str) -> Iterator[Item]:
    """The items, with a bar on a terminal's standard error; elsewhere one line before them."""
    if sys.stderr.isatty():
        yield from track(items, description, console=Console(stderr=True), transient=True)
        return
    print(f"{description}: {len(items)}", file=sys.stderr)
    yield from items
