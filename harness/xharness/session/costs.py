"""What stages will cost: counted from the cards, and timed by the receipts of earlier stages."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from xharness.data.counts import expected_rows
from xharness.plugin.catalogue import Catalogue
from xharness.session.opened_study import OpenedStudy
from xharness.session.store_contents import readable_receipts
from xharness.stages import Predict, Score, SelectModel, Stage, Train, Translate
from xharness.stages.label import StageLabel
from xharness.store import Store

WITHOUT_STEPS = "train without steps"
"""The sort of a training that is not made of steps; its unit is the whole of it."""

State = Literal["stored", "continue", "run", "not needed"]


@dataclass(frozen=True)
class Cost:
    """What a stage takes; None where the cards do not say how many rows there are."""

    examples: int | None = None
    """Training examples, each once."""
    steps: int | None = None
    items: int | None = None
    seconds: float | None = None
    """None where no stage of this model and sort is in the store."""


@dataclass(frozen=True)
class PlannedStage:
    """A stage of a plan: whether it has to run, and what that takes."""

    stage: Stage
    label: StageLabel
    state: State
    """`continue` where an interrupted run left something to go on from."""
    cost: Cost


def planned_stages(opened: OpenedStudy) -> list[PlannedStage]:
    """The stages of the study's plan, in the order in which they would run."""
    plan, store = opened.plan, opened.store
    needed_keys = {stage.key for stage in plan.needed(store.has)}
    estimates = _Estimates(opened.catalogue, store)
    stages = []
    for key, stage in plan.stages.items():
        # A training without its weights counts: everything that needed them is stored.
        state: State = "stored" if store.has_facts(key) else "not needed"
        if key in needed_keys:
            state = "continue" if store.started(key) else "run"
        label = plan.labels[key]
        stages.append(PlannedStage(stage, label, state, estimates.of(stage, label.model)))
    return stages


class _Estimates:
    """Costs of stages, given what the store's receipts say of earlier ones."""

    def __init__(self, catalogue: Catalogue, store: Store) -> None:
        self._catalogue = catalogue
        self._paces = receipt_paces(store)

    def of(self, stage: Stage, model: str) -> Cost:
        """The cost of `stage`, which is one of `model`."""
        if isinstance(stage, Train):
            examples = expected_rows(
                (data_slice for feed in stage.feeds for data_slice in feed.data_slices),
                self._catalogue,
            )
            steps = _steps(stage, examples)
            return Cost(examples, steps, None, self._seconds(model, "train", steps))
        if isinstance(stage, Predict):
            items = expected_rows(stage.data_slices, self._catalogue)
            return Cost(None, None, items, self._seconds(model, "predict", items))
        if isinstance(stage, Translate):
            items = expected_rows([stage.data_slice], self._catalogue)
            return Cost(None, None, items, self._seconds(model, "translate", items))
        if isinstance(stage, SelectModel):
            items = expected_rows(stage.dev * len(stage.candidates), self._catalogue)
            return Cost(None, None, items, self._seconds(model, "predict", items))
        if isinstance(stage, Score):
            languages = len(stage.predictions.data_slices)
            return Cost(seconds=self._seconds(model, "score", languages))
        return Cost()  # another stage: nothing tells how many units of work it has

    def _seconds(self, model: str, sort: str, units: int | None) -> float | None:
        pace = self._paces.get((model, sort))
        return None if pace is None or units is None else pace * units


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of what is known; None where nothing is."""
    summands = list(costs)
    return Cost(
        _sum(cost.examples for cost in summands),
        _sum(cost.steps for cost in summands),
        _sum(cost.items for cost in summands),
        _sum(cost.seconds for cost in summands),
    )


def _steps(stage: Train, examples: int | None) -> int | None:
    if stage.recipe.steps is not None or examples is None:
        return stage.recipe.steps
    return math.ceil(examples * stage.recipe.epochs / stage.recipe.batch_size)


def _sum(values: Iterable[Any]) -> Any:
    numbers = [value for value in values if value is not None]
    return sum(numbers) if numbers else None


def receipt_paces(store: Store) -> dict[tuple[str, str], float]:
    """(model, sort of stage) to the seconds of one step, item or language."""
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    units: dict[tuple[str, str], int] = defaultdict(int)
    for receipt in readable_receipts(store.root):
        facts = receipt.facts
        with suppress(ValueError, KeyError, TypeError):  # of a version with other facts
            count, sort = _units(facts), facts["stage"]
            if sort == "train" and not count:
                count, sort = 1, WITHOUT_STEPS
            key = (facts["label"]["model"], sort)
            seconds[key] += facts["seconds"]
            units[key] += count
    return {key: seconds[key] / units[key] for key in seconds if units[key]}


def _units(facts: Mapping[str, Any]) -> int:
    if facts["stage"] == "train":
        steps = facts["training"].get("steps")
        return int(steps) if isinstance(steps, int) else 0
    return int(facts["languages" if facts["stage"] == "score" else "items"])
