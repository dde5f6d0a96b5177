"""A board: the question (a study), its rows, and the gaps measured from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from xharness.errors import ConfigurationError
from xharness.gaps import (
    ArmName,
    Average,
    Change,
    Estimate,
    Evidence,
    Gaps,
    Metrics,
    TaskGap,
    TaskPool,
    evidence,
    measure,
    scores,
)
from xharness.gaps.scores import CellRow, MissingRow, ScoreRow, StatedAverage
from xharness.gaps.suites import Benchmark
from xharness.leaderboard import columns
from xharness.leaderboard.text import parameters, points, with_interval
from xharness.phrases import html_table
from xharness.plugin.catalogue import Catalogue
from xharness.spec import study
from xharness.spec.languages import name_of
from xharness.spec.study import Study

STUDY, SCORES = "study.yaml", "scores.jsonl"
EVIDENCE = evidence.FILE
CardName = Callable[[str], str | None]
"""A task's name or alias to the name of its card; None where no card is meant."""
T = TypeVar("T")


class ModelParameters(NamedTuple):
    """How large a model is; None where nobody said."""

    total: int | None
    non_embedding: int | None


UNKNOWN_SIZE = ModelParameters(None, None)


@dataclass(frozen=True)
class Board:
    """Everything a page is made of."""

    study: Study
    rows: tuple[CellRow, ...]
    gaps: Gaps
    stated_averages: tuple[StatedAverage, ...] = ()
    """Averages that publications state; the gaps know nothing of them."""
    benchmarks: tuple[Benchmark, ...] = ()
    """The suites whose scores are shown where they are complete."""

    @cached_property
    def _values(self) -> dict[str, Any]:
        return {}

    # The page, its data, the Markdown and the terminal all ask for the same summary and figures.
    def once(self, name: str, make: Callable[[Board], T]) -> T:
        """What `make` gives for this board, made when it is first asked for under this name."""
        if name not in self._values:
            self._values[name] = make(self)
        value: T = self._values[name]
        return value

    @cached_property
    def scores(self) -> tuple[ScoreRow, ...]:
        """The rows that have a number."""
        return tuple(row for row in self.rows if isinstance(row, ScoreRow))

    @cached_property
    def arms(self) -> tuple[ArmName, ...]:
        """Models and strategies in the study's order; others after them, by name."""
        models = _ordered(
            (entry.name for entry in self.study.models), (row.model for row in self.rows)
        )
        study_strategies = (entry.name for entry in self.study.strategies)
        strategies = _ordered(study_strategies, (row.strategy for row in self.rows))
        row_arms = {ArmName(row.model, row.strategy) for row in self.rows}
        return tuple(
            arm
            for model in models
            for strategy in strategies
            if (arm := ArmName(model, strategy)) in row_arms
        )

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the study's order; members of groups after them, by name."""
        row_tasks = {task_gap.task for task_gap in self.gaps.tasks}
        study_tasks = [target.task for target in self.study.targets if target.task in row_tasks]
        return tuple(_ordered(study_tasks, row_tasks))

    @cached_property
    def strategies(self) -> tuple[str, ...]:
        """The strategies of all arms, in the study's order."""
        return tuple(dict.fromkeys(strategy for _, strategy in self.arms))

    @cached_property
    def arms_with_gap(self) -> tuple[ArmName, ...]:
        """The arms of the first pool that have a gap: their numbers may stand in one picture."""
        with_gap = {task_gap.arm for task_gap in self.gaps.tasks if task_gap.gap is not None}
        return tuple(arm for arm in self.pool_arms if arm in with_gap)

    @cached_property
    def scored_arms(self) -> set[ArmName]:
        """The arms that have a number, measured or published."""
        return {ArmName(row.model, row.strategy) for row in self.scores}

    @cached_property
    def families(self) -> dict[str, str]:
        """Model to the family it belongs to, where the rows say one."""
        return {row.model: row.family for row in self.scores if row.family is not None}

    @cached_property
    def source_name(self) -> str:
        """What the language that gaps are measured from is called."""
        codes = {row.source_language for row in self.scores if row.source_language is not None}
        return name_of(codes.pop()) if len(codes) == 1 else "source language"

    @cached_property
    def sizes(self) -> dict[str, ModelParameters]:
        """Model to its parameters, where the rows say them."""
        sizes: dict[str, ModelParameters] = {}
        for row in self.scores:
            if sizes.get(row.model, UNKNOWN_SIZE) == UNKNOWN_SIZE:
                sizes[row.model] = ModelParameters(row.parameters, row.non_embedding_parameters)
        return sizes

    def size_of(self, model: str) -> ModelParameters:
        """The model's parameters; None for both where no row says them."""
        return self.sizes.get(model, UNKNOWN_SIZE)

    @cached_property
    def task_gaps(self) -> dict[tuple[ArmName, str], TaskGap]:
        """Arm and task to what was measured there; a board of a hundred models asks often."""
        return {(task_gap.arm, task_gap.task): task_gap for task_gap in self.gaps.tasks}

    @cached_property
    def changes(self) -> dict[tuple[ArmName, str | None], Change]:
        """Arm and task, None for the average, to the change against the baseline."""
        every_change = (*self.gaps.changes, *self.gaps.average_changes)
        # Backwards, so that of an arm in several pools the change in the first one stays.
        return {(change.arm, change.task): change for change in reversed(every_change)}

    @cached_property
    def averages(self) -> dict[ArmName, Average]:
        """Arm to its average over the tasks of its first pool."""
        # As above: the average in the first pool stays.
        return {average.arm: average for average in reversed(self.gaps.averages)}

    @cached_property
    def pool(self) -> TaskPool | None:
        """The pool that headlines and words are of: the largest of measured numbers."""
        return next(iter(self.gaps.pools), None)

    @cached_property
    def pool_arms(self) -> tuple[ArmName, ...]:
        """The first pool's arms, in the board's order."""
        members = set(self.pool.arms) if self.pool is not None else set()
        return tuple(arm for arm in self.arms if arm in members)

    def overview(self) -> list[dict[str, str]]:
        """One row an arm: sizes, scores, gap, and what changes against the baseline."""
        return [self._overview_row(arm) for arm in self.arms]

    def _overview_row(self, arm: ArmName) -> dict[str, str]:
        average, change = self.averages.get(arm), self.changes.get((arm, None))
        size = self.size_of(arm.model)
        gap = average.gap if average else None
        return {
            columns.MODEL: arm.model,
            columns.PARAMETERS: parameters(size.total),
            columns.NON_EMBEDDING: parameters(size.non_embedding),
            columns.STRATEGY: arm.strategy,
            "tasks": str(len(average.tasks)) if average else "0",
            self.source_name: _points(average.source if average else None),
            columns.OTHERS: _points(average.others if average else None),
            columns.GAP: "undefined" if gap is None else with_interval(gap),
            columns.CHANGE_OF_GAP: _signed(change.gap if change else None),
            columns.CHANGE_OF_OTHERS: _signed(change.others if change else None),
            columns.READS_AS: (change.reads_as if change else "") or "—",
        }

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return html_table(self.overview(), self.study.title or self.study.name)

    def on(self, task: str) -> dict[ArmName, TaskGap]:
        """The arms that rows speak of on this task; a publication is silent on most."""
        return {
            arm: self.task_gaps[arm, task] for arm in self.arms if (arm, task) in self.task_gaps
        }

    @cached_property
    def publications(self) -> dict[tuple[str, str, str], tuple[str, ...]]:
        """Model, strategy and task to what must be said of its published rows: their sources."""
        sources: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
        for row in self.scores:
            if is_published(row):
                source = f"published: {row.source or 'no source given'}"
                sources[row.model, row.strategy, row.task][source] = None
        return {cell: tuple(source) for cell, source in sources.items()}


