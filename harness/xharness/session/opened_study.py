"""A study with all that carrying it out takes: catalogue, data, store, and the plan over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xharness.data.reader import DataReader
from xharness.gaps.scores import Missing
from xharness.leaderboard.board import STUDY
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.session.catalogue import warn_of_broken
from xharness.session.options import Options
from xharness.spec.documents import Document
from xharness.spec.study import Study
from xharness.spec.study_document import StudyDocument
from xharness.store import Store

DEMO = Path(__file__).parents[1] / "spec" / "demo.yaml"


@dataclass
class OpenedStudy:
    """A study as it is asked, options included; reading data and planning wait until needed."""

    options: Options
    study: Study
    catalogue: Catalogue
    environment: RunEnvironment
    store: Store
    document: Document

    @cached_property
    def data(self) -> DataReader:
        """What reads the data that cards name."""
        return DataReader(self.catalogue, self.environment)

    @cached_property
    def plan(self) -> Plan:
        """The graph of stages that the study compiles to; no model library is imported for it.

        Raises:
            ConfigurationError: a name or an option that cannot be right, with its line.
        """
        # First, because what is left out may be what the plan misses.
        warn_of_broken(self.catalogue.plugins)
        return compile_plan(
            PlanningContext(
                self.study,
                self.catalogue,
                self.data.data_slice,
                self.environment,
                StudyDocument(self.document),
            )
        )

    @property
    def folder(self) -> Path:
        """Where results go: where the options say, else beside the study's file.

        A changed question, and the demo's, must not overwrite a board that somebody committed.
        """
        if self.options.output is not None:
            return self.options.output
        file = self.options.study
        if file is None or self.options.changes_question:
            return Path("runs", self.study.name)
        return file.parent if file.name == STUDY else file.with_suffix("")

    def missing(self) -> list[dict[str, Any]]:
        """One row a task and reason: in which languages and arms the study gets no score."""
        return _condensed(self.plan, self.plan.missing)


def _condensed(plan: Plan, missing: Iterable[Missing]) -> list[dict[str, Any]]:
    """One row for each task and reason: in which languages, for how many of the arms."""
    study = plan.study
    run_count = len([*study.arms]) * len(study.seeds)
    languages: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    arms: dict[tuple[str, str], set[tuple[str, str, int | None]]] = defaultdict(set)
    for row in missing:
        key = (row.task, row.reason)
        languages[key][row.language or "all"] = None
        arms[key].add((row.model, row.strategy, row.seed))
    return [
        {
            "task": task,
            "languages": list(languages[task, reason]),
            "arms": _arm_names(reason_arms, run_count),
            "reason": reason,
        }
        for (task, reason), reason_arms in arms.items()
    ]


def _arm_names(arms: set[tuple[str, str, int | None]], run_count: int) -> str:
    """Few by name, many by number."""
    names = sorted({f"{model} · {strategy}" for model, strategy, _ in arms})
    if len(arms) == run_count:
        return "all"
    return ", ".join(names) if len(names) < 3 else f"{len(arms)} of {run_count}"
