"""The contracts of sources, task types, translators, strategies and executors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from xharness.errors import UnavailableError
from xharness.plugin.api.executor import Executor
from xharness.plugin.api.source import RunEnvironment, Source, SourceRequest
from xharness.plugin.api.strategy import Strategy
from xharness.plugin.api.translator import Translator
from xharness.plugin.catalogue import validated
from xharness.plugin.hookspecs import hookimpl
from xharness.session.catalogue import open_catalogue
from xharness.session.session import Session, open_study
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.task_types.base import Example, Prediction, Row, TaskType

_STUDY = {
    "name": "contract",
    "models": [{"name": "floor", "backend": "majority"}],
    "targets": [
        # A label, and a list of labels: what is mixed up on the way shows in one of both.
        {"task": "mini_topic", "languages": ["en", "de"], "limit": 5},
        {"task": "mini_ner", "languages": ["en", "de"], "limit": 5},
    ],
    "seeds": [1, 2],
    "train_limit": 20,
}
"""Two tasks of the built-in data and a floor in place of a model: seconds, and no download."""


class SourceContract:
    """Inherit, name the source with options and a language that it has."""

    source: ClassVar[Source]
    options: ClassVar[Mapping[str, Any]] = {}
    language: ClassVar[str] = "en"
    split: ClassVar[str] = "train"
    """What the source itself calls the split."""

    def test_the_data_is_identified_by_its_content(self, tmp_path: Path) -> None:
        fingerprints = [self.source.fingerprint(self._request(tmp_path)) for _ in range(2)]
        assert fingerprints[0], "`fingerprint` is empty: other data would share the results"
        assert fingerprints[0] == fingerprints[1], "`fingerprint` must not change between calls"

    def test_rows_can_be_read_again(self, tmp_path: Path) -> None:
        # Copied while they are read: a source may hand out one mapping over and over.
        readings = [[dict(row) for row in self._rows(tmp_path)] for _ in range(2)]
        assert readings[0], "`rows` gives nothing for this language and split"
        assert readings[0] == readings[1], "`rows` must give the same rows in the same order"

    def test_a_split_that_is_not_there_is_unavailable(self, tmp_path: Path) -> None:
        request = self._request(tmp_path, split="a split that no data has")
        with pytest.raises(UnavailableError):
            self.source.fingerprint(request)

    def _rows(self, folder: Path) -> Iterable[Row]:
        return self.source.rows(self._request(folder))

    def _request(self, folder: Path, split: str | None = None) -> SourceRequest:
        options = validated(self.source.options, dict(self.options), "the contract's options")
        environment = RunEnvironment(cache=folder / "cache", base=folder, offline=True)
        return SourceRequest(options, self.language, split or self.split, environment)


class TaskTypeContract:
    """Inherit, name the task type, a card of it, some rows, and a prediction right for each."""

    task_type: ClassVar[TaskType]
    card: ClassVar[Mapping[str, Any]]
    rows: ClassVar[Sequence[Row]]
    right: ClassVar[Sequence[Prediction]]

    def test_every_example_has_an_id_of_its_own(self) -> None:
        ids = {example.id for example in self._examples()}
        assert len(ids) == len(self.rows), "`example` must keep the id that it is given"

    def test_right_predictions_score_best(self) -> None:
        for name, metric in self.task_type.metrics.items():
            statistics = [
                metric.item(example, prediction, self._card(), "en")
                for example, prediction in zip(self._examples(), self.right, strict=True)
            ]
            assert all(len(item) == len(metric.statistics) for item in statistics), (
                f"{name}: `item` must give a number for each of {metric.statistics}"
            )
            score = float(metric.value(np.array(statistics, dtype=float).sum(axis=0)))
            best = 0.0 if metric.lower_is_better else 1.0
            assert score == best, f"{name}: {score} for right predictions, not {best}"

    def test_a_metric_scores_many_sums_at_once(self) -> None:
        for name, metric in self.task_type.metrics.items():
            sums = np.ones((3, 2, len(metric.statistics)))
            shape = np.shape(metric.value(sums))
            assert shape == (3, 2), f"{name}: `value` turns (..., statistics) into (...)"

    def test_texts_can_be_replaced(self) -> None:
        if not self.task_type.translatable:
            return
        for example in self._examples():
            copy = self.task_type.with_texts(example, self.task_type.texts(example))
            assert copy == example, "`with_texts` must give back what `texts` took out"

    def _card(self) -> TaskCard:
        return TaskCard.model_validate(self.card)

    def _examples(self) -> list[Example]:
        return [
            self.task_type.example(row, str(index), self._card())
            for index, row in enumerate(self.rows)
        ]


class TranslatorContract:
    """Inherit, name the translator, its options and a pair of languages that it has."""

    translator: ClassVar[Translator]
    options: ClassVar[Mapping[str, Any]] = {}
    languages: ClassVar[tuple[str, str]] = ("en", "de")
    texts: ClassVar[Sequence[str]] = ("a red stone", "two birds", "a red stone")

    def test_it_is_identified_by_its_content(self, tmp_path: Path) -> None:
        arguments = (self._options(), *self.languages, self._environment(tmp_path))
        fingerprints = [self.translator.fingerprint(*arguments) for _ in range(2)]
        assert fingerprints[0], "`fingerprint` is empty: two translators would share their texts"
        assert fingerprints[0] == fingerprints[1], "`fingerprint` must not change between calls"

    def test_a_translation_depends_on_its_text_alone(self, tmp_path: Path) -> None:
        translate = self.translator.open(
            self._options(), *self.languages, self._environment(tmp_path), None
        )
        together = [*translate(self.texts)]
        assert len(together) == len(self.texts), "one translation for each text, in order"
        singly = [translation for text in self.texts for translation in translate([text])]
        assert singly == together, "a translation must not depend on the texts next to it"

    def _options(self) -> Any:
        return validated(self.translator.options, dict(self.options), "the contract's options")

    def _environment(self, folder: Path) -> RunEnvironment:
        return RunEnvironment(cache=folder / "cache", base=folder, offline=True)


class _Offers:
    """A plugin that offers a strategy or an executor."""

    def __init__(
        self, strategies: Sequence[Strategy] = (), executors: Sequence[Executor] = ()
    ) -> None:
        self._strategies, self._executors = strategies, executors

    @hookimpl
    def xharness_strategies(self) -> Sequence[Strategy]:
        return self._strategies

    @hookimpl
    def xharness_executors(self) -> Sequence[Executor]:
        return self._executors


def _open(folder: Path, *, plugins: Sequence[object], strategy: object, executor: str) -> Session:
    folder.mkdir()
    study = folder / "study.yaml"
    study.write_text(documents.dump({**_STUDY, "strategies": [strategy]}), encoding="utf-8")
    return open_study(study, store=folder / "store", plugins=plugins, executor=executor)


class StrategyContract:
    """Inherit, name the strategy and what a study may write about it."""

    strategy: ClassVar[Strategy]
    options: ClassVar[Mapping[str, Any]] = {}

    def test_planning_again_gives_the_same_stages(self, tmp_path: Path) -> None:
        plans = [self._session(tmp_path / name).plan for name in ("first", "second")]
        assert plans[0].arms, f"nothing can be run: {[row.reason for row in plans[0].missing]}"
        assert [*plans[0].stages] == [*plans[1].stages], (
            "`route` must be a pure function: the same route gives the same stages"
        )

    def test_it_runs_to_scores(self, tmp_path: Path) -> None:
        session = self._session(tmp_path / "run")
        board = session.run()
        assert session.exit_code == 0, f"a stage failed: {session.report}"
        assert {score.task for score in board.scores} == {"mini_topic", "mini_ner"}

    def _session(self, folder: Path) -> Session:
        name = self.strategy.name
        # Where its package is installed the strategy is there already, and once is enough.
        is_installed = name in open_catalogue().strategies.offers
        plugins = [] if is_installed else [_Offers(strategies=[self.strategy])]
        strategy = {name: dict(self.options)} if self.options else name
        return _open(folder, plugins=plugins, strategy=strategy, executor="sequential")


class ExecutorContract:
    """Inherit and name the executor."""

    executor: ClassVar[Executor]

    def test_scores_are_those_of_the_sequential_executor(self, tmp_path: Path) -> None:
        boards = [
            self._session(tmp_path / str(number), name).run()
            for number, name in enumerate(("sequential", self.executor.name))
        ]
        assert boards[0].rows == boards[1].rows, "the same stages must give the same scores"

    def test_what_is_stored_is_reused(self, tmp_path: Path) -> None:
        session = self._session(tmp_path / "run", self.executor.name)
        session.run()
        # Else the second run could reuse nothing, and the rest of the test would say nothing.
        assert session.report is not None and session.report.count("ran") > 0
        session.run()
        assert session.report.count("ran") == 0, "a second run must carry out nothing again"
        assert session.report.count("reused") == len(session.plan.stages), (
            "the report must have an outcome for every stage of the plan"
        )

    def _session(self, folder: Path, executor: str) -> Session:
        is_installed = self.executor.name in open_catalogue().executors.offers
        plugins = [] if is_installed else [_Offers(executors=[self.executor])]
        return _open(folder, plugins=plugins, strategy="single", executor=executor)
