"""`single`: the target's own training set, and nothing else."""

from __future__ import annotations

from typing import Any

from xharness import Checkpoint, Route, TranslateTest
from xharness_strategies.learning import LearningOptions, LearningStrategy


class Single(LearningStrategy):
    """Train on the target's source-language data, one set after the other where it names several.

    XCOPA names two, Social IQa and then COPA, and the head goes from the first to the second
    (XTREME-R, Ruder et al. 2021). A target without training data is judged on the model as it is.
    """

    name = "single"

    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest:
        learning: LearningOptions = options
        return learning.finish(route, route.base)
