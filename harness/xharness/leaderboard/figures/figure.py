"""A figure of a board: what is drawn, as values, apart from the drawing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from xharness.gaps import ArmName, Estimate, steady
from xharness.leaderboard.board import Board

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FOLDER = "figures"
ROWS = 40  # arms a picture can label; beyond them, strategies are drawn over all models


class FigureRow(NamedTuple):
    """What stands on one row of a figure, or over one column."""

    label: str
    strategy: str
    arms: list[ArmName]
    """Those whose mean it shows: one, or the strategy's of all models."""


RowGroups = dict[str, list[FigureRow]]
"""Name of a group, such as a model, to its rows."""


@dataclass(frozen=True)
class Figure:
    """A name, a title and a text for those who don't see it; `data` is JSON, all that `draw` needs.

    Making one is cheap: matplotlib is imported by `svg`, when the drawing is wanted.
    """

    name: str
    title: str
    alt: str
    data: Any
    draw: Callable[[Canvas, Any], None]

    def __post_init__(self) -> None:
        # A committed drawing is compared by its bytes, on whichever machine.
        object.__setattr__(self, "data", _steady(self.data))

    @property
    def path(self) -> str:
        """Where it lies in the board's folder, as a page links to it."""
        return f"{FOLDER}/{self.name}.svg"


def _steady(value: Any) -> Any:
    if isinstance(value, float):
        return steady(value)
    if isinstance(value, dict):
        return {key: _steady(part) for key, part in value.items()}
    return [_steady(part) for part in value] if isinstance(value, (list, tuple)) else value


def estimate_values(
    estimate: Estimate | None, *, without_interval: bool = False
) -> dict[str, float | None] | None:
    """An estimate as the figures draw it; `without_interval`, the value alone."""
    if estimate is None:
        return None
    low, high = (None, None) if without_interval else (estimate.low, estimate.high)
    return {"value": estimate.value, "low": low, "high": high}


def groups(board: Board, arms: Sequence[ArmName], row_limit: int = ROWS) -> RowGroups:
    """Each model's strategies, the baseline first; of too many arms, strategies over all models.

    Where there is one strategy alone, models are the rows and it is their group.
    """
    base = board.gaps.baseline
    # A stable sort: behind the baseline strategies keep the study's order.
    ordered = sorted(arms, key=lambda arm: arm.strategy != base)
    models = dict.fromkeys(model for model, _ in arms)
    strategies = dict.fromkeys(strategy for _, strategy in ordered)
    # Hundreds of labels could not be read; a strategy over all models is what they are about.
    if len(arms) > row_limit:
        members = {name: [arm for arm in arms if arm.strategy == name] for name in strategies}
        rows = [FigureRow(name, name, members[name]) for name in strategies]
        return {f"mean over {len(models)} models": rows}
    if len(strategies) == 1:
        return {name: [FigureRow(arm.model, name, [arm]) for arm in arms] for name in strategies}
    return {
        model: [
            FigureRow(arm.strategy, arm.strategy, [arm]) for arm in ordered if arm.model == model
        ]
        for model in models
    }


def mean_value(estimates: Iterable[Estimate | None]) -> float | None:
    """The mean of those that are defined."""
    values = [estimate.value for estimate in estimates if estimate is not None]
    return fmean(values) if values else None


def row_positions(sizes: Sequence[int], gap: float = 1.0) -> list[list[float]]:
    """Where each group's title and rows stand, counted downwards: title first, `gap` between."""
    y, result = 0.0, []
    for size in sizes:
        result.append([y + index for index in range(size + 1)])
        y += size + 1 + gap
    return result
