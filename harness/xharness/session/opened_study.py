"""A study with all that carrying it out takes: catalogue, data, store, and the plan over them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.gaps.scores import MissingRow
from xharness.leaderboard.board import STUDY
from xharness.phrases import counted, listed
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.planning.targets import targets_in_languages
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue, validated
from xharness.session.catalogue import warn_of_broken
from xharness.session.options import RunOptions
from xharness.spec.documents import Document
from xharness.spec.languages import check_selector
from xharness.spec.models import ModelSpec
from xharness.spec.study import ExecutorSpec, Study, TargetSpec
from xharness.spec.study_document import StudyDocument
from xharness.store import Store

_TASK, _LANGUAGE = "<task>", "<language>"
"""What stands in a reason for what differs between the rows that share it."""
_TASKS = 7  # that a row names: more would fold a table's cell over many lines
_HINTS = 3  # that are shown: thirty data sets without a network have thirty of one kind
DEMO = Path(__file__).parents[1] / "spec" / "demo.yaml"


@dataclass
class OpenedStudy:
    """A study as it is asked, options included; reading data and planning wait until needed."""

    options: RunOptions
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
        # A folder with `study.yaml` is a board's own; any other file may have neighbours.
        return file.parent if file.name == STUDY else file.with_suffix("")

    def missing(self) -> list[dict[str, Any]]:
        """One row a reason: for which tasks, languages and arms the study gets no score."""
        return _condensed(self.plan, self.plan.missing)

    def hints(self) -> list[str]:
        """What would help against what is missing; of many, the first few and their number."""
        hints = [f"{task}: {hint}" for hint, task in self.plan.hints.items()]
        more = len(hints) - _HINTS
        return hints[:_HINTS] + ([f"… and {counted(more, 'more hint')}"] if more > 0 else [])


def _condensed(plan: Plan, missing: Iterable[MissingRow]) -> list[dict[str, Any]]:
    """One row for each reason: for which tasks and languages, for how many of the arms."""
    study = plan.study
    run_count = sum(len(study.seeds_of(strategy)) for _, strategy in study.arms)
    groups: dict[str, list[MissingRow]] = defaultdict(list)
    for row in missing:
        groups[_common_reason(row)].append(row)
    return [
        {
            "task": listed((row.task for row in rows), limit=_TASKS),
            "languages": list(dict.fromkeys(row.language or "all" for row in rows)),
            "arms": _arm_names({(row.model, row.strategy, row.seed) for row in rows}, run_count),
            "reason": _filled(reason, rows),
        }
        for reason, rows in groups.items()
    ]


def _common_reason(row: MissingRow) -> str:
    """The reason without what differs from task to task and from language to language."""
    reason = re.sub(rf"\b{re.escape(row.task)}\b", _TASK, row.reason)
    return re.sub(rf"\b{re.escape(row.language)}\b", _LANGUAGE, reason) if row.language else reason


def _filled(reason: str, rows: Sequence[MissingRow]) -> str:
    """The common reason with what all rows share in it after all."""
    for mark, names in (
        (_TASK, {row.task for row in rows}),
        (_LANGUAGE, {row.language or "" for row in rows}),
    ):
        if len(names) == 1:
            reason = reason.replace(mark, names.pop())
    return reason


def _arm_names(arms: set[tuple[str, str, int | None]], run_count: int) -> str:
    """Few by name, many by number."""
    names = sorted({f"{model} · {strategy}" for model, strategy, _ in arms})
    if len(arms) == run_count:
        return "all"
    return listed(names) if len(names) < 3 else f"{len(arms)} of {run_count}"


def overridden(study: Study, options: RunOptions, catalogue: Catalogue) -> Study:
    """The study with the options in place of its own values; limits never raise its own.

    Raises:
        ConfigurationError: a language that no target has.
    """
    changes: dict[str, Any] = {}
    if options.seeds:
        changes["seeds"] = options.seeds
    runtime = {
        "device": options.device,
        "deterministic": options.deterministic or None,
        "trackers": options.trackers or None,
        "executor": _executor(study.runtime.executor, options),
    }
    runtime_changes = {name: value for name, value in runtime.items() if value is not None}
    if runtime_changes:
        changes["runtime"] = study.runtime.model_copy(update=runtime_changes)
    if options.languages:
        # First, because groups are spelt out for it; split and limit then go over what it left.
        changes["targets"] = _narrowed(study, options.languages, catalogue)
    if options.split is not None or options.limit is not None:
        targets = changes.get("targets", study.targets)
        changes["targets"] = tuple(_cut(spec, options) for spec in targets)
    if options.limit is not None:
        # Limits cut what is trained on too, or a trial run would take as long as the study.
        changes["train_limit"] = _least(study.train_limit, options.limit)
        changes["models"] = tuple(_limited(model, options.limit) for model in study.models)
    return study.model_copy(update=changes)


def _executor(spec: ExecutorSpec, options: RunOptions) -> ExecutorSpec | None:
    """The executor that the options name; what the study says of it stays, of another it goes."""
    if options.executor is None and options.address is None:
        return None
    name = options.executor or spec.name
    values = dict(spec.executor_options) if name == spec.name else {}
    if options.address is not None:
        values["address"] = options.address
    changed: ExecutorSpec = validated(ExecutorSpec, {"name": name, **values}, "--executor")
    return changed


def _narrowed(
    study: Study, languages: tuple[str, ...], catalogue: Catalogue
) -> tuple[TargetSpec, ...]:
    try:
        for word in languages:
            check_selector(word)
        return targets_in_languages(study, languages, catalogue)
    except ValueError as error:
        raise ConfigurationError(str(error), where="--languages") from None
    except ConfigurationError as error:
        raise ConfigurationError(
            error.what, where=error.where or "--languages", hint=error.hint
        ) from None


def _cut(spec: TargetSpec, options: RunOptions) -> TargetSpec:
    changes: dict[str, Any] = {"limit": _least(spec.limit, options.limit)}
    if options.split is not None:
        changes["split"] = options.split
    return spec.model_copy(update=changes)


def _limited(model: ModelSpec, limit: int) -> ModelSpec:
    if model.pretrain is None:
        return model
    pretrain = model.pretrain.model_copy(update={"limit": _least(model.pretrain.limit, limit)})
    return model.model_copy(update={"pretrain": pretrain})


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
