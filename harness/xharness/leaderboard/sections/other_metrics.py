"""What else was measured, beside the metric that is a task's score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from xharness.gaps import Arm
from xharness.gaps.scores import Score
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import escape, points, table


def section(board: Board) -> list[str]:
    """What else was measured, averaged over seeds, without intervals."""
    grouped: dict[tuple[str, str, Arm], list[Score]] = defaultdict(list)
    for row in board.scores:
        if not row.main:
            grouped[row.task, row.metric, (row.model, row.strategy)].append(row)
    if not grouped:
        return []
    metrics_of_tasks = dict.fromkeys(
        (task, metric) for task in board.tasks for group_task, metric, _ in sorted(grouped)
        if task == group_task
    )  # fmt: skip
    rows = [
        [*map(escape, (task, metric, *arm)), *_means(grouped[task, metric, arm])]
        for task, metric in metrics_of_tasks
        for arm in board.arms
        if (task, metric, arm) in grouped
    ]
    header = ["task", "metric", "model", "strategy", board.source, "mean of others"]
    return ["## Other metrics", "", *table(header, rows, 4), ""]


def _means(rows: Sequence[Score]) -> list[str]:
    """The source language's score and the mean of the others; each language over its seeds."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        values[row.language].append(row.value)
    means = {code: fmean(seed_values) for code, seed_values in sorted(values.items())}
    source = rows[0].source_language
    other_means = [mean for code, mean in means.items() if code != source]
    return [
        points(means[source]) if source in means else "—",
        points(fmean(other_means)) if other_means else "—",
    ]
