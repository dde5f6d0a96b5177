"""What a trend says, in one sentence, for exactly the rows it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xharness.gaps.values import Estimate, Trend

_COUNTED = {"non-embedding": "parameters outside the embedding", "total": "parameters"}


def answer(trend: Trend) -> str:
    """What size does to the strategy's gap, or to its difference from the baseline's."""
    if trend.slope is None:
        raise ValueError("a trend without a slope has no answer")
    told = f"each doubling changes {_what(trend)} by {_points(trend.slope)} points"
    return f"{_rows(trend)}, {told}: {_verdict(trend)}."


def untold(trend: Trend, why: str) -> Trend:
    """The trend without a slope, and a sentence that says why."""
    told = f"what model size does to {_what(trend)}, the data can't tell"
    return replace(trend, undefined=why, answer=f"{_rows(trend)}, {told}: {why}.")


def notes(trend: Trend, near_chance: Sequence[str]) -> tuple[str, ...]:
    """What a reader of the slope must know."""
    said = []
    if near_chance:
        said.append(
            f"near chance on some task: {', '.join(near_chance)}; a gap that opens as the task is "
            "learnt is no cost of size"
        )
    if trend.slope is not None and trend.check is not None and trend.check.sign != trend.slope.sign:
        said.append(
            f"the slope through the models' averages is {_points(trend.check)} over items and "
            "seeds alone: that models differ for other reasons than size decides"
        )
    if trend.family is None and len(trend.points) > 1:
        said.append("across models, size goes along with pretraining data and date")
    return tuple(said)


def _rows(trend: Trend) -> str:
    """Which models and tasks the sentence speaks of."""
    of = f" of {trend.family}" if trend.family else ""
    tasks = _count(len(trend.tasks), "task")
    if not trend.points:
        return f"Over no model{of} of known size with {tasks}"
    first, last = trend.points[0], trend.points[-1]
    ends = first.model if first is last else f"{first.model} to {last.model}"
    doublings = math.log2(last.parameters / first.parameters)
    spread = f", {doublings:.1f} doublings of the {_COUNTED[trend.axis]}" if doublings else ""
    return f"Over {_count(len(trend.points), 'model')}{of} ({ends}{spread}) and {tasks}"


def _what(trend: Trend) -> str:
    if trend.of == "gap":
        return f"the gap under {trend.strategy}"
    return f"the gap of {trend.strategy} minus that of {trend.against}"


def _verdict(trend: Trend) -> str:
    sign = trend.slope.sign if trend.slope is not None else 0
    if sign == 0:
        return "whether it moves with size, the data can't tell"
    if trend.of == "gap":
        return f"it {'widens' if sign > 0 else 'narrows'} with size"
    way = "wider" if sign > 0 else "narrower"
    return f"the larger the model, the {way} the gap of {trend.strategy} beside the other"


def _points(estimate: Estimate) -> str:
    """`−0.84 [−1.20, −0.31]`."""
    shown = [estimate.value, estimate.low, estimate.high]
    value, *ends = (f"{one:+.2f}".replace("-", "−") for one in shown if one is not None)
    return f"{value} [{', '.join(ends)}]" if ends else value


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
