"""The main scores of one arm on one task, as a grid of seeds x languages without holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter, itemgetter
from statistics import fmean

from xharness.errors import ConfigurationError
from xharness.gaps.scores import CellRow, MissingRow, ScoreRow
from xharness.gaps.values import ArmName, Levels, Seed
from xharness.phrases import listed
from xharness.spec.languages import name_of

_UNIFORM = ("task_type", "metric", "split", "protocol", "provenance", "source_language")
"""What all rows of one arm on one task must share, so that they can be averaged."""
_NAMED = 6  # languages named in a note before it says how many more


@dataclass(frozen=True)
class ArmCells:
    """Rows by (seed, language), complete; `problem` says why there are none."""

    model: str
    strategy: str
    task: str
    rows: Mapping[tuple[Seed, str], ScoreRow] = field(default_factory=dict)
    seeds: tuple[Seed, ...] = ()
    languages: tuple[str, ...] = ()
    source_language: str | None = None
    problem: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    """Language to the reason why it has no score."""
    lost_seeds: Mapping[Seed, str] = field(default_factory=dict)
    """Seed to the reason why it has no scores."""
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> ArmName:
        return ArmName(self.model, self.strategy)

    @cached_property
    def any_row(self) -> ScoreRow:
        """One of the rows: they agree in metric, split and protocol."""
        return next(iter(self.rows.values()))

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The languages beside the source language."""
        return tuple(code for code in self.languages if code != self.source_language)


def arrange(
    rows: Iterable[CellRow], source_score_from: Mapping[str, str | None] | None = None
) -> Iterator[tuple[str, list[ArmCells]]]:
    """The rows task by task, in alphabetical order, each arm with its grid.

    A task without a test set in the source language may borrow the source-language score of
    another one: that of its rows, unless `source_score_from` names another or none.

    Raises:
        ConfigurationError: two rows for one cell.
    """
    scores: dict[tuple[str, str, str], list[ScoreRow]] = defaultdict(list)
    missing: dict[tuple[str, str, str], list[MissingRow]] = defaultdict(list)
    # Borrowed scores come in first: grids must not tell them from the task's own.
    for row in _with_borrowed(list(rows), source_score_from or {}):
        key = (row.task, row.model, row.strategy)
        if isinstance(row, MissingRow):
            missing[key].append(row)
        elif row.main:
            scores[key].append(row)
    keys = sorted(scores.keys() | missing.keys())
    for task, task_keys in groupby(keys, key=itemgetter(0)):
        yield (
            task,
            [
                _cells((model, strategy, task), scores.pop(key, []), missing.pop(key, []))
                for key in task_keys
                for _, model, strategy in [key]
            ],
        )


def _with_borrowed(rows: Sequence[CellRow], stated: Mapping[str, str | None]) -> Iterator[CellRow]:
    """The rows, and the source-language scores that tasks borrow.

    A task that was asked in the source language alone, to lend its score, is none of the board's.
    """
    source_score_from = _lenders(rows, stated)
    if not source_score_from:
        yield from rows
        return
    only_lending = _only_lending(rows, source_score_from)
    source_languages = {row.task: row.source_language for row in rows if isinstance(row, ScoreRow)}
    splits = {row.task: row.split for row in rows if isinstance(row, ScoreRow)}
    covered = {(row.model, row.strategy, row.task) for row in rows}
    for row in rows:
        borrowed_language = source_languages.get(source_score_from.get(row.task, ""))
        # The borrower's own rows must name the language too: a grid is refused where they differ.
        lacks_source = isinstance(row, ScoreRow) and row.source_language is None
        if row.task not in only_lending:
            yield _copied_row(row, source_language=borrowed_language) if lacks_source else row
        if not isinstance(row, ScoreRow) or row.language != row.source_language:
            continue
        for task, lending_task in source_score_from.items():
            if lending_task == row.task and (row.model, row.strategy, task) in covered:
                note = f"{name_of(row.language)} is the {row.split} split of {row.task}"
                split = splits.get(task, row.split)
                yield _copied_row(row, task=task, split=split, notes=(*row.notes, note))


def _lenders(rows: Iterable[CellRow], stated: Mapping[str, str | None]) -> dict[str, str]:
    """Task to the one that lends it a score: what is `stated` comes over what rows say."""
    lenders: dict[str, str | None] = {
        row.task: row.source_score_from
        for row in rows
        if isinstance(row, ScoreRow) and row.source_score_from is not None
    }
    lenders.update(stated)
    return {task: lender for task, lender in lenders.items() if lender is not None}


def _only_lending(rows: Iterable[CellRow], source_score_from: Mapping[str, str]) -> frozenset[str]:
    """The lending tasks that have scores in the source language and in no other."""
    lending_tasks = {*source_score_from.values()}
    in_source: dict[str, set[bool]] = {task: set() for task in lending_tasks}
    for row in rows:
        if row.task in lending_tasks and isinstance(row, ScoreRow):
            in_source[row.task].add(row.language == row.source_language)
    return frozenset(task for task, answers in in_source.items() if answers == {True})


