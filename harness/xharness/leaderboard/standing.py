"""What the numbers stand on, in a few words: seeds, examples, items, budgets, comparability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from xharness.gaps import ArmName, Change, TaskGap, TrainingBudget, Verdict
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard.board import Board, is_published
from xharness.leaderboard.text import thousands
from xharness.phrases import listed

EXPLORATORY, UNEQUAL = "EXPLORATORY", "UNEQUAL BUDGETS"
_NAMED = 4  # strategies that a badge has room for
_TRAINED = "fine-tuned"  # how the protocol of a trained model begins
_PARTIAL = ("partial data", "limited", "scored on", "trained on partial", "trained on the first")
"""How notes begin that keep a number from standing beside one of a paper."""


def is_warning(badge: str) -> bool:
    """Whether a badge says what weakens the numbers; such are in capitals."""
    return badge.startswith((EXPLORATORY, UNEQUAL))


def badges(board: Board) -> Iterator[str]:
    """The badges of a board, warnings first."""
    changes = [board.changes.get((arm, None)) for arm in board.pool_arms]
    if any(change and change.verdict is Verdict.EXPLORATORY for change in changes):
        yield EXPLORATORY
    if unequal := [*_unequal([change for change in changes if change])]:
        yield f"{UNEQUAL}: {', '.join(unequal)}"
    yield from _unstated(board)
    task_gaps = [task_gap for task_gap in board.gaps.tasks if task_gap.scores]
    if not task_gaps:
        return
    yield _seeds(task_gaps)
    rows = [row for row in board.scores if row.main]
    if examples := _examples(board, task_gaps):
        yield examples
    if counts := {row.n for row in rows if row.n is not None}:
        yield f"{_range(counts)} items a language"
    yield _comparable(rows)


def _unequal(changes: Sequence[Change]) -> Iterator[str]:
    """Who has other steps than the baseline: on a target, and in all trainings together."""
    differences = {
        "steps a task": [change for change in changes if change.equal_budget is False],
        "steps in all": [change for change in changes if change.more_steps],
    }
    for name, unequal in differences.items():
        strategies = [change.strategy for change in unequal]
        if strategies:
            yield f"{name} ({listed(strategies, limit=_NAMED)})"


def _unstated(board: Board) -> Iterator[str]:
    """Whose rows don't say how long their models were trained here: all, or some models'."""
    unstated = {
        gap.model
        for gap in board.gaps.tasks
        if gap.budget.steps is None
        and gap.provenance == "measured"
        and (gap.protocol or "").startswith(_TRAINED)
    }
    models = [*dict.fromkeys(model for model, _ in board.pool_arms)]
    if named := [model for model in models if model in unstated]:
        names = "" if named == models else f" ({listed(named, limit=_NAMED)})"
        yield f"steps not stated{names}"


def _seeds(task_gaps: Iterable[TaskGap]) -> str:
    # Rows without a seed share the seed None, which tells nothing of how many there were.
    counts = {len(task_gap.seeds) for task_gap in task_gaps if task_gap.seeds not in ((), (None,))}
    if not counts:
        return "number of seeds not stated"
    return "1 seed" if counts == {1} else f"{_range(counts)} seeds"


def _examples(board: Board, task_gaps: Iterable[TaskGap]) -> str | None:
    """How many examples of a task were trained on, as the rows or the study say."""
    counts = {task_gap.budget.examples for task_gap in task_gaps} - {None, 0}
    known_counts = [count for count in counts if count is not None]
    if known_counts:
        return f"{_range(known_counts)} {board.source_name} examples a task"
    limit = board.study.train_limit
    if limit is None or all(is_published(row) for row in board.scores):
        return None
    return f"≤ {thousands(limit)} {board.source_name} examples a task"


def _comparable(rows: Iterable[ScoreRow]) -> str:
    """Whether a number may be put beside one of a paper: whole official splits, trained on all."""
    measured = [row for row in rows if not is_published(row)]
    if not measured:
        return "published by others"
    # Any partial cell is in the averages, and so makes all of them differ from a paper's.
    partial = any(note.startswith(_PARTIAL) for row in measured for note in row.notes)
    return "not comparable with papers" if partial else "whole splits"


def _range(counts: Iterable[int]) -> str:
    values = {*counts}
    low, high = min(values), max(values)
    return thousands(low) if low == high else f"{thousands(low)} to {thousands(high)}"


def budgets_text(board: Board) -> str | None:
    """`single and multitask 60 steps a task, 180 in all; lora …`; None where all are alike.

    Of many strategies with the baseline's budget, their number stands there.
    """
    strategies_of_budget: dict[str, list[str]] = {}
    for strategy, arms in groupby(sorted(board.pool_arms, key=itemgetter(1)), key=itemgetter(1)):
        texts = [text for arm in arms if (text := _arm_budget(board, arm)) is not None]
        if texts:
            # The commonest: a model that lacks a task has fewer steps in all, whatever the
            # strategy.
            strategies_of_budget.setdefault(max(texts, key=texts.count), []).append(strategy)
    if len(strategies_of_budget) < 2:
        return None
    base = board.gaps.baseline
    parts = sorted(strategies_of_budget.items(), key=lambda entry: base not in entry[1])
    return "; ".join(f"{_names(strategies, base)} {text}" for text, strategies in parts)


def _names(strategies: Sequence[str], base: str) -> str:
    if base not in strategies or len(strategies) <= _NAMED:
        return listed(strategies)
    return f"{base} and {len(strategies) - 1} others"


def _arm_budget(board: Board, arm: ArmName) -> str | None:
    """`60 steps a task, 180 in all`: on each task with a training set, and of all trainings."""
    budgets = [gap.budget for task in board.tasks if (gap := board.task_gaps.get((arm, task)))]
    target_steps = {budget.target_steps for budget in budgets} - {None, 0}
    average = board.averages.get(arm)
    steps = average.steps if average is not None else None
    if steps is None or not target_steps:
        return None
    each = _range(number for number in target_steps if number is not None)
    return f"{each} steps a task, {thousands(steps)} in all"


def budget_text(budget: TrainingBudget) -> str:
    """`60`; `40 (160 in all)` where the weights learnt other tasks too; or a dash."""
    if budget.target_steps is None:
        return "—"
    text = thousands(budget.target_steps)
    if budget.steps is None or budget.steps == budget.target_steps:
        return text
    return f"{text} ({thousands(budget.steps)} in all)"
