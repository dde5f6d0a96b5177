"""Removes a training's weights once everything that needs them is stored."""

from __future__ import annotations

from collections import Counter

from xharness.planning.plan import Plan
from xharness.spec.study import Keep
from xharness.stages import SelectModel, Stage, Train
from xharness.store import Store


class Broom:
    """Counts who still needs which weights; told of each stage of the plan that is stored."""

    def __init__(self, plan: Plan, store: Store, keep: Keep) -> None:
        self._store = store
        self._readers: Counter[str] = Counter()
        if keep == "all":
            return
        for stage in plan.stages.values():
            self._readers.update(weights_read(stage))
        for key in _last_models(plan) if keep == "last" else ():
            self._readers.pop(key, None)

    def stored(self, stage: Stage) -> None:
        """Remove the weights that nothing but `stage` still needed."""
        for key in weights_read(stage):
            if key in self._readers:
                self._readers[key] -= 1
                if not self._readers[key] and self._store.has(key):
                    self._store.remove_weights(key)


def weights_read(stage: Stage) -> set[str]:
    """The keys of the trainings whose models `stage` loads."""
    return {need.key for need in stage.needs if isinstance(need, Train)}


def _last_models(plan: Plan) -> set[str]:
    """The trainings that the arms' answers come from."""
    models = [arm.score.predictions.model for arm in plan.arms]
    candidates = {
        candidate.key
        for model in models
        if isinstance(model, SelectModel)
        for candidate in model.candidates
    }
    return candidates | {model.key for model in models}
