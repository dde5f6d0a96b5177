"""Scores of a submission, by the very kinds and metrics that score a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from xharness.cards import TaskCard
from xharness.catalogue import Catalogue
from xharness.executor.scoring import item_statistics, value
from xharness.kinds import Metric
from xharness.submission.benchmarks import benchmark
from xharness.submission.files import File
from xharness.submission.formats import Answered, format_of
from xharness.submission.layout import Task
from xharness.submission.reading import Found, Wanted, find
from xharness.suites import Benchmark, SuiteScore, Variant, aggregate, variants


@dataclass(frozen=True)
class LanguageScore:
    """One file: how many items it has, and each metric of the card in points."""

    items: int
    points: Mapping[str, float]


@dataclass(frozen=True)
class Scored:
    """What was scored: card to language to points."""

    benchmark: Benchmark
    tasks: Mapping[str, Task]
    languages: Mapping[str, Mapping[str, LanguageScore]]

    def suite(self, variant: Variant) -> SuiteScore:
        """The suite's score under `variant`."""
        return aggregate(
            self.benchmark,
            variant,
            {name: self._points(name, variant) for name in self.languages},
        )

    def variants(self) -> tuple[Variant, ...]:
        """The variants that differ for what was scored."""
        return variants(self.tasks[name].card.kind for name in self.languages)

    def _points(self, name: str, variant: Variant) -> dict[str, float]:
        card = self.tasks[name].card
        metric = variant.metric(card.kind, card.metrics)
        return {code: one.points[metric] for code, one in self.languages[name].items()}


def score(wanted: Wanted, suite: str, catalogue: Catalogue) -> Scored:
    """Score two folders in the official layout.

    Raises:
        ConfigurationError: an unknown name, or a file that is missing, broken, or does not fit.
    """
    found, tasks = benchmark(catalogue, suite)
    languages: dict[str, dict[str, LanguageScore]] = defaultdict(dict)
    for one in find(wanted, found, tasks):
        languages[one.task.card.name][one.language] = _score(one, catalogue)
    return Scored(found, tasks, languages)


def _score(found: Found, catalogue: Catalogue) -> LanguageScore:
    task, card = found.task, found.task.card
    labels, predictions = File.read(found.labels), File.read(found.predictions)
    answered = format_of(task).read(labels, predictions, task)
    if not answered.examples:
        raise labels.error("there are no items in this file")
    metrics = [catalogue.kinds[card.kind].metrics[name] for name in card.metrics]
    points = {one.name: points_of(one, answered, card, found.language) for one in metrics}
    return LanguageScore(len(answered.examples), points)


def points_of(metric: Metric, answered: Answered, card: TaskCard, language: str) -> float:
    """The metric of what was answered, in points."""
    some = answered.examples, answered.predictions
    return 100 * value(metric, item_statistics(metric, *some, card, language))
