"""`single`: the target's own training set, and nothing else."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from xharness.documents import Strict
from xharness.extend import Checkpoint, Heads, Route


class NoOptions(Strict):
    """There is nothing to choose."""


class Single:
    """Train on the target's source-language data, one set after the other where it names several.

    XCOPA names two, Social IQa and then COPA, and the head goes from the first to the second
    (XTREME-R, Ruder et al. 2021). A target without training data is judged on the model as it is.
    """

    name = "single"
    options: type[BaseModel] = NoOptions

    def route(self, route: Route, options: Any) -> Checkpoint:
        return finish(route, route.base)


def finish(route: Route, model: Checkpoint, heads: Heads = "drop") -> Checkpoint:
    """`model` trained on what the target trains on; `heads`: what becomes of those it has."""
    for card in route.training_sets():
        model = route.train(model, [card], heads=heads)
        heads = "keep"
    return model
