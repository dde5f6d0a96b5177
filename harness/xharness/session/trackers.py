"""The trackers of a run: opened before its first stage, and never in its way."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError, XharnessError
from xharness.plugin.api import Observer, TrackedRun, Tracker
from xharness.plugin.manager import summary
from xharness.session.opened_study import OpenedStudy


@contextmanager
def tracking(session: OpenedStudy, folder: Path) -> Iterator[None]:
    """Inside it, the trackers that the study or the command line names observe every hook.

    Raises:
        ConfigurationError: no tracker is called so.
    """
    manager = session.catalogue.plugins.manager
    names = session.study.runtime.trackers
    # A name that stands twice would tell one tool everything twice.
    trackers = [_tracker(session, name) for name in dict.fromkeys(names)]
    run = TrackedRun(
        session.study.name,
        session.study.model_dump(mode="json", exclude_unset=True, exclude={"runtime"}),
        folder,
        session.environment.offline,
    )
    guards = [_GuardedObserver(tracker, run) for tracker in trackers]
    for guard in guards:
        manager.register(guard, name=f"tracker {guard.name}")
    try:
        yield
    finally:
        for guard in guards:
            manager.unregister(guard)
            guard.close()


def _tracker(session: OpenedStudy, name: str) -> Tracker:
    try:
        return session.catalogue.trackers[name]
    except ConfigurationError as error:
        # What the study names was looked up while planning.
        raise ConfigurationError(error.what, where="--trackers", hint=error.hint) from None


class _GuardedObserver:
    """A tracker's observer, left out for the rest of the run after its first failure."""

    def __init__(self, tracker: Tracker, run: TrackedRun) -> None:
        self.name = tracker.name
        self._failed = False
        self._observer: Observer | None = self._guarded(tracker.observe)(run)
        for hook in dir(self._observer):
            if hook.startswith("xharness_"):
                # On the object itself: pluggy looks for hooks on what it is given to register.
                setattr(self, hook, self._guarded(getattr(self._observer, hook)))

    def close(self) -> None:
        """Let go of the observer; one that failed before may fail again, unheard."""
        if self._failed and self._observer is not None:
            with suppress(Exception):
                self._observer.close()
        elif self._observer is not None:
            self._guarded(self._observer.close)()

    def _guarded(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)  # keeps the mark and the parameters that pluggy looks for
        def call(*arguments: Any, **keywords: Any) -> Any:
            if self._failed:
                return None
            try:
                return method(*arguments, **keywords)
            except (Exception, SystemExit) as error:  # an experiment tool may raise anything
                self._failed = True
                reason = str(error) if isinstance(error, XharnessError) else summary(error)
                print(f"warning: tracker '{self.name}' is left out: {reason}", file=sys.stderr)
                return None

        return call
