"""From stored evidence to resampled scores: each arm's grid, scored once per resample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps.bootstrap import resampled_sums
from xharness.gaps.cells import Cells
from xharness.gaps.evidence import Evidence, Items
from xharness.gaps.scores import Score
from xharness.gaps.values import Seed
from xharness.task_types.base import Floats, Metric

Metrics = Mapping[str, Mapping[str, Metric]]
"""Kind to metric name to metric: two kinds may call different things by one name."""

_AGREEMENT = 0.01  # points that a score row and its evidence may differ, for rows that were rounded


@dataclass(frozen=True)
class Sample:
    """One arm on one task: `values` is a curve of shape (1 + resamples, seeds, languages)."""

    cells: Cells
    values: Floats
    items: Mapping[str, str]
    """Language to the identity of its items; empty where items could not be resampled."""
    evidence: Mapping[tuple[Seed, str], Items]
    """The items behind each score; empty where they are not complete."""
    notes: tuple[str, ...]

    @cached_property
    def constant(self) -> Floats:
        """The estimate in place of each resample: how things look if items are taken as given."""
        return np.broadcast_to(self.values[:1], self.values.shape)


@dataclass(frozen=True)
class _Cell:
    """Where a score stands in an arm's values, and the items behind it."""

    arm: int
    seed: int
    language: int
    row: Score
    items: Items


def sample(
    task: Sequence[Cells], evidence: Evidence, metrics: Metrics, resamples: int, seed: int
) -> list[Sample]:
    """Resample the items of one task, alike for all its arms.

    Items are drawn once for all parallel languages: where item i asks the same in each of them.

    Raises:
        ConfigurationError: evidence that gives another score than its row, or an unknown metric.
    """
    found = [list(_found(place, cells, evidence)) for place, cells in enumerate(task)]
    held = [
        some if len(some) == len(cells.rows) else []
        for some, cells in zip(found, task, strict=True)
    ]
    values = [_constant(cells, resamples) for cells in task]
    for (kind, identity), unit in _units(cell for some in held for cell in some).items():
        key = [seed, "items", task[0].task, kind, identity]
        _fill(values, unit, metrics, resamples, key)
    return [
        Sample(cells, curve, _identities(some), _evidence(some), _notes(cells, some))
        for cells, curve, some in zip(task, values, held, strict=True)
    ]


def _found(place: int, cells: Cells, evidence: Evidence) -> Iterator[_Cell]:
    for (seed, language), row in cells.rows.items():
        items = evidence.get((row.stage, language)) if row.stage else None
        if items is not None and items.ids:
            at = cells.seeds.index(seed), cells.languages.index(language)
            yield _Cell(place, *at, row, items)


def _constant(cells: Cells, resamples: int) -> Floats:
    """The scores as the rows give them, in every resample."""
    grid = [[cells.rows[seed, one].value for one in cells.languages] for seed in cells.seeds]
    shape = (1 + resamples, len(cells.seeds), len(cells.languages))
    return np.array(np.broadcast_to(np.array(grid, dtype=np.float64).reshape(shape[1:]), shape))


def _units(cells: Iterable[_Cell]) -> dict[tuple[str, str], list[_Cell]]:
    """The cells whose items are drawn together, by what they share: how, and which items."""
    units: dict[tuple[str, str], list[_Cell]] = defaultdict(list)
    for cell in cells:
        kind = "parallel" if cell.row.parallel else cell.row.language
        units[kind, cell.items.identity].append(cell)
    return units


def _fill(
    values: Sequence[Floats], unit: Sequence[_Cell], metrics: Metrics, resamples: int, key: object
) -> None:
    """Put the resampled scores of a unit where they belong."""
    blocks = {(cell.items.stage, cell.items.language): cell.items.statistics for cell in unit}
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    drawn = resampled_sums(np.concatenate(list(blocks.values()), axis=1), resamples, key)
    parts = dict(zip(blocks, np.split(drawn, ends[:-1], axis=1), strict=True))
    for cell in unit:
        metric = _metric(cell.row, metrics)
        _check(cell, metric)
        sums = parts[cell.items.stage, cell.items.language]
        values[cell.arm][1:, cell.seed, cell.language] = 100 * metric.value(sums)


def _metric(row: Score, metrics: Metrics) -> Metric:
    shelf = metrics.get(row.task_type, {})
    if row.metric not in shelf:
        raise ConfigurationError(
            f"metric '{row.metric}' of kind '{row.task_type}' is unknown here",
            where=f"score of {row.model}, {row.strategy}, {row.task}",
            hint=f"{suggestion(row.metric, shelf)}; or install the plugin that offers it",
        )
    return shelf[row.metric]


def _check(cell: _Cell, metric: Metric) -> None:
    row, statistics = cell.row, cell.items.statistics
    problem = None
    if statistics.shape[1] != len(metric.statistics):
        wanted = f"{len(metric.statistics)} statistics of '{metric.name}'"
        problem = f"the evidence has {statistics.shape[1]} of the {wanted}"
    elif abs((value := 100 * float(metric.value(statistics.sum(axis=0)))) - row.value) > _AGREEMENT:
        problem = f"the evidence gives {value:.4f}, the score row {row.value:.4f}"
    if problem is not None:
        raise ConfigurationError(
            problem,
            where=f"{row.model}, {row.strategy}, seed {row.seed}, {row.task}, {row.language}",
            hint="scores and evidence are not of one run; run the study again",
        )


def _identities(cells: Sequence[_Cell]) -> dict[str, str]:
    return {cell.row.language: cell.items.identity for cell in cells}


def _evidence(cells: Sequence[_Cell]) -> dict[tuple[Seed, str], Items]:
    return {(cell.row.seed, cell.row.language): cell.items for cell in cells}


def _notes(cells: Cells, held: Sequence[_Cell]) -> tuple[str, ...]:
    if not held:
        return ("no per-item evidence: items are not resampled",) if cells.rows else ()
    notes = []
    if len({cell.items.identity for cell in held if cell.row.parallel}) > 1:
        notes.append("the items differ between languages: only the same ones are drawn together")
    stages = {seed: row.stage for (seed, _), row in cells.rows.items()}
    if len(stages) > 1 and len(set(stages.values())) == 1:
        notes.append("every seed has the same result: nothing was trained")
    return tuple(notes)
