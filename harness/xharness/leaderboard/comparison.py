"""Two runs, or two arms of one, side by side: paired differences, language by language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps import ArmName, Change, Evidence, Metrics, TaskGap, evidence, measure
from xharness.gaps.scores import CellRow
from xharness.leaderboard.board import EVIDENCE, SCORES, cells_of

A, B = "A", "B"


@dataclass(frozen=True)
class Side:
    """One side of a comparison: rows, and the items behind them."""

    name: str
    rows: tuple[CellRow, ...]
    evidence: Evidence

    @property
    def arms(self) -> tuple[ArmName, ...]:
        """Models with strategies that rows speak of, in their order."""
        return tuple(dict.fromkeys(ArmName(row.model, row.strategy) for row in self.rows))


@dataclass(frozen=True)
class Pair:
    """An arm of the one side and an arm of the other, under the name the pair goes by."""

    name: str
    a: ArmName
    b: ArmName


@dataclass(frozen=True)
class Compared:
    """One pair on one task: each side's scores, and B minus A with a test for each language."""

    pair: Pair
    task: str
    a: TaskGap | None
    b: TaskGap | None
    change: Change


def side(folder: Path) -> Side:
    """The side that a run's folder is.

    Raises:
        ConfigurationError: there are no scores, or a row is broken.
    """
    if not (folder / SCORES).is_file():
        raise ConfigurationError(
            f"there is no {SCORES} here", where=str(folder),
            hint="compare two folders of runs, or two arms of one with --run FOLDER",
        )  # fmt: skip
    path = folder / EVIDENCE
    items = evidence.read(path) if path.is_file() else {}
    return Side(str(folder), cells_of(folder), items)


def common_arms(a: Side, b: Side) -> list[Pair]:
    """The arms that both runs have.

    Raises:
        ConfigurationError: there is none.
    """
    common = [arm for arm in a.arms if arm in b.arms]
    if not common:
        both_sides = "; ".join(f"{side.name} has {_arm_names(side.arms)}" for side in (a, b))
        raise ConfigurationError(
            f"no model and strategy is in both runs: {both_sides}",
            hint="compare two arms of one run: xharness compare ARM ARM --run FOLDER",
        )
    return [Pair(arm.label, arm, arm) for arm in common]


def arms(side: Side, a: str, b: str) -> list[Pair]:
    """The arms that two words name: MODEL:STRATEGY each, or a model each, or a strategy each.

    Raises:
        ConfigurationError: a word that names no arm, or two that cannot be paired.
    """
    first, second = _arms_named(side, a), _arms_named(side, b)
    if len(first) == len(second) == 1:
        (first_arm,), (second_arm,) = first.values(), second.values()
        return [Pair(f"{first_arm.label} and {second_arm.label}", first_arm, second_arm)]
    pairs = [Pair(key, first[key], second[key]) for key in first if key in second]
    if not pairs:
        raise ConfigurationError(
            f"'{a}' and '{b}' cannot be paired", where=side.name,
            hint=f"name two of these as MODEL:STRATEGY: {_arm_names(side.arms)}",
        )  # fmt: skip
    return pairs


def compare(a: Side, b: Side, pairs: Sequence[Pair], metrics: Metrics) -> list[Compared]:
    """B minus A for every pair and task, item by item where the items are the same.

    Raises:
        ConfigurationError: as `xharness.gaps.measure`.
    """
    rows = [*_rows_of_pairs(a.rows, {(pair.a, pair.name): A for pair in pairs}),
            *_rows_of_pairs(b.rows, {(pair.b, pair.name): B for pair in pairs})]  # fmt: skip
    # As if A were a baseline and B a strategy, so that both are paired by the code of boards.
    gaps = measure(rows, {**a.evidence, **b.evidence}, metrics, baseline=A)
    tasks = dict.fromkeys(row.task for row in rows)

    def gap(pair: Pair, side: str, task: str) -> TaskGap | None:
        return gaps.task(ArmName(pair.name, side), task)

    return [
        Compared(pair, task, gap(pair, A, task), gap(pair, B, task), change)
        for pair in pairs
        for task in tasks
        if (change := gaps.change(ArmName(pair.name, B), task)) is not None
    ]


def _arms_named(side: Side, word: str) -> dict[str, ArmName]:
    """What a word names: by strategy for a model, by model for a strategy."""
    model, colon, strategy = word.rpartition(":")
    if colon and (model, strategy) in side.arms:
        return {"": ArmName(model, strategy)}
    arms = {arm.strategy: arm for arm in side.arms if arm.model == word}
    arms = arms or {arm.model: arm for arm in side.arms if arm.strategy == word}
    if not arms:
        names = {name for arm in side.arms for name in (*arm, ":".join(arm))}
        raise ConfigurationError(
            f"no arm is called '{word}'", where=side.name, hint=suggestion(word, names)
        )
    return arms


def _rows_of_pairs(
    rows: Iterable[CellRow], sides: Mapping[tuple[ArmName, str], str]
) -> list[CellRow]:
    """The rows of the chosen arms, the pair's name as model, the side as strategy."""
    return [
        replace(row, model=name, strategy=side)
        for row in rows
        for (arm, name), side in sides.items()
        if arm == (row.model, row.strategy)
    ]


def _arm_names(arms: Iterable[ArmName]) -> str:
    return ", ".join(":".join(arm) for arm in arms)
