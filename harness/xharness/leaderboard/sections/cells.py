"""Cells of the board's tables: a number, or why there is none."""

from __future__ import annotations

from xharness.gaps import Average, Change, Estimate, TaskGap
from xharness.leaderboard.standing import budget_text
from xharness.leaderboard.text import Footnotes, escape, points, ratio, with_interval

SILENT = "not in scores.jsonl"
_NO_INTERVAL = "no interval: one seed, and no per-item evidence"
_ONE_NUMBER = "no interval: its source gives one number, and not of how many seeds"
_UNLEARNT = "a ratio of a task that was not learnt would be noise over noise"


def name(text: str, footnotes: Footnotes, *remarks: str) -> str:
    """A name with the marks of what is said of it."""
    return escape(text) + footnotes.mark(*remarks)


def number(
    estimate: Estimate | None, footnotes: Footnotes, reason: str | None, *, interval: bool = False
) -> str:
    """A score, with its interval on demand, or a dash with the reason."""
    if estimate is None:
        return "—" + footnotes.mark(reason or SILENT)
    return with_interval(estimate) if interval else points(estimate.value)


def gap(measured: TaskGap | Average | None, footnotes: Footnotes) -> str:
    """A gap with its interval; or *undefined* with the reason."""
    if measured is None or measured.gap is None:
        reason = measured.undefined if measured is not None else None
        return "*undefined*" + footnotes.mark(reason or SILENT)
    marks = []
    if measured.gap.low is None:
        marks.append(_ONE_NUMBER if measured.seeds == (None,) else _NO_INTERVAL)
    return with_interval(measured.gap) + footnotes.mark(*marks)


def seeds(measured: TaskGap | Average | None) -> str:
    """How many seeds; a dash where nobody says."""
    if measured is None or measured.seeds in ((), (None,)):
        return "—"
    return str(len(measured.seeds))


def change(estimate: Estimate | None, change_of_arm: Change | None, footnotes: Footnotes) -> str:
    """One of the estimates of `change_of_arm` with its interval; a dash for the baseline itself."""
    if change_of_arm is None:
        return "—"
    if estimate is None:
        return "*undefined*" + footnotes.mark(change_of_arm.undefined or SILENT)
    return with_interval(estimate, change=True) + footnotes.mark(*change_of_arm.notes)


def retention(measured: TaskGap | Average | None, footnotes: Footnotes) -> str:
    """What is left of what the source language has above its floor; a dash where nothing is."""
    if measured is None or measured.gap is None:
        return "—"
    return ratio(measured.retention) if measured.retention else "—" + footnotes.mark(_UNLEARNT)


def budget(task_gap: TaskGap) -> list[str]:
    """Steps, with those of all trainings, and examples."""
    examples = task_gap.budget.examples
    return [budget_text(task_gap.budget), "—" if examples is None else f"{examples:,}"]
