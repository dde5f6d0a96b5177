"""The strategy `twice`: the target's training set, and then again."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from xharness.plugin.api import Checkpoint, Route
from xharness.spec.documents import Strict


class TwiceOptions(Strict):
    """There is nothing to choose."""


class Twice:
    """Train on the target's cards two times, heads kept."""

    name = "twice"
    options: type[BaseModel] = TwiceOptions

    def route(self, route: Route, options: Any) -> Checkpoint:
        once = route.train(route.base, route.training_sets())
        return route.train(once, route.training_sets(), heads="keep")
