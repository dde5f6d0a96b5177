"""What a study's plan costs, by model and strategy and in all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from xharness.errors import StageError
from xharness.executor.broom import weights_read
from xharness.planning import Plan
from xharness.session.account.hypothetical import NOT_HERE, complete_plan
from xharness.session.account.pace import paces_of
from xharness.session.account.sizes import ParameterRegister
from xharness.session.account.work import StageWork, StageWorks
from xharness.session.costs import WITHOUT_STEPS, receipt_paces
from xharness.session.opened_study import OpenedStudy
from xharness.stages import Predict, Score, Stage, Train
from xharness.store import Store

# Where no receipt tells: loading, reading data and writing; and comparing an item's answers.
_SECONDS_A_STAGE, _SECONDS_A_SCORED_ITEM = 0.5, 1e-4


@dataclass
class AccountRow:
    """What one model takes under one strategy; a stage counts where it is needed first."""

    model: str
    strategy: str
    trainings: int = 0
    steps: int = 0
    sub_words: float = 0
    operations: float = 0
    seconds: float = 0
    written: int = 0
    """Bytes of all models that are left, if none is deleted."""
    is_guess: bool = False

    def add(self, work: StageWork, seconds: float, *, is_training: bool) -> None:
        """Count one stage more."""
        self.trainings += is_training
        self.steps += work.units if is_training else 0
        self.sub_words += work.sub_words
        self.operations += work.operations
        self.seconds += seconds
        self.written += work.weights
        self.is_guess |= work.is_guess


@dataclass
class Account:
    """The account of a plan's stages that have no receipt yet."""

    device: str
    pace_source: str
    rows: list[AccountRow]
    seconds: dict[str, float] = field(repr=False)
    """Of each stage to run, by key."""
    peak_kept: int = 0
    """Bytes on disk when all models are kept."""
    peak_swept: int = 0
    """Bytes on disk at most when a model goes with the last stage that needs it."""
    downloads: tuple[str, ...] = ()
    """Models that are not here, with their sizes in fp32."""

    @property
    def total(self) -> AccountRow:
        total = AccountRow("all", "")
        for row in self.rows:
            total.trainings += row.trainings
            total.steps += row.steps
            total.sub_words += row.sub_words
            total.operations += row.operations
            total.seconds += row.seconds
            total.written += row.written
            total.is_guess |= row.is_guess
        return total


def account(opened: OpenedStudy, device: str | None = None) -> Account:
    """What the study still costs on `device`: one that is here, or a card such as h100.

    Raises:
        ConfigurationError: nothing is known of the device.
    """
    plan = complete_plan(opened)
    priced = _PricedPlan(opened, plan, device)
    peak_kept, peak_swept = _peaks(priced.stages, priced.works)
    return Account(
        priced.device,
        priced.source,
        _rows(plan, priced.works, priced.seconds),
        priced.seconds,
        peak_kept,
        peak_swept,
        _downloads(priced.stages, priced.sizes),
    )


def expected_seconds(opened: OpenedStudy) -> dict[str, float]:
    """What each stage that is not stored should take on this machine, by key."""
    return _PricedPlan(opened, opened.plan, None).seconds


_PaceGroup = tuple[str, str, tuple[str, ...]]
"""A model, the name of a stage, and what a training learns: what such stages took is comparable."""


