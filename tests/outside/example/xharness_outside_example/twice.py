"""The strategy `twice`: the target's training set, and then again."""

from __future__ import annotations

from xharness import Checkpoint, NoOptions, Route, Strategy


class Twice(Strategy):
    """Train on the target's cards two times, heads kept."""

    name = "twice"

    def route(self, route: Route, options: NoOptions) -> Checkpoint:
        first_pass = route.train(route.base, route.training_sets())
        return route.train(first_pass, route.training_sets(), heads="keep")
