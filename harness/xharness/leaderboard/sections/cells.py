"""Cells of the board's tables: a number, or why there is none."""

from __future__ import annotations

from xharness.gaps import Average, Change, Estimate, TaskGap
from xharness.leaderboard.text import Footnotes, escape, points, ratio, with_interval

NEAR = "near chance or zero: the model can't do the task, so a small gap here says little"
SILENT = "not in scores.jsonl"
_NO_INTERVAL = "no interval: one seed, and no per-item evidence"
_ONE_NUMBER = "no interval: its source gives one number, and not of how many seeds"


def name(text: str, notes: Footnotes, *said: str) -> str:
    """A name with the marks of what is said of it."""
    return escape(text) + notes.mark(*said)


def number(
    estimate: Estimate | None, notes: Footnotes, why: str | None, *, interval: bool = False
) -> str:
    """A score, with its interval if wanted, or a dash with the reason."""
    if estimate is None:
        return "—" + notes.mark(why or SILENT)
    return with_interval(estimate) if interval else points(estimate.value)


def gap(found: TaskGap | Average | None, notes: Footnotes) -> str:
    """A gap with its interval; or *undefined* with the reason.

    A task's gap is marked near chance; of an average, the arm's name says on which tasks.
    """
    marks = [NEAR] if isinstance(found, TaskGap) and found.near_chance else []
    if found is None or found.gap is None:
        why = found.undefined if found is not None else None
        return "*undefined*" + notes.mark(why or SILENT, *marks)
    if found.gap.low is None:
        marks.append(_ONE_NUMBER if found.seeds == (None,) else _NO_INTERVAL)
    return with_interval(found.gap) + notes.mark(*marks)


def seeds(found: TaskGap | Average | None) -> str:
    """How many seeds; a dash where nobody says."""
    if found is None or found.seeds == (None,):
        return "—"
    return str(len(found.seeds))


def change(found: Change | None, which: str, notes: Footnotes) -> str:
    """The change of `gap` or `mean` with its interval; a dash for the baseline itself."""
    if found is None:
        return "—"
    estimate: Estimate | None = getattr(found, which)
    if estimate is None:
        return "*undefined*" + notes.mark(found.undefined or SILENT)
    return with_interval(estimate, change=True) + notes.mark(*found.notes)


def relative(found: TaskGap | Average | None, notes: Footnotes) -> str:
    """gap / source; a dash where it would be noise over noise."""
    if found is None or found.gap is None:
        return "—"
    return ratio(found.relative) if found.relative else "—" + notes.mark(NEAR)


def place(found: TaskGap | Average | None) -> str:
    """Where the arm stands by its gap; ties share a place."""
    known = found.ranks.get("gap") if found is not None else None
    return "—" if known is None else str(known)


def detectable(found: Change | None) -> str:
    """The smallest change of the gap that such a study would notice."""
    if found is None or found.gap is None or found.gap.detectable is None:
        return "—"
    return points(found.gap.detectable)