def _points(estimate: Estimate | None) -> str:
    return "—" if estimate is None else points(estimate.value)


def _signed(estimate: Estimate | None) -> str:
    return "—" if estimate is None else with_interval(estimate, change=True)


def assemble(
    study: Study,
    rows: Iterable[scores.Row],
    evidence: Evidence,
    metrics: Metrics,
    benchmarks: Iterable[Benchmark] = (),
) -> Board:
    """A board of these rows; what the study asks for and no row speaks of is marked as not run.

    Raises:
        ConfigurationError: as `xharness.gaps.measure`.
    """
    all_rows = tuple(rows)
    cell_rows = tuple(row for row in all_rows if not isinstance(row, StatedAverage))
    stated_averages = tuple(row for row in all_rows if isinstance(row, StatedAverage))
    complete = (
        *cell_rows,
        *_not_run(study, cell_rows, {average.model for average in stated_averages}),
    )
    gaps = measure(
        complete,
        evidence,
        metrics,
        baseline=_baseline(study),
        source_score_from=study.source_score_from,
    )
    return Board(study, complete, gaps, stated_averages, tuple(benchmarks))


def read(
    folder: Path,
    metrics: Metrics,
    benchmarks: Iterable[Benchmark] = (),
    card_name: CardName | None = None,
) -> Board:
    """The board of a folder with `study.yaml`, `scores.jsonl` and, for intervals over items,
    `evidence.parquet`; `card_name` knows the tasks that the study calls by an alias.

    Raises:
        ConfigurationError: a file that is missing, broken, or contradicts another.
    """
    question, _ = study.load(folder / STUDY)
    if card_name is not None:
        question = question.in_names_of_cards(card_name)
    if not (folder / SCORES).is_file():
        hint = f"run it first: xharness run {folder / STUDY}"
        raise ConfigurationError("there are no scores", where=str(folder / SCORES), hint=hint)
    path = folder / EVIDENCE
    items = evidence.read(path) if path.is_file() else {}
    return assemble(question, scores.read(folder / SCORES), items, metrics, benchmarks)