def _copied_row(row: CellRow, **values: object) -> CellRow:
    """A copy of a row that was validated before, without asking pydantic again."""
    # A board may hold hundreds of thousands of rows, and each was validated when it was read.
    copy: CellRow = object.__new__(type(row))
    for name in row.__dataclass_fields__:
        object.__setattr__(copy, name, values.get(name, getattr(row, name)))
    return copy


def _cells(
    arm_and_task: tuple[str, str, str], scores: Sequence[ScoreRow], missing: Sequence[MissingRow]
) -> ArmCells:
    lost_rows = [row for row in missing if row.language is None]
    absences = {row.language: row.reason for row in missing if row.language is not None}
    problem = _conflict(scores) if scores else _reasons(missing)
    grid = _grid(scores)
    languages = tuple(sorted({language for _, language in grid}))
    seeds = sorted({seed for seed, _ in grid}, key=_seed_order)
    # A mean over other languages in one seed than in the next would measure the languages.
    complete_seeds = tuple(
        seed for seed in seeds if all((seed, code) in grid for code in languages)
    )
    if problem is None and not complete_seeds:
        problem = "no seed has a score in every language"
    if problem is not None:
        notes = _notes_of_lost_seeds(lost_rows) if scores else ()
        return ArmCells(*arm_and_task, problem=problem, absent=absences, notes=notes)
    rows = {cell: row for cell, row in grid.items() if cell[0] in complete_seeds}
    notes = (
        *notes_of(list(rows.values())),
        *_notes_of_partial_seeds(seeds, complete_seeds),
        *_notes_of_lost_seeds(lost_rows),
    )
    absences = {code: reason for code, reason in absences.items() if code not in languages}
    notes += tuple(f"without {name_of(code)}: {absences[code]}" for code in sorted(absences))
    lost_seeds: dict[Seed, str] = dict.fromkeys(seeds, "not every language has a score")
    lost_seeds |= {row.seed: row.reason for row in lost_rows}
    lost_seeds = {seed: reason for seed, reason in lost_seeds.items() if seed not in complete_seeds}
    source = scores[0].source_language
    return ArmCells(
        *arm_and_task, rows, complete_seeds, languages, source, None, absences, lost_seeds, notes
    )


def _grid(scores: Sequence[ScoreRow]) -> dict[tuple[Seed, str], ScoreRow]:
    grid: dict[tuple[Seed, str], ScoreRow] = {}
    for row in scores:
        if (row.seed, row.language) in grid:
            raise ConfigurationError(
                f"two scores for one cell: {row.metric} of {row.language}, seed {row.seed}",
                where=f"{row.model}, {row.strategy}, {row.task}",
                hint="keep the one that counts",
            )
        grid[row.seed, row.language] = row
    return grid


def _conflict(scores: Sequence[ScoreRow]) -> str | None:
    """Why these rows must not be averaged, if they differ in what they measure."""
    if len(set(map(attrgetter(*_UNIFORM), scores))) == 1:
        return None
    for name in _UNIFORM:
        values = {str(getattr(row, name)) for row in scores}
        if len(values) > 1:
            return f"unlike rows: {name.replace('_', ' ')} {listed(sorted(values))}"
    return None


def _reasons(missing: Sequence[MissingRow]) -> str:
    """Why an arm without any score has none."""
    return "; ".join(dict.fromkeys(row.reason for row in missing))


def levels(rows: Sequence[ScoreRow]) -> Levels:
    """The numbers of one arm, on one task by one metric: each language over its seeds first."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        values[row.language].append(row.value)
    means = {code: fmean(seed_values) for code, seed_values in sorted(values.items())}
    source = means.pop(rows[0].source_language or "", None)
    others = fmean(means.values()) if means else None
    return Levels(source, others, None if source is None or others is None else source - others)


def notes_of(rows: Sequence[ScoreRow]) -> tuple[str, ...]:
    """What the rows note; a note that only some languages carry names them."""
    if all(row.notes == rows[0].notes for row in rows):
        return tuple(sorted(rows[0].notes))
    carriers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for note in row.notes:
            carriers[note].add(row.language)
    languages = {row.language for row in rows}
    return tuple(
        note if codes == languages else f"{note} ({listed(sorted(codes), limit=_NAMED)})"
        for note, codes in sorted(carriers.items())
    )


def _notes_of_partial_seeds(
    seeds: Sequence[Seed], complete_seeds: Sequence[Seed]
) -> tuple[str, ...]:
    dropped = [str(seed) for seed in seeds if seed not in complete_seeds]
    if not dropped:
        return ()
    return (f"seed {', '.join(dropped)} left out: not every language has a score",)


def _notes_of_lost_seeds(rows: Sequence[MissingRow]) -> tuple[str, ...]:
    """What is said of whole seeds that have no score."""
    names = (f"seed {row.seed}" if row.seed is not None else "a seed" for row in rows)
    return tuple(f"without {name}: {row.reason}" for name, row in zip(names, rows, strict=True))


def _seed_order(seed: Seed) -> tuple[bool, int]:
    """Sorts rows that name no seed before all numbers."""
    return seed is not None, seed or 0
