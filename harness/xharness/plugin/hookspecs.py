"""The hooks: nouns that return offers, observers that watch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from xharness.leaderboard.board import Board
    from xharness.plugin.api.backend import Backend
    from xharness.plugin.api.executor import Executor
    from xharness.plugin.api.source import Source
    from xharness.plugin.api.strategy import Strategy
    from xharness.plugin.api.tracker import Tracker
    from xharness.plugin.api.translator import Translator
    from xharness.stages.label import StageLabel
    from xharness.stages.stage import Stage
    from xharness.task_types.base import TaskType

__all__ = ["hookimpl"]

# Noun hooks may return anything iterable, a generator too; observers return nothing, and their
# arguments are passed by name, so that an implementation may leave out those it does not read.
hookspec = pluggy.HookspecMarker("xharness")
hookimpl = pluggy.HookimplMarker("xharness")


@hookspec
def xharness_task_cards() -> Iterable[Traversable]:  # type: ignore[empty-body]
    """Folders or files with task cards (*.yaml)."""


@hookspec
def xharness_task_types() -> Iterable[TaskType]:  # type: ignore[empty-body]
    """What tasks ask, and how answers are scored."""


@hookspec
def xharness_sources() -> Iterable[Source]:  # type: ignore[empty-body]
    """Sources of rows."""


@hookspec
def xharness_backends() -> Iterable[Backend]:  # type: ignore[empty-body]
    """Makers of models."""


@hookspec
def xharness_strategies() -> Iterable[Strategy]:  # type: ignore[empty-body]
    """Training strategies."""


@hookspec
def xharness_translators() -> Iterable[Translator]:  # type: ignore[empty-body]
    """Translators of training sets and of test items."""


@hookspec
def xharness_executors() -> Iterable[Executor]:  # type: ignore[empty-body]
    """Ways to carry out a plan."""


@hookspec
def xharness_trackers() -> Iterable[Tracker]:  # type: ignore[empty-body]
    """Tools that a run can be shown in."""


@hookspec
def xharness_run_started(expected_seconds: Mapping[str, float]) -> None:
    """A plan is about to be carried out; how long each stage that is not stored, by its key, should
    take on one worker."""


@hookspec
def xharness_stage_started(stage: Stage, label: StageLabel, position: tuple[int, int]) -> None:
    """A stage begins; `position` is (12, 857) for the twelfth of 857."""


@hookspec
def xharness_stage_progress(stage: Stage, completed: int, total: int | None, unit: str) -> None:
    """`completed` of `total` (None: unknown) are through; `unit` says of what, such as items."""


@hookspec
def xharness_stage_metrics(stage: Stage, step: int, metrics: Mapping[str, float]) -> None:
    """What was measured at optimiser step `step` of a training, the first being 1: its `loss`,
    its `learning_rate`."""


@hookspec
def xharness_stage_waiting(stage: Stage, label: StageLabel) -> None:
    """Another process works on the stage; this one does others, and asks again later."""


@hookspec
def xharness_stage_finished(
    stage: Stage, label: StageLabel, outcome: str, receipt: Mapping[str, Any] | None
) -> None:
    """A stage ended; `outcome` is ran, reused, failed or skipped."""


@hookspec
def xharness_run_finished(board: Board, folder: Path) -> None:
    """All stages ended, and `board` was written into `folder`; `board.study` is what was asked."""


@hookspec
def xharness_run_message(message: str) -> None:
    """What whoever watches a run should know beside its stages, such as where its workers are."""
