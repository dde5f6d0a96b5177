"""How figures look: one colour for the baseline, one for what is compared; rows carry their names.

Both colours are told apart by people who see no red or no green, and have a contrast of 3:1 with
the ground in both themes. The page beside uses the same.
"""

from __future__ import annotations

from typing import Any

INK, QUIET, RULE, GROUND = "#1f2328", "#59636e", "#d1d9e0", "#ffffff"
BASELINE, COMPARED, SECOND = "#6e7781", "#0067a5", "#c2410c"
DARK = {INK: "#f0f6fc", QUIET: "#9198a1", RULE: "#3d444d", GROUND: "#0d1117"}
COLOURS = {BASELINE: "#9aa4af", COMPARED: "#58a6ff", SECOND: "#ff9a4d"}
"""On a light ground, and the same on a dark one."""

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
    # Text, not outlines; and ids made with a fixed salt in place of random ones: the same bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "xharness",
}
