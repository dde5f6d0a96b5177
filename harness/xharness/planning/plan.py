"""A plan: one graph of stages, their labels, and the arms that read their scores from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from xharness.gaps.scores import MissingRow
from xharness.spec.study import Study, TargetSpec
from xharness.stages import (
    Checkpoint,
    Predict,
    Score,
    SelectModel,
    Stage,
    Train,
    Translate,
)
from xharness.stages.label import StageLabel


@dataclass(frozen=True)
class Arm:
    """One cell of the study: a model under a strategy with a seed, judged on a target."""

    model: str
    strategy: str
    seed: int
    target: TargetSpec
    score: Score


@dataclass
class Plan:
    """Stages in an order that respects what each needs, the arms, and what cannot be had."""

    study: Study
    stages: dict[str, Stage] = field(default_factory=dict)
    labels: dict[str, StageLabel] = field(default_factory=dict)
    """What each stage is called, by key; no two alike."""
    arms: list[Arm] = field(default_factory=list)
    missing: list[MissingRow] = field(default_factory=list)
    unavailable: list[MissingRow] = field(default_factory=list)
    """Those of `missing` that data or a model would fill; the others no download can help."""
    hints: dict[str, str] = field(default_factory=dict)
    """What would help against `missing`, for whoever sits at the terminal; to the first task."""
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

    def leave_out(
        self, missing: MissingRow, hint: str | None = None, *, unavailable: bool = True
    ) -> None:
        """Note what there will be no number of, and what would help."""
        self.missing.append(missing)
        if hint is not None:
            self.hints.setdefault(hint, missing.task)
        if unavailable:
            self.unavailable.append(missing)

    def needed(self, stored: Callable[[str], bool]) -> list[Stage]:
        """The stages that must run for every arm to be scored; `stored` tells of a key.

        A stage whose only readers are stored is not needed, even if its folder is gone.
        """
        needed: dict[str, Stage] = {}
        # From the scores backwards: what nothing unfinished reads is never reached.
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


def distinct_label(stage: Stage, arm: Arm, texts: Collection[str]) -> StageLabel:
    """The label of `stage`, which `arm` needs: the shortest whose text is not among `texts`."""
    return next(label for label in _candidate_labels(stage, arm) if str(label) not in texts)


def _candidate_labels(stage: Stage, arm: Arm) -> Iterator[StageLabel]:
    """Labels of `stage`, ever longer: with what was learnt before, the strategy, a number."""
    label = _first_label(stage, arm)
    yield label
    # Two trainings may differ only in what came before: intermediate tasks in another order.
    if isinstance(stage, Train) and (names := [*_learnt_before(stage.start)]):
        label = replace(label, detail=f"{label.detail} after {', '.join(names)}".strip())
        yield label
    label = replace(label, strategy=arm.strategy)
    yield label
    for number in count(2):
        yield replace(label, detail=f"{label.detail} ({number})".strip())


def _first_label(stage: Stage, arm: Arm) -> StageLabel:
    if isinstance(stage, Train):
        return _training_label(stage, arm)
    if isinstance(stage, Translate):
        data_slice = stage.data_slice
        detail = f"{data_slice.split} {stage.source} to {stage.target}"
        return StageLabel(stage.translator.backend, stage.name, data_slice.card, detail)
    action = stage.name.replace("_", " ")
    strategy = arm.strategy if isinstance(stage, Predict | Score) else None
    return StageLabel(arm.model, action, arm.target.task, "", strategy, arm.seed)


def _training_label(stage: Train, arm: Arm) -> StageLabel:
    objectives = {feed.objective for feed in stage.feeds}
    if objectives == {"shots"}:
        return StageLabel(arm.model, "show", _cards(stage), seed=stage.seed)
    if "task" not in objectives:
        return StageLabel(arm.model, "pretrain")
    details = []
    # Several rates are trained only to be selected from; elsewhere the rate would be noise.
    if isinstance(arm.score.predictions.model, SelectModel):
        details.append(f"at {stage.recipe.learning_rate:g}")
    if stage.selection is not None:
        details.append(f"({stage.selection.by})")
    return StageLabel(arm.model, stage.name, _cards(stage), " ".join(details), seed=stage.seed)


def _cards(stage: Train) -> str:
    cards = [feed.data_slices[0].card for feed in stage.feeds]
    # A label is a line in a table; the receipt has all names.
    return "+".join(cards) if len(cards) < 4 else f"{len(cards)} tasks"


def _learnt_before(checkpoint: Checkpoint) -> Iterator[str]:
    """The tasks that the trainings before a checkpoint learnt, the last one first."""
    while isinstance(checkpoint, Train):
        if any(feed.objective == "task" for feed in checkpoint.feeds):
            yield _cards(checkpoint)
        checkpoint = checkpoint.start
