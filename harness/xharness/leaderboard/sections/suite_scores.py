"""Suite scores of the arms that were scored in all the languages of a suite's family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from xharness.gaps import ArmName
from xharness.gaps.scores import ScoreRow
from xharness.gaps.suites import Aggregate, Benchmark, SuiteScore, Variant, aggregate, variants
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, points, table

_NOTED = "what is noted under its tasks holds here too"
_RULE = (
    "A family's score is the unweighted mean over its tasks, the suite's the one over all tasks, "
    "each task's the one over all its languages, the source language included."
)


@dataclass(frozen=True)
class _ArmScores:
    """One arm under one suite: what each of its seeds scores."""

    arm: ArmName
    runs: Mapping[int | None, SuiteScore]
    noted: bool

    def family(self, family_index: int) -> list[Aggregate]:
        """The family at `family_index`, seed by seed."""
        return [suite_score.families[family_index] for suite_score in self.runs.values()]

    @property
    def suite_aggregates(self) -> list[Aggregate]:
        return [suite_score.whole for suite_score in self.runs.values()]

    @property
    def complete(self) -> set[str]:
        """The tasks of the families that every seed has a score of."""
        families = zip(*(suite_score.families for suite_score in self.runs.values()), strict=True)
        complete_families = (
            aggregates[0]
            for aggregates in families
            if all(aggregate.value is not None for aggregate in aggregates)
        )
        return {task for family in complete_families for task in family.tasks}


def section(board: Board) -> list[str]:
    """A section where a family is complete for some arm; nothing else."""
    lines = [line for benchmark in board.benchmarks for line in _suite(board, benchmark)]
    return ["## Suites", "", *lines] if lines else []


def _suite(board: Board, benchmark: Benchmark) -> Iterator[str]:
    """A table for each variant that makes a difference; no table holds both."""
    task_types = {row.task: row.task_type for row in board.scores}
    complete = {task for scores in _arms(board, benchmark) for task in scores.complete}
    if not complete:
        return
    yield from (f"### {escape(benchmark.title)}", "", _RULE, "")
    # Published suites use either, so both are shown, and never in one table.
    question_variants = variants(task_types[task] for task in complete)
    for variant in question_variants:
        if len(question_variants) > 1:
            yield from (f"Question answering as {_variant_title(variant)}:", "")
        yield from _table(benchmark, _arms(board, benchmark, variant))


def _arms(
    board: Board, benchmark: Benchmark, variant: Variant = Variant.OFFICIAL
) -> list[_ArmScores]:
    """The arms that have a family complete."""
    arms_scores = (_arm_scores(board, benchmark, variant, arm) for arm in board.arms)
    return [arm_scores for arm_scores in arms_scores if arm_scores.complete]


def _variant_title(variant: Variant) -> str:
    return f"{variant.value}{', as the official evaluator has it' * (variant is Variant.OFFICIAL)}"


def _arm_scores(board: Board, benchmark: Benchmark, variant: Variant, arm: ArmName) -> _ArmScores:
    runs: dict[int | None, list[ScoreRow]] = defaultdict(list)
    for row in board.scores:
        # Published suites stand in a section of their own, as their sources state them.
        if (row.model, row.strategy) == arm and row.provenance == "measured":
            runs[row.seed].append(row)
    noted = any(row.notes for rows in runs.values() for row in rows if row.task in benchmark.tasks)
    scores = {
        seed: aggregate(benchmark, variant, _points(rows, variant)) for seed, rows in runs.items()
    }
    return _ArmScores(arm, scores, noted)


def _points(rows: Sequence[ScoreRow], variant: Variant) -> dict[str, dict[str, float]]:
    """Task to language to the points that the variant counts."""
    metrics: dict[str, list[str]] = defaultdict(list)
    # `Variant.metric` wants the task's score first, as a card lists it.
    for row in sorted(rows, key=lambda row: not row.main):
        metrics[row.task].append(row.metric)
    task_points: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.metric == variant.metric(row.task_type, metrics[row.task]):
            task_points[row.task][row.language] = row.value
    return task_points


def _table(benchmark: Benchmark, arms_scores: Sequence[_ArmScores]) -> Iterator[str]:
    notes = Footnotes()
    header = ["model", "strategy", "seeds", *map(escape, benchmark.families), "suite"]
    rows = [_row(arm_scores, len(benchmark.families), notes) for arm_scores in arms_scores]
    yield from (*table(header, rows, 2), *notes.lines(), "")


def _row(arm_scores: _ArmScores, families: int, notes: Footnotes) -> list[str]:
    notes_text = [_NOTED] if arm_scores.noted else []
    aggregates = [
        *(arm_scores.family(family_index) for family_index in range(families)),
        arm_scores.suite_aggregates,
    ]
    return [
        escape(arm_scores.arm.model),
        cells.name(arm_scores.arm.strategy, notes, *notes_text),
        str(len(arm_scores.runs)),
        *(_cell(seed_aggregates, notes) for seed_aggregates in aggregates),
    ]


def _cell(seeds: Sequence[Aggregate], notes: Footnotes) -> str:
    """The mean over the seeds, or a dash where one of them lacks a part."""
    reason = next(
        (aggregate.undefined for aggregate in seeds if aggregate.undefined is not None), None
    )
    if reason is not None:
        return "—" + notes.mark(reason)
    return points(fmean(aggregate.value for aggregate in seeds if aggregate.value is not None))