class _PricedPlan:
    """What the stages that are not stored take on one device, by its pace and by receipts."""

    def __init__(self, opened: OpenedStudy, plan: Plan, device: str | None) -> None:
        self.sizes = ParameterRegister(opened.catalogue, opened.environment)
        self.stages = plan.needed(opened.store.has)
        self.device, self._paces = paces_of(device, opened.environment.cache)
        self.source = self._paces.source
        works = StageWorks(opened.catalogue, self.sizes)
        self.works = {stage.key: works.of(stage) for stage in self.stages}
        self._ratios: dict[_PaceGroup, float] = {}
        self._receipts: dict[tuple[str, str], float] = {}
        if device is None and self.stages:
            self._learn(opened.store, plan, works)
        self.seconds = {
            stage.key: self._seconds(stage, plan.labels[stage.key].model) for stage in self.stages
        }

    def _learn(self, store: Store, plan: Plan, works: StageWorks) -> None:
        """Take from receipts how much longer stages took here than the device's pace says."""
        taken: dict[_PaceGroup, float] = defaultdict(float)
        expected: dict[_PaceGroup, float] = defaultdict(float)
        for key, stage in plan.stages.items():
            if key in self.works or not store.has_facts(key):
                continue
            group = _pace_group(stage, plan.labels[key].model)
            with suppress(StageError, KeyError):  # a damaged receipt; a run will name it
                taken[group] += store.receipt(key).facts["seconds"]
                expected[group] += self._by_pace(stage, works.of(stage))
        self._ratios = {group: taken[group] / expected[group] for group in expected}
        if any(
            _pace_group(stage, plan.labels[stage.key].model) not in taken for stage in self.stages
        ):
            self._receipts = receipt_paces(store)
        if self._ratios or self._receipts:
            self.source = f"receipts in the store, else {self._paces.source}"

    def _seconds(self, stage: Stage, model: str) -> float:
        # What was timed here knows more than any table, and the stages of this plan most of all.
        work, group = self.works[stage.key], _pace_group(stage, model)
        if group in self._ratios:
            return self._ratios[group] * self._by_pace(stage, work)
        if (model, WITHOUT_STEPS) in self._receipts and isinstance(stage, Train):
            return self._receipts[model, WITHOUT_STEPS]
        if (model, stage.name) in self._receipts:
            return self._receipts[model, stage.name] * work.units
        return self._by_pace(stage, work)

    def _by_pace(self, stage: Stage, work: StageWork) -> float:
        if isinstance(stage, Score):
            return _SECONDS_A_SCORED_ITEM * work.scored
        recipe = stage.recipe if isinstance(stage, Train | Predict) else None
        pace = self._paces.of(recipe.precision if recipe else "fp32")
        steps = work.units if isinstance(stage, Train) else 0
        step_seconds = pace.seconds_per_step + pace.seconds_per_parameter * work.learning
        return (
            _SECONDS_A_STAGE + work.operations / pace.operations_per_second + steps * step_seconds
        )


def _pace_group(stage: Stage, model: str) -> _PaceGroup:
    feeds = stage.feeds if isinstance(stage, Train) else ()
    return model, stage.name, tuple(sorted({feed.objective for feed in feeds}))


def _rows(plan: Plan, works: dict[str, StageWork], seconds: dict[str, float]) -> list[AccountRow]:
    rows: dict[tuple[str, str], AccountRow] = {}
    # Arms share stages: the total is right only if each counts in one row.
    counted_keys: set[str] = set()
    for arm in plan.arms:
        row = rows.setdefault((arm.model, arm.strategy), AccountRow(arm.model, arm.strategy))
        queue: list[Stage] = [arm.score]
        while queue:
            stage = queue.pop()
            if stage.key in counted_keys:
                continue
            counted_keys.add(stage.key)
            queue += stage.needs
            if stage.key in works:
                row.add(works[stage.key], seconds[stage.key], is_training=isinstance(stage, Train))
    return list(rows.values())


def _peaks(stages: Sequence[Stage], works: dict[str, StageWork]) -> tuple[int, int]:
    """Bytes at the fullest moment: with all models kept, and with the needed ones alone."""
    readers: dict[str, int] = defaultdict(int)
    for stage in stages:
        for key in weights_read(stage):
            readers[key] += 1
    kept_bytes = swept_bytes = peak_kept = peak_swept = 0
    # In the plan's order, as `sequential` goes: several workers may need more at a moment.
    for stage in stages:
        work = works[stage.key]
        peak_kept = max(peak_kept, kept_bytes + work.transient + work.weights)
        peak_swept = max(peak_swept, swept_bytes + work.transient + work.weights)
        kept_bytes, swept_bytes = kept_bytes + work.weights, swept_bytes + work.weights
        for key in weights_read(stage):
            readers[key] -= 1
            if not readers[key] and key in works:
                swept_bytes -= works[key].weights
    return peak_kept, peak_swept


def _downloads(stages: Iterable[Stage], sizes: ParameterRegister) -> tuple[str, ...]:
    """Models on the hub that the stages start from and that are not here."""
    starts = {
        start.key: start
        for stage in stages
        if isinstance(stage, Train | Predict)
        for start in [(stage.start if isinstance(stage, Train) else stage.model).origin]
        if start.fingerprint.startswith(NOT_HERE)
    }
    return tuple(
        f"{json.loads(start.options).get('hub', start.options)} "
        f"({4 * sizes.of(start).total / 1e9:.1f} GB)"
        for start in starts.values()
    )