def cells_of(folder: Path) -> tuple[CellRow, ...]:
    """The rows of a folder that stand for cells: scores, and what is missing.

    Raises:
        ConfigurationError: file and line of a row that is broken.
    """
    return tuple(row for row in scores.read(folder / SCORES) if not isinstance(row, StatedAverage))


class Definitions(NamedTuple):
    """What boards are made with beside their own files, in the order that `read` takes it."""

    metrics: Metrics
    benchmarks: tuple[Benchmark, ...]
    card_name: CardName


def definitions_of(catalogue: Catalogue) -> Definitions:
    """Everything that a catalogue knows for boards."""
    return Definitions(
        metrics_of(catalogue), benchmarks_of(catalogue), catalogue.card_files.card_name
    )


def metrics_of(catalogue: Catalogue) -> Metrics:
    """Every task type's metrics, as `assemble` and `read` want them."""
    return {name: catalogue.task_types[name].metrics for name in catalogue.task_types}


def benchmarks_of(catalogue: Catalogue) -> tuple[Benchmark, ...]:
    """The groups that have a suite score, as `assemble` and `read` want them.

    One that names an unknown card is left out: whoever asks for it by name is told.
    """
    benchmarks = []
    for name in catalogue.groups:
        with suppress(ConfigurationError):
            suite = catalogue.groups[name]
            if suite.families:
                benchmarks.append(Benchmark.of(name, suite, catalogue.card))
    return tuple(benchmarks)


def _baseline(study: Study) -> str:
    """The strategy that changes are counted from: the one named `single`, else one that uses it."""
    names = [
        strategy.name
        for strategy in study.strategies
        if "single" in (strategy.name, strategy.strategy)
    ]
    return "single" if "single" in names or not names else names[0]


def _not_run(study: Study, rows: Sequence[CellRow], averaged: set[str]) -> list[MissingRow]:
    """What the study asks for and no row speaks of; nobody runs what others published."""
    scored_cells = {(row.model, row.strategy, row.task, row.seed) for row in rows}
    published = averaged | {row.model for row in rows if is_published(row)}
    # A model that others published may be measured here too: then the study's arms of it are to
    # run.
    published -= {row.model for row in rows if not is_published(row)}
    return [
        MissingRow(model=model.name, strategy=strategy.name, seed=seed, task=task, reason="not run")
        for task in sorted({row.task for row in rows})
        for model, strategy in study.arms
        for seed in study.seeds_of(strategy)
        if model.name not in published
        and not scored_cells
        # A row that names no seed speaks for all of them.
        & {(model.name, strategy.name, task, seed), (model.name, strategy.name, task, None)}
    ]


def is_published(row: CellRow) -> bool:
    """Whether somebody else measured it."""
    return isinstance(row, ScoreRow) and row.provenance == "published"


def _ordered(first: Iterable[str], names: Iterable[str]) -> list[str]:
    leading = list(dict.fromkeys(first))
    return [*leading, *sorted(set(names) - set(leading))]
