"""The influence of each test item on a score, without drawing anything.

A score is a function of the items' summed statistics, so the first-order influence of an item is
the function's gradient times the item's distance from the mean item: `100 (right - score)` for
accuracy, `n (2 tp - F (2 tp + fp + fn)) / sum(2 tp + fp + fn)` for F1 (Efron 1982, the
infinitesimal jackknife). The variance of a score over the choice of items is the sum of squares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps.cells import ArmCells
from xharness.gaps.evidence import Evidence, Items
from xharness.gaps.sampled import Sampled
from xharness.gaps.scores import ScoreRow
from xharness.task_types.base import Floats, Metric

Metrics = Mapping[str, Mapping[str, Metric]]
"""Task type to metric name to metric: two types may call different things by one name."""

_AGREEMENT = 0.01  # points that a score row and its evidence may differ, for rows that were rounded
_STEP = 1e-5  # of a sum, for its derivative
_ROUNDING = 1e-9  # squared points: an influence that is rounding alone
PSEUDO_ITEMS = 2 * 100.0**2
"""What two items more add to a sum of squares, one gained and one lost, in squared points: where
nothing differs, the sample still proves nothing of other items (Agresti & Min 2005)."""
Weights = Mapping[str, float]
"""Language to the share of its score in a quantity: 1 for the source, -1/n for others in a gap."""


@dataclass(frozen=True)
class ArmItems:
    """One arm on one task: its scores, and the influence of each item on them.

    `influences` has, by language, shape (seeds, items), scaled so that a product of two rows is
    the covariance of two scores; it is empty where the items of some score are not known.
    """

    cells: ArmCells
    scores: Floats
    """Points, shape (seeds, languages)."""
    influences: Mapping[str, Floats] = field(default_factory=dict)
    mean_influences: Mapping[str, Floats] = field(default_factory=dict)
    """Language to the influence of each item on the mean over seeds: (items,)."""
    inner_covariances: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))
    """Item covariances between seeds by language, (languages, seeds, seeds), none at an edge."""
    edge_variances: Floats | None = None
    """Variance of scores at an edge, all right or all wrong, where no item has an influence:
    (languages, seeds)."""
    items: Mapping[str, Items] = field(default_factory=dict)
    """Language to the items of the first seed."""
    right_or_wrong: bool = False
    """Whether every item of every score is just right or wrong."""
    notes: tuple[str, ...] = ()

    @cached_property
    def index(self) -> dict[str, int]:
        """Language to its column in `scores`."""
        return {code: index for index, code in enumerate(self.cells.languages)}

    @cached_property
    def covariances(self) -> Floats:
        """Item covariances between seeds by language: (languages, seeds, seeds)."""
        if self.edge_variances is None:
            return self.inner_covariances
        scores, roots = self.scores.T, np.sqrt(self.edge_variances)
        # Seeds at one edge answered every item alike, so they share their doubt as a whole.
        same_score = scores[:, :, None] == scores[:, None, :]
        edges: Floats = same_score * (roots[:, :, None] * roots[:, None, :])
        return self.inner_covariances + edges

    def counts(self, languages: Sequence[str]) -> Floats:
        """Items behind each language's score; nan where nobody says."""
        rows = self.cells.rows
        first = self.cells.seeds[0]
        numbers = [rows[first, code].n for code in languages]
        return np.array([np.nan if number is None else number for number in numbers])

    def quantities(self, weights: Sequence[Weights]) -> list[Sampled]:
        """Weighted sums of languages, over seeds and items."""
        table = np.zeros((len(weights), len(self.cells.languages)))
        for row, shares in enumerate(weights):
            for code, weight in shares.items():
                table[row, self.index[code]] = weight
        values = table @ self.scores.T
        covariances = self._item_covariances(table)
        return [
            Sampled(values[row], None if covariances is None else covariances[row])
            for row in range(len(weights))
        ]

    def _item_covariances(self, table: Floats) -> Floats | None:
        """Of quantities with weights (quantities, languages): (quantities, seeds, seeds)."""
        if not self.influences:
            return None
        # q: quantities, l: languages, s and t: seeds.
        covariances: Floats = np.einsum("ql,lst->qst", table**2, self.covariances)
        for languages in self._parallel_groups():
            columns = [self.index[code] for code in languages]
            influences = np.stack([self.influences[code] for code in languages])
            joint = np.tensordot(table[:, columns], influences, 1)
            covariances += joint @ joint.transpose(0, 2, 1)
            # what one language has alone was counted above already
            covariances -= np.einsum(
                "ql,lst->qst", table[:, columns] ** 2, self.inner_covariances[columns]
            )
            covariances += _cancelled_variance(
                table[:, columns], joint, self.inner_covariances[columns]
            )
        return covariances

    def _parallel_groups(self) -> list[list[str]]:
        """The languages that share their items, as translations of one text do."""
        if not self.cells.any_row.parallel:
            return []
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for code in self.cells.languages:
            groups[self.items[code].ids].append(code)
        return [codes for codes in groups.values() if len(codes) > 1]

    def influence_on(self, weights: Weights) -> Floats:
        """The influence of the items on a weighted sum of languages: (seeds, items of all of them).

        Those of parallel items add up, others stand one after the other.
        """
        groups: dict[object, list[Floats]] = defaultdict(list)
        parallel = self.cells.any_row.parallel
        for language, weight in weights.items():
            key = self.items[language].ids if parallel else language
            groups[key].append(weight * self.influences[language])
        return np.concatenate([sum(parts[1:], parts[0]) for parts in groups.values()], axis=1)


