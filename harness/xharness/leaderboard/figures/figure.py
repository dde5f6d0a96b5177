"""A figure of a board: what is drawn, as values, apart from the drawing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xharness.gaps import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FOLDER = "figures"


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

    @property
    def path(self) -> str:
        """Where it lies in the board's folder, as a page links to it."""
        return f"{FOLDER}/{self.name}.svg"


def numbers(estimate: Estimate) -> dict[str, float | None]:
    """An estimate as the figures draw it."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
