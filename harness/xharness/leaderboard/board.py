"""A board: the question (a study), its rows, and the gaps measured from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xharness import scores, study
from xharness.catalogue import Catalogue
from xharness.errors import ConfigurationError
from xharness.gaps import Arm, Evidence, Gaps, Metrics, evidence, measure
from xharness.languages import name_of
from xharness.scores import Missing, Score
from xharness.study import Study

STUDY, SCORES = "study.yaml", "scores.jsonl"
EVIDENCE = evidence.FILE
Row = Score | Missing


@dataclass(frozen=True)
class Board:
    """Everything a page is made of."""

    study: Study
    rows: tuple[Row, ...]
    gaps: Gaps

    @cached_property
    def scores(self) -> tuple[Score, ...]:
        """The rows that have a number."""
        return tuple(row for row in self.rows if isinstance(row, Score))

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """Models and strategies in the study's order; others after them, by name."""
        models = _ordered((one.name for one in self.study.models), (row.model for row in self.rows))
        known = (one.name for one in self.study.strategies)
        strategies = _ordered(known, (row.strategy for row in self.rows))
        found = {(row.model, row.strategy) for row in self.rows}
        return tuple(
            (model, strategy)
            for model in models
            for strategy in strategies
            if (model, strategy) in found
        )

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the study's order; members of groups after them, by name."""
        found = {row.task for row in self.rows}
        named = [one.task for one in self.study.targets if one.task in found]
        return tuple(_ordered(named, found))

    @cached_property
    def source(self) -> str:
        """What the language that gaps are measured from is called."""
        found = {row.source_language for row in self.scores if row.source_language is not None}
        return name_of(found.pop()) if len(found) == 1 else "source language"

    @cached_property
    def sizes(self) -> dict[str, tuple[int | None, int | None]]:
        """Model to its total and its non-embedding parameters, where the rows say them."""
        found: dict[str, tuple[int | None, int | None]] = {}
        for row in self.scores:
            total, body = row.parameters, row.non_embedding_parameters
            if row.model not in found or found[row.model] == (None, None):
                found[row.model] = (total, body)
        return found


def assemble(study: Study, rows: Iterable[Row], evidence: Evidence, metrics: Metrics) -> Board:
    """A board of these rows; what the study asks for and no row speaks of is marked as not run.

    Raises:
        ConfigurationError: as `xharness.gaps.measure`.
    """
    complete = (*(known := tuple(rows)), *_not_run(study, known))
    return Board(study, complete, measure(complete, evidence, metrics, baseline=_baseline(study)))


def read(folder: Path, metrics: Metrics) -> Board:
    """The board of a folder with `study.yaml`, `scores.jsonl` and, for intervals over items,
    `evidence.parquet`.

    Raises:
        ConfigurationError: a file that is missing, broken, or contradicts another.
    """
    question, _ = study.load(folder / STUDY)
    if not (folder / SCORES).is_file():
        hint = f"run it first: xharness run {folder / STUDY}"
        raise ConfigurationError("there are no scores", where=str(folder / SCORES), hint=hint)
    path = folder / EVIDENCE
    items = evidence.read(path) if path.is_file() else {}
    return assemble(question, scores.read(folder / SCORES), items, metrics)


def metrics_of(catalogue: Catalogue) -> Metrics:
    """Every kind's metrics, as `assemble` and `read` want them."""
    return {name: catalogue.kinds[name].metrics for name in catalogue.kinds}


def _baseline(study: Study) -> str:
    """The strategy that changes are counted from: the one named `single`, else one that uses it."""
    names = [one.name for one in study.strategies if "single" in (one.name, one.use)]
    return "single" if "single" in names or not names else names[0]


def _not_run(study: Study, rows: Sequence[Row]) -> list[Missing]:
    spoken = {(row.model, row.strategy, row.task, row.seed) for row in rows}
    return [
        Missing(model=model.name, strategy=one.name, seed=seed, task=task, reason="not run")
        for task in sorted({row.task for row in rows})
        for model in study.models
        for one in study.strategies
        for seed in study.seeds
        if not spoken & {(model.name, one.name, task, seed), (model.name, one.name, task, None)}
    ]


def _ordered(first: Iterable[str], others: Iterable[str]) -> list[str]:
    known = list(dict.fromkeys(first))
    return [*known, *sorted(set(others) - set(known))]
