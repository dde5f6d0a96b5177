"""How figures look: one colour and one marker a strategy, ink that a dark page can change.

The colours are told apart by people who see no red or no green, and have a contrast of 3:1 with
the ground in both themes; the markers differ as well. The page beside uses the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INK, QUIET, RULE, GROUND = "#1f2328", "#59636e", "#d1d9e0", "#ffffff"
DARK = {INK: "#f0f6fc", QUIET: "#9198a1", RULE: "#3d444d", GROUND: "#0d1117"}
COLOURS = {
    "#0067a5": "#58a6ff",
    "#c2410c": "#ff9a4d",
    "#00795c": "#34c99a",
    "#8a3ffc": "#c29bff",
    "#8c6a00": "#e3b341",
    "#b0307a": "#ff8cc6",
}
"""On a light ground, and the same on a dark one."""
MARKERS = "osD^vP"


def look(strategies: Sequence[str], strategy: str) -> tuple[str, str]:
    """Colour and marker of a strategy: by its place among all of the board."""
    place = strategies.index(strategy)
    return [*COLOURS][place % len(COLOURS)], MARKERS[place % len(MARKERS)]


SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: widths are the same everywhere
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": QUIET,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "figure.facecolor": GROUND,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "svg.fonttype": "none",
    "svg.hashsalt": "xharness",
}
