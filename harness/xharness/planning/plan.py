"""A plan: one graph of stages, and the arms that read their scores from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from xharness.gaps.scores import Missing
from xharness.spec.study import Study, TargetSpec
from xharness.stages import (
    Predict,
    ScorePredictions,
    SelectModel,
    Stage,
    Train,
    Translate,
)


@dataclass(frozen=True)
class Arm:
    """One cell of the study: a model under a strategy with a seed, judged on a target."""

    model: str
    strategy: str
    seed: int
    target: TargetSpec
    score: ScorePredictions

    @property
    def label(self) -> str:
        """How progress and tables call it."""
        return f"{self.model} · {self.strategy} · seed {self.seed} · {self.target.task}"


@dataclass
class Plan:
    """Stages in an order that respects what each needs, the arms, and what cannot be had."""

    study: Study
    stages: dict[str, Stage] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    arms: list[Arm] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    unavailable: list[Missing] = field(default_factory=list)
    """Those of `missing` that data or a model would fill; the others no download can help."""

    def add(self, arm: Arm) -> None:
        """Add an arm and the stages it needs, each once, needs first."""
        self.arms.append(arm)
        for stage in _in_order(arm.score):
            if stage.key not in self.stages:
                self.stages[stage.key] = stage
                self.labels[stage.key] = _label(stage, arm)

    def leave_out(self, missing: Missing, *, unavailable: bool = True) -> None:
        """Note what there will be no number of."""
        self.missing.append(missing)
        if unavailable:
            self.unavailable.append(missing)

    def needed(self, done: Callable[[str], bool]) -> list[Stage]:
        """The stages that must run for every arm to be scored, given which are done.

        A stage whose only readers are done is not needed, even if its folder is gone.
        """
        wanted: dict[str, Stage] = {}
        waiting: list[Stage] = [arm.score for arm in self.arms]
        while waiting:
            stage = waiting.pop()
            if stage.key not in wanted and not done(stage.key):
                wanted[stage.key] = stage
                waiting.extend(stage.needs)
        return [stage for key, stage in self.stages.items() if key in wanted]


def _in_order(stage: Stage) -> Iterable[Stage]:
    """`stage` after everything it needs."""
    for need in stage.needs:
        yield from _in_order(need)
    yield stage


def _label(stage: Stage, arm: Arm) -> str:
    if isinstance(stage, Train):
        objectives = {feed.objective for feed in stage.feeds}
        if objectives == {"shots"}:
            return f"{arm.model} · show {stage.feeds[0].data_slices[0].card} · seed {stage.seed}"
        if "task" not in objectives:
            return f"{arm.model} · pretrain"
        cards = [feed.data_slices[0].card for feed in stage.feeds]
        shown = "+".join(cards) if len(cards) < 4 else f"{len(cards)} tasks"
        if isinstance(arm.score.predictions.model, SelectModel):
            shown += f" at {stage.recipe.learning_rate:g}"
        if stage.selection is not None:
            shown += f" ({stage.selection.by})"
        return f"{arm.model} · train {shown} · seed {stage.seed}"
    if isinstance(stage, Translate):
        said = f"{stage.data_slice.card} {stage.data_slice.split} {stage.source} to {stage.target}"
        return f"{stage.translator.backend} · translate {said}"
    if isinstance(stage, SelectModel):
        return f"{arm.model} · choose a learning rate · {arm.target.task} · seed {arm.seed}"
    what = "predict" if isinstance(stage, Predict) else "score"
    return f"{arm.model} · {what} {arm.target.task} · {arm.strategy} · seed {arm.seed}"
