"""What the stages of a plan are called, so that no two of them are called the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from xharness.stages import (
    Checkpoint,
    Predict,
    ScorePredictions,
    SelectModel,
    Stage,
    Train,
    Translate,
)
from xharness.stages.label import StageLabel

if TYPE_CHECKING:
    from xharness.planning.plan import Arm


def distinct_label(stage: Stage, arm: Arm, texts: Collection[str]) -> StageLabel:
    """The label of `stage`, which `arm` needs: the shortest whose text is not among `texts`."""
    return next(label for label in _candidates(stage, arm) if str(label) not in texts)


def _candidates(stage: Stage, arm: Arm) -> Iterator[StageLabel]:
    """Labels of `stage`, ever longer: with what was learnt before, the strategy, a number."""
    label = _label(stage, arm)
    yield label
    if isinstance(stage, Train) and (names := [*_learnt_before(stage.start)]):
        label = replace(label, detail=f"{label.detail} after {', '.join(names)}".strip())
        yield label
    label = replace(label, strategy=arm.strategy)
    yield label
    for number in count(2):
        yield replace(label, detail=f"{label.detail} ({number})".strip())


def _label(stage: Stage, arm: Arm) -> StageLabel:
    if isinstance(stage, Train):
        return _training_label(stage, arm)
    if isinstance(stage, Translate):
        data_slice = stage.data_slice
        detail = f"{data_slice.split} {stage.source} to {stage.target}"
        return StageLabel(stage.translator.backend, stage.name, data_slice.card, detail)
    action = stage.name.replace("_", " ")
    strategy = arm.strategy if isinstance(stage, Predict | ScorePredictions) else None
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
    return "+".join(cards) if len(cards) < 4 else f"{len(cards)} tasks"


def _learnt_before(checkpoint: Checkpoint) -> Iterator[str]:
    """The tasks that the trainings before a checkpoint learnt, the last one first."""
    while isinstance(checkpoint, Train):
        if any(feed.objective == "task" for feed in checkpoint.feeds):
            yield _cards(checkpoint)
        checkpoint = checkpoint.start
