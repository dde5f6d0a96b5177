"""Print what joint training does to the languages of each script and family, for README.md.

python leaderboard/sub-1b/parts.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import xharness

TASKS = ("wikiann", "udpos", "xnli", "xquad", "lareqa")
"""Those of the average; a part stands in the table if each of them has one of its languages."""
MODELS = ("me5-3", "me5-5", "me5-8", "me5-12")
"""The encoders that learnt all of them under both strategies."""


def means(board: xharness.Board, part_of: str) -> dict[tuple[str, str, str, str], float]:
    """(model, strategy, task, part) to the mean of the part's languages."""
    return {
        (gap.model, gap.strategy, gap.task, name): part.mean.value
        for gap in board.gaps.tasks
        if gap.task in TASKS and gap.model in MODELS and gap.scores
        for name, part in getattr(gap, part_of).items()
    }


def lines(board: xharness.Board, part_of: str, titles: dict[str, str]) -> Iterator[str]:
    """A line a part: the level under single, then what multitask changes, model by model."""
    values = means(board, part_of)
    for part, title in titles.items():
        levels, changes = [], []
        for model in MODELS:
            single, joint = (
                fmean(values[model, strategy, task, part] for task in TASKS)
                for strategy in ("single", "multitask")
            )
            levels.append(single)
            changes.append(joint - single)
        cells = (f"{change:+.1f}".replace("-", "−") for change in changes)
        yield f"| {title} | {fmean(levels):.1f} | {' | '.join(cells)} |"


def table() -> list[str]:
    """Scripts, then families."""
    board = xharness.read_board(Path(__file__).parent)
    scripts = {
        "Latn": "Latin script", "Cyrl": "Cyrillic", "Grek": "Greek", "Deva": "Devanagari",
        "Arab": "Arabic", "Hani": "Chinese",
    }  # fmt: skip
    families = {
        name: name for name in ("Indo-European", "Afro-Asiatic", "Turkic", "Austro-Asiatic")
    }
    return [
        "| Δ others | single | 3 layers | 5 | 8 | 12 |",
        "| :-- | --: | --: | --: | --: | --: |",
        *lines(board, "scripts", scripts),
        *lines(board, "families", families),
    ]


if __name__ == "__main__":
    print("\n".join(table()))
