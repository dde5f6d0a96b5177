"""A table of gaps for each task, and of the metrics that are not its score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from xharness.gaps import ArmName, TaskGap
from xharness.gaps.cells import levels
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import (
    Footnotes,
    escape,
    known_detectable,
    known_points,
    language,
    points,
    table,
)
from xharness.phrases import counted, listed


def section(board: Board) -> list[str]:
    """Task by task: levels, changes with intervals, what was learnt, budgets."""
    lines = ["## Tasks", "", f"Points; Δ is against {escape(board.gaps.baseline)}. A single task "
             "carries no word: words are tested over the average alone.", ""]  # fmt: skip
    for task in board.tasks:
        footnotes = Footnotes()
        header = [
            columns.MODEL, columns.STRATEGY, escape(board.source_name), columns.OTHERS, columns.GAP,
            columns.CHANGE_OF_GAP, columns.CHANGE_OF_OTHERS, columns.DETECTABLE,
            columns.RETENTION, columns.LOWEST, columns.SEEDS, columns.STEPS, columns.EXAMPLES,
        ]  # fmt: skip
        rows = [_task_row(board, task_gap, footnotes) for task_gap in board.on(task).values()]
        lines += [f"### {escape(task)}", "", _facts(board, task), ""]
        lines += [*table(header, rows, 2), *footnotes.lines(), ""]
    return lines


def _task_row(board: Board, task_gap: TaskGap, footnotes: Footnotes) -> list[str]:
    arm, task = task_gap.arm, task_gap.task
    change = board.changes.get((arm, task))
    gap_change, others_change = (change.gap, change.others) if change else (None, None)
    remarks = (
        *board.publications.get((*arm, task), ()),
        *learning_remarks(task_gap),
        *task_gap.notes,
    )
    return [
        escape(arm.model),
        cells.name(arm.strategy, footnotes, *remarks),
        cells.number(task_gap.source, footnotes, task_gap.undefined, interval=True),
        cells.number(task_gap.others, footnotes, task_gap.undefined, interval=True),
        cells.gap(task_gap, footnotes),
        cells.change(gap_change, change, footnotes),
        cells.change(others_change, change, footnotes),
        known_detectable(change.detectable.get("gap") if change else None),
        cells.retention(task_gap, footnotes),
        language(task_gap.worst) if task_gap.worst else "—",
        cells.seeds(task_gap),
        *cells.budget(task_gap),
    ]


def learning_remarks(task_gap: TaskGap) -> Iterator[str]:
    """What to know of an arm that has hardly learnt the task, or was trained on its languages."""
    learning = task_gap.learning
    if learning.status not in ("learnt", "unknown"):
        floor = "" if learning.floor is None else f" (floor {points(learning.floor)})"
        yield f"{learning.status}{floor}"
    if learning.failed_seeds and learning.status == "unstable":
        seeds = ", ".join(_seed_text(task_gap, seed) for seed in learning.failed_seeds)
        yield f"not learnt with {seeds}"
    if learning.constant_answer is not None and learning.constant_share is not None:
        share = points(learning.constant_share)
        yield f"answers '{learning.constant_answer}' in {share}% of the items"
    if not task_gap.zero_shot:
        yield f"not zero-shot: trained on {listed(map(language, task_gap.trained_languages))}"


def _seed_text(task_gap: TaskGap, seed: int | None) -> str:
    """`seed 2 (33.3)`: of unstable arms, seeds are shown one by one."""
    scores = task_gap.by_seed.get(seed)
    if scores is None or scores.source is None:
        return f"seed {seed}"
    return f"seed {seed} ({points(scores.source)})"


def _facts(board: Board, task: str) -> str:
    """What the task's numbers are, from its rows."""
    rows = [row for row in board.scores if row.task == task and row.main]
    if not rows:
        return "Nothing was scored."
    first, items = rows[0], {row.n for row in rows if row.n is not None}
    count = counted(len({row.language for row in rows}), "language")
    item_text = f"{min(items)} to {max(items)}" if len(items) > 1 else str(*items or ("?",))
    facts = [
        f"Score: {escape(first.metric)}",
        f"split: {escape(', '.join(sorted({row.split for row in rows})))}",
        f"{count}, {item_text} items each" + (", the same in all" if first.parallel else ""),
        *_floor(board, task),
    ]
    return "; ".join(facts) + "."


def _floor(board: Board, task: str) -> list[str]:
    """What answering blindly gets in the source language."""
    # A set: arms differ in it only where they were scored on other items.
    floors = {
        task_gap.learning.floor
        for task_gap in board.on(task).values()
        if task_gap.learning.floor is not None
    }
    return (
        [f"floor in {board.source_name}: {listed(map(points, sorted(floors)))}"] if floors else []
    )


def other_metrics(board: Board) -> list[str]:
    """What else was measured, averaged over seeds, without intervals."""
    grouped: dict[tuple[str, str, ArmName], list[ScoreRow]] = defaultdict(list)
    for row in board.scores:
        if not row.main:
            grouped[row.task, row.metric, ArmName(row.model, row.strategy)].append(row)
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
    header = ["task", "metric", "model", "strategy", board.source_name, "others"]
    return ["## Other metrics", "", *table(header, rows, 4), ""]


def _means(rows: Sequence[ScoreRow]) -> list[str]:
    numbers = levels(rows)
    return [known_points(numbers.source), known_points(numbers.others)]
