"""What a trend says, in one sentence, for exactly the families it stands on."""

from __future__ import annotations

import math
from dataclasses import replace

from xharness.gaps.rounding import slope_text
from xharness.gaps.values import Trend
from xharness.phrases import counted, listed

_COUNTED = {"non-embedding": "parameters outside the embedding", "total": "parameters"}


def answer(trend: Trend) -> Trend:
    """The trend with its sentence and its notes."""
    notes = _notes(trend)
    if trend.slope is None:
        return replace(trend, notes=notes)
    effect = f"each doubling changes {_subject(trend)} by {slope_text(trend.slope)} points"
    return replace(trend, answer=f"{_scope(trend)}, {effect}{_verdict(trend)}.", notes=notes)


def undefined(trend: Trend, reason: str) -> Trend:
    """The trend without a slope, and a sentence that says why."""
    doubt = f"what model size does to {_subject(trend)}, the data can't tell"
    return replace(trend, undefined=reason, answer=f"{_scope(trend)}, {doubt}: {reason}.")


def _notes(trend: Trend) -> tuple[str, ...]:
    """What a reader of the slope must know."""
    notes = []
    if trend.alone:
        notes.append(f"alone in their family, so no part of a slope: {listed(trend.alone)}")
    if len(trend.families) > 1:
        family_slopes = [
            f"{family.family} {slope_text(family.slope)}"
            for family in trend.families
            if family.slope is not None
        ]
        notes.append(f"family by family: {listed(family_slopes)}; other families may differ")
    return tuple(notes)


def _scope(trend: Trend) -> str:
    """Which families, models and tasks the sentence speaks of."""
    models = [point for point in trend.points if point.model not in trend.alone]
    tasks = counted(len(trend.tasks), "task")
    if not models:
        return f"Over {counted(len(trend.points), 'model')} of known size with {tasks}"
    families = listed([family.family for family in trend.families])
    # Points stand by size.
    doublings = math.log2(models[-1].parameters / models[0].parameters)
    span = f"{doublings:.1f} doublings of the {_COUNTED[trend.axis]}"
    return f"Within {families} ({counted(len(models), 'model')}, {span}) and over {tasks}"


def _subject(trend: Trend) -> str:
    if trend.of == "gap":
        return f"the gap under {trend.strategy}"
    return f"the gap of {trend.strategy} minus that of {trend.against}"


def _verdict(trend: Trend) -> str:
    if trend.word is None:
        return ""
    if trend.word == "open":
        return ": whether it moves with size is open"
    return f": the larger the model, the {trend.word} the gap of {trend.strategy} beside the other"
