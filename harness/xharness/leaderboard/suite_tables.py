"""Suite scores of the arms that were scored in all the languages of a suite's family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from xharness.gaps import Arm
from xharness.leaderboard import cells
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import Footnotes, escape, points, table
from xharness.scores import Score
from xharness.suites import Aggregate, Benchmark, SuiteScore, Variant, aggregate, variants

_NOTED = "what is noted under its tasks holds here too"
_RULE = (
    "A family's score is the unweighted mean over its tasks, the suite's the one over all tasks, "
    "each task's the one over all its languages, the source language included."
)


@dataclass(frozen=True)
class _Seeds:
    """One arm under one suite: what each of its seeds scores."""

    arm: Arm
    runs: Mapping[int | None, SuiteScore]
    noted: bool

    def family(self, place: int) -> list[Aggregate]:
        """The family at `place`, seed by seed."""
        return [one.families[place] for one in self.runs.values()]

    @property
    def whole(self) -> list[Aggregate]:
        return [one.whole for one in self.runs.values()]

    @property
    def complete(self) -> set[str]:
        """The tasks of the families that every seed has a score of."""
        families = zip(*(one.families for one in self.runs.values()), strict=True)
        whole = (seeds[0] for seeds in families if all(one.value is not None for one in seeds))
        return {task for family in whole for task in family.tasks}


def suites(board: Board) -> list[str]:
    """A section where a family is complete for some arm; nothing else."""
    lines = [line for one in board.benchmarks for line in _suite(board, one)]
    return ["## Suites", "", *lines] if lines else []


def _suite(board: Board, benchmark: Benchmark) -> Iterator[str]:
    """A table for each variant that makes a difference; no table holds both."""
    kinds = {row.task: row.kind for row in board.scores}
    complete = {task for one in _arms(board, benchmark) for task in one.complete}
    if not complete:
        return
    yield from (f"### {escape(benchmark.title)}", "", _RULE, "")
    several = variants(kinds[task] for task in complete)
    for variant in several:
        if len(several) > 1:
            yield from (f"Question answering as {_named(variant)}:", "")
        yield from _table(benchmark, _arms(board, benchmark, variant))


def _arms(board: Board, benchmark: Benchmark, variant: Variant = Variant.OFFICIAL) -> list[_Seeds]:
    """The arms that have a family complete."""
    found = (_seeds(board, benchmark, variant, arm) for arm in board.arms)
    return [one for one in found if one.complete]


def _named(variant: Variant) -> str:
    return f"{variant.value}{', as the official evaluator has it' * (variant is Variant.OFFICIAL)}"


def _seeds(board: Board, benchmark: Benchmark, variant: Variant, arm: Arm) -> _Seeds:
    runs: dict[int | None, list[Score]] = defaultdict(list)
    for row in board.scores:
        if (row.model, row.strategy) == arm and row.provenance == "measured":
            runs[row.seed].append(row)
    noted = any(row.notes for rows in runs.values() for row in rows if row.task in benchmark.tasks)
    scores = {
        seed: aggregate(benchmark, variant, _points(rows, variant)) for seed, rows in runs.items()
    }
    return _Seeds(arm, scores, noted)


def _points(rows: Sequence[Score], variant: Variant) -> dict[str, dict[str, float]]:
    """Task to language to the points that the variant counts."""
    metrics: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: not row.main):
        metrics[row.task].append(row.metric)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.metric == variant.metric(row.kind, metrics[row.task]):
            found[row.task][row.language] = row.value
    return found


def _table(benchmark: Benchmark, found: Sequence[_Seeds]) -> Iterator[str]:
    notes = Footnotes()
    header = ["model", "strategy", "seeds", *map(escape, benchmark.families), "suite"]
    rows = [_row(one, len(benchmark.families), notes) for one in found]
    yield from (*table(header, rows, 2), *notes.lines(), "")


def _row(found: _Seeds, families: int, notes: Footnotes) -> list[str]:
    said = [_NOTED] if found.noted else []
    each = [*(found.family(place) for place in range(families)), found.whole]
    return [
        escape(found.arm[0]),
        cells.name(found.arm[1], notes, *said),
        str(len(found.runs)),
        *(_cell(some, notes) for some in each),
    ]


def _cell(seeds: Sequence[Aggregate], notes: Footnotes) -> str:
    """The mean over the seeds, or a dash where one of them lacks a part."""
    why = next((one.undefined for one in seeds if one.undefined is not None), None)
    if why is not None:
        return "—" + notes.mark(why)
    return points(fmean(one.value for one in seeds if one.value is not None))
