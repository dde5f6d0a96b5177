"""A plan: one graph of stages, and the arms that read their scores from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from xharness.gaps.scores import Missing
from xharness.planning.labels import distinct_label
from xharness.spec.study import Study, TargetSpec
from xharness.stages import ScorePredictions, Stage
from xharness.stages.label import StageLabel


@dataclass(frozen=True)
class Arm:
    """One cell of the study: a model under a strategy with a seed, judged on a target."""

    model: str
    strategy: str
    seed: int
    target: TargetSpec
    score: ScorePredictions


@dataclass
class Plan:
    """Stages in an order that respects what each needs, the arms, and what cannot be had."""

    study: Study
    stages: dict[str, Stage] = field(default_factory=dict)
    labels: dict[str, StageLabel] = field(default_factory=dict)
    """What each stage is called, by key; no two alike."""
    arms: list[Arm] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    unavailable: list[Missing] = field(default_factory=list)
    """Those of `missing` that data or a model would fill; the others no download can help."""
    _label_texts: set[str] = field(default_factory=set, repr=False)

    def add(self, arm: Arm) -> None:
        """Add an arm and the stages it needs, each once, needs first."""
        self.arms.append(arm)
        for stage in _in_order(arm.score):
            if stage.key not in self.stages:
                self.stages[stage.key] = stage
                label = distinct_label(stage, arm, self._label_texts)
                self.labels[stage.key] = label
                self._label_texts.add(str(label))

    def leave_out(self, missing: Missing, *, unavailable: bool = True) -> None:
        """Note what there will be no number of."""
        self.missing.append(missing)
        if unavailable:
            self.unavailable.append(missing)

    def needed(self, stored: Callable[[str], bool]) -> list[Stage]:
        """The stages that must run for every arm to be scored; `stored` tells of a key.

        A stage whose only readers are stored is not needed, even if its folder is gone.
        """
        needed: dict[str, Stage] = {}
        queue: list[Stage] = [arm.score for arm in self.arms]
        while queue:
            stage = queue.pop()
            if stage.key not in needed and not stored(stage.key):
                needed[stage.key] = stage
                queue.extend(stage.needs)
        return [stage for key, stage in self.stages.items() if key in needed]


def _in_order(stage: Stage) -> Iterable[Stage]:
    """`stage` after everything it needs."""
    for need in stage.needs:
        yield from _in_order(need)
    yield stage