def _cancelled_variance(weights: Floats, joint: Floats, inner_covariances: Floats) -> Floats:
    """Variance of quantities (quantities, languages) in which all languages answer alike:
    influences that cancel leave their difference where it is, and that is no proof."""
    separate = weights**2 @ np.diagonal(inner_covariances, axis1=1, axis2=2)
    cancelled = (separate > _ROUNDING) & ((joint**2).sum(axis=-1) <= _ROUNDING)
    error = cancelled * (np.sqrt(PSEUDO_ITEMS) / (joint.shape[-1] + 2))
    variances: Floats = error[:, :, None] * error[:, None, :]
    return variances


@dataclass(frozen=True)
class _LanguageInfluences:
    """Of one arm in one language, as `ArmItems` has them."""

    influences: Floats
    """(seeds, items)"""
    mean: Floats
    """(items,)"""
    inner_covariances: Floats
    """(seeds, seeds)"""
    edge_variances: Floats
    """(seeds,)"""
    right_or_wrong: float
    """1 where all answers of all seeds are just right or wrong, else 0."""


_Key = tuple[int, str]
"""Index of an arm, and a language."""


def items_of_task(task: Sequence[ArmCells], evidence: Evidence, metrics: Metrics) -> list[ArmItems]:
    """The arms of one task with their items, in the order given.

    Raises:
        ConfigurationError: evidence that gives another score than its row, or an unknown metric.
    """
    blocks: dict[_Key, list[Items]] = {}
    for index, cells in enumerate(task):
        blocks |= {(index, code): items for code, items in _items(cells, evidence).items()}
    groups: dict[object, list[_Key]] = defaultdict(list)
    for (index, language), items in blocks.items():
        row = task[index].any_row
        layout = (language, items[0].ids, row.task_type, row.metric, len(items))
        # One product of arrays for all arms with the same items: there may be thousands.
        groups[layout].append((index, language))
    influences: dict[_Key, _LanguageInfluences] = {}
    for keys in groups.values():
        influences |= _influences_of_arms(keys, blocks, task, metrics)
    return [_arm_items(index, cells, blocks, influences) for index, cells in enumerate(task)]


def _items(cells: ArmCells, evidence: Evidence) -> dict[str, list[Items]]:
    """Language to the items of each seed; empty where those of some score are not known."""
    items_by_language: dict[str, list[Items]] = defaultdict(list)
    for language in cells.languages:
        for seed in cells.seeds:
            stage = cells.rows[seed, language].stage
            items = evidence.get((stage, language)) if stage else None
            if items is None or not items.ids:
                return {}
            items_by_language[language].append(items)
        first, *later_seeds = items_by_language[language]
        # Mostly one object, shared when it was read; comparing thousands of ids is what takes time.
        if any(items.ids is not first.ids and items.ids != first.ids for items in later_seeds):
            return {}
    return items_by_language


def _arm_items(
    index: int,
    cells: ArmCells,
    blocks: Mapping[_Key, Sequence[Items]],
    influences: Mapping[_Key, _LanguageInfluences],
) -> ArmItems:
    grid = [[cells.rows[seed, code].value for code in cells.languages] for seed in cells.seeds]
    scores = np.array(grid, dtype=np.float64).reshape(len(cells.seeds), len(cells.languages))
    by_language = {
        code: influences[index, code] for code in cells.languages if (index, code) in influences
    }
    if not by_language:
        notes = ("no per-item evidence: the choice of items is not counted in",)
        return ArmItems(cells, scores, notes=notes if cells.rows else ())
    items = {code: blocks[index, code][0] for code in by_language}
    return ArmItems(
        cells,
        scores,
        {code: parts.influences for code, parts in by_language.items()},
        {code: parts.mean for code, parts in by_language.items()},
        np.stack([parts.inner_covariances for parts in by_language.values()]),
        np.stack([parts.edge_variances for parts in by_language.values()])
        if any(parts.edge_variances.any() for parts in by_language.values())
        else None,
        items,
        all(parts.right_or_wrong > 0 for parts in by_language.values()),
        _notes(cells, items),
    )


