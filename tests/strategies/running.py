"""Runs small studies in this process, and finds their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.data.reader import DataReader
from xharness.executor import RunContext, collect
from xharness.executor.sequential import SequentialExecutor
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin import manager as plugin_loading
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Provider
from xharness.spec.study import Study
from xharness.store import Store

TINY: Mapping[str, Any] = {
    "name": "tiny",
    "scratch": {
        "architecture": "bert",
        "hidden": 48,
        "num_layers": 1,
        "heads": 2,
        "intermediate": 96,
        "dropout": 0,
        "tokenizer": {"vocabulary": 2500},
    },
    # one step: it is the tokenizer that is learnt, on English and German
    "pretrain": {
        "corpus": "mini_parallel",
        "languages": ["de"],
        "objectives": ["mlm"],
        "recipe": {"steps": 1},
    },
}
RECIPE: Mapping[str, Any] = {
    "steps": 120,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "max_length": 64,
}


@dataclass(frozen=True)
class Ran:
    """A study that was carried out."""

    plan: Plan
    work: RunContext
    rows: list[ScoreRow | MissingRow]

    def value(self, strategy: str, task: str, language: str) -> float:
        """The main score of one cell, in points."""
        (cell,) = self.cells(strategy, task, language)
        return cell.value

    def cells(self, strategy: str, task: str, language: str) -> list[ScoreRow]:
        """The rows of one cell's main metric."""
        return [
            row
            for row in self.rows
            if isinstance(row, ScoreRow)
            and row.main
            and (row.strategy, row.task, row.language) == (strategy, task, language)
        ]

    @property
    def missing(self) -> list[MissingRow]:
        return [row for row in self.rows if isinstance(row, MissingRow)]


class _Cards:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @hookimpl
    def xharness_task_cards(self) -> list[Path]:
        return [self._folder]


def run(folder: Path, *strangers: object, cards: Path | None = None, **study: Any) -> Ran:
    """Plan and run a study with its store under `folder`."""
    loaded = plugin_loading.load()
    if cards is not None:
        loaded.add(_Cards(cards), Provider("cards"))
    for stranger in strangers:
        loaded.add(stranger, Provider("stranger"))
    catalogue = Catalogue(loaded)
    # what a training learnt is looked at after the run, so nothing is swept away
    runtime = {"keep": "all"}
    values = {"name": "strategies", "models": [TINY], "recipe": RECIPE, "runtime": runtime, **study}
    study = Study.model_validate(values)
    environment = RunEnvironment(cache=folder / "cache", base=folder)
    data = DataReader(catalogue, environment)
    plan = compile_plan(PlanningContext(study, catalogue, data.data_slice, environment))
    work = RunContext(
        catalogue, data, Store(folder / "store"), environment, study.runtime, debug=True
    )
    report = SequentialExecutor().run(plan, work)
    return Ran(plan, work, collect(plan, work, report))
