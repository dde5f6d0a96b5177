"""Scores of a submission, by the very task types and metrics that score a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from xharness.gaps.suites import Benchmark, SuiteScore, Variant, aggregate, variants
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.submission.benchmarks import load_benchmark
from xharness.submission.file_pairs import FilePair, ScoringRequest, find_pairs, unnamed_folders
from xharness.submission.files import SubmissionFile
from xharness.submission.formats import AnsweredItems, format_of
from xharness.submission.layout import SuiteTask
from xharness.task_types.base import Metric
from xharness.task_types.scoring import item_statistics, value


@dataclass(frozen=True)
class LanguageScore:
    """One file: how many items it has, and each metric of the card in points."""

    items: int
    points: Mapping[str, float]


@dataclass(frozen=True)
class SubmissionScores:
    """What was scored: card to language to points."""

    benchmark: Benchmark
    tasks: Mapping[str, SuiteTask]
    languages: Mapping[str, Mapping[str, LanguageScore]]
    unnamed_folders: tuple[str, ...] = ()
    """Folders of predictions that belong to no task of the suite."""

    def suite(self, variant: Variant) -> SuiteScore:
        """The suite's score under `variant`."""
        return aggregate(
            self.benchmark,
            variant,
            {name: self._points(name, variant) for name in self.languages},
        )

    def variants(self) -> tuple[Variant, ...]:
        """The variants that differ for what was scored."""
        return variants(self.tasks[name].card.task_type for name in self.languages)

    def _points(self, name: str, variant: Variant) -> dict[str, float]:
        card = self.tasks[name].card
        metric = variant.metric(card.task_type, card.metrics)
        return {
            code: language_score.points[metric]
            for code, language_score in self.languages[name].items()
        }


def score(request: ScoringRequest, suite: str, catalogue: Catalogue) -> SubmissionScores:
    """Score two folders in the official layout.

    Raises:
        ConfigurationError: an unknown name, or a file that is missing, broken, or does not fit.
    """
    benchmark, tasks = load_benchmark(catalogue, suite)
    languages: dict[str, dict[str, LanguageScore]] = defaultdict(dict)
    for pair in find_pairs(request, benchmark, tasks):
        languages[pair.task.card.name][pair.language] = _score(pair, catalogue)
    return SubmissionScores(benchmark, tasks, languages, tuple(unnamed_folders(request, tasks)))


def _score(pair: FilePair, catalogue: Catalogue) -> LanguageScore:
    task, card = pair.task, pair.task.card
    labels, predictions = SubmissionFile.read(pair.labels), SubmissionFile.read(pair.predictions)
    items = format_of(task).read(labels, predictions, task)
    # Two empty files agree with each other, and have no score.
    if not items.examples:
        raise labels.error("there are no items in this file")
    # All of the card's: which of them counts differs with the variant.
    metrics = [catalogue.task_types[card.task_type].metrics[name] for name in card.metrics]
    points = {metric.name: points_of(metric, items, card, pair.language) for metric in metrics}
    return LanguageScore(len(items.examples), points)


def points_of(metric: Metric, items: AnsweredItems, card: TaskCard, language: str) -> float:
    """The metric of what was answered, in points."""
    examples_and_predictions = items.examples, items.predictions
    return 100 * value(metric, item_statistics(metric, *examples_and_predictions, card, language))