def _influences_of_arms(
    keys: Sequence[_Key],
    blocks: Mapping[_Key, Sequence[Items]],
    task: Sequence[ArmCells],
    metrics: Metrics,
) -> dict[_Key, _LanguageInfluences]:
    """Of all arms with as many seeds that answered the same items of one language."""
    metric = _metric(task[keys[0][0]].any_row, metrics)
    rows = [task[index].rows[seed, code] for index, code in keys for seed in task[index].seeds]
    items = [block for key in keys for block in blocks[key]]
    for block, row in zip(items, rows, strict=True):
        if block.stored.shape[1] != len(metric.statistics):
            expectation = f"{len(metric.statistics)} statistics of '{metric.name}'"
            problem = f"the evidence has {block.stored.shape[1]} of the {expectation}"
            raise _contradiction(row, problem)
    statistics = np.stack([block.stored for block in items]).astype(np.float64)
    sums = statistics.sum(axis=1)
    values = 100 * metric.value(sums)
    for row, value in zip(rows, values.tolist(), strict=True):
        if abs(value - row.value) > _AGREEMENT:
            mismatch = f"the evidence gives {value:.4f}, the score row {row.value:.4f}"
            raise _contradiction(row, mismatch)
    influences, edge_variances = _scaled_influences(statistics, sums, values, metric)
    shape = (len(keys), len(rows) // len(keys), -1)
    by_arm = influences.reshape(shape)
    columns = (
        by_arm,
        by_arm.mean(axis=1),
        by_arm @ by_arm.transpose(0, 2, 1),
        edge_variances.reshape(shape[:2]),
        _right_or_wrong(statistics).reshape(shape[:2]).min(axis=1),
    )
    return {key: _LanguageInfluences(*parts) for key, *parts in zip(keys, *columns, strict=True)}


def _scaled_influences(
    statistics: Floats, sums: Floats, values: Floats, metric: Metric
) -> tuple[Floats, Floats]:
    """Influences (scores, items) of statistics (scores, items, k), whose squares sum up to the item
    variance in squared points; and the variances of scores at an edge (scores,)."""
    scores, count, width = statistics.shape
    # as large as the largest sum: a zero among them has no scale of its own
    step = _STEP * np.maximum(np.abs(sums).max(axis=1), 1.0)
    gradient = np.empty((scores, width))
    for column in range(width):
        nudge = np.zeros((scores, width))
        nudge[:, column] = step
        # A central difference: a metric is anyone's function, and nobody states its derivative.
        rise = metric.value(sums + nudge) - metric.value(sums - nudge)
        gradient[:, column] = 100 * rise / (2 * step)
    influence = np.einsum("snk,sk->sn", statistics - sums[:, None] / count, gradient)
    # the unbiased variance divides by n - 1
    influence *= np.sqrt(count / max(count - 1, 1))
    moved = (influence**2).sum(axis=1) > _ROUNDING
    # Agresti and Coull's two items more: an edge is no proof
    share = (values / 100 * count + 1) / (count + 2)
    edge_variances = np.where(moved, 0.0, 100**2 * share * (1 - share) / (count + 2))
    return np.where(moved[:, None], influence, 0.0), edge_variances


def _right_or_wrong(statistics: Floats) -> Floats:
    """Whether each score of statistics (scores, items, k) counts right answers; (scores,)."""
    if statistics.shape[2] != 2:
        return np.zeros(len(statistics))
    right, count = statistics[..., 0], statistics[..., 1]
    is_right_or_wrong: Floats = (((right == 0) | (right == 1)) & (count == 1)).all(axis=1)
    return is_right_or_wrong.astype(np.float64)


def _metric(row: ScoreRow, metrics: Metrics) -> Metric:
    offered = metrics.get(row.task_type, {})
    if row.metric not in offered:
        raise ConfigurationError(
            f"metric '{row.metric}' of task type '{row.task_type}' is unknown here",
            where=f"score of {row.model}, {row.strategy}, {row.task}",
            hint=f"{suggestion(row.metric, offered)}; or install the plugin that offers it",
        )
    return offered[row.metric]


def _contradiction(row: ScoreRow, problem: str) -> ConfigurationError:
    return ConfigurationError(
        problem,
        where=f"{row.model}, {row.strategy}, seed {row.seed}, {row.task}, {row.language}",
        hint="scores and evidence are not of one run; run the study again",
    )


def _notes(cells: ArmCells, items: Mapping[str, Items]) -> tuple[str, ...]:
    notes = []
    first = next(iter(items.values())).ids
    if cells.any_row.parallel and any(block.ids != first for block in items.values()):
        notes.append("the items differ between languages: only the same ones are counted together")
    stages = {seed: row.stage for (seed, _), row in cells.rows.items()}
    if len(stages) > 1 and len(set(stages.values())) == 1:
        notes.append("every seed has the same result: nothing was trained")
    return tuple(notes)
