"""Functions of a step that run often: recorded once they have run as they are, then replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable

import torch

from xharness_hf.training.graphs import Recorder, Replay

_LOG = logging.getLogger(__name__)


class RecordedCalls:
    """Calls functions by a key, and replays what was recorded of them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._replays: dict[Hashable, Replay] = {}
        self._called_keys: set[Hashable] = set()
        """What ran once as it is: its kernels are chosen, so it may be recorded."""
        self.refusal: str | None = None
        """Why nothing is recorded any more, once something could not be."""

    def call(
        self,
        key: Hashable,
        function: Callable[[], None],
        *,
        worthwhile: bool = True,
        is_divisible: Callable[[], bool] = lambda: False,
    ) -> None:
        """Replay what was recorded; record what ran once already; else call it as it is.

        Raises:
            OutOfMemoryError: there is no room to record it, and smaller pieces may find some.
        """
        if key not in self._replays:
            if key not in self._called_keys or not worthwhile or self.refusal is not None:
                function()
                self._called_keys.add(key)
                return
            self._replays[key] = self._recorded(function, is_divisible)
        self._replays[key]()

    def forget(self) -> None:
        """Record anew: shapes or memory are others from now on."""
        self._replays.clear()
        self._called_keys.clear()

    def _recorded(self, function: Callable[[], None], is_divisible: Callable[[], bool]) -> Replay:
        try:
            return self._recorder.record(function)
        except Exception as error:  # what cannot be recorded says so in its own way
            if isinstance(error, torch.OutOfMemoryError) and is_divisible():
                raise
            self.refusal = str(error).splitlines()[0] if str(error) else type(error).__name__
            _LOG.warning("steps are not recorded as graphs: %s", self.refusal)
            self._recorder.wait()
            self._replays.clear()  # they may draw by another generator than steps that are called
            return function
