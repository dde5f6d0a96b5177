"""The suites of the catalogue that have an official score, with their tasks."""

from __future__ import annotations

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps.suites import Benchmark
from xharness.plugin.catalogue import Catalogue
from xharness.submission.layout import SuiteTask


def load_benchmark(catalogue: Catalogue, name: str) -> tuple[Benchmark, dict[str, SuiteTask]]:
    """The suite `name`, and its tasks by card.

    Raises:
        ConfigurationError: no such group, or one without families, which has no suite score.
    """
    name = catalogue.task_name(name) or name
    if name not in catalogue.groups.offers or not catalogue.groups[name].families:
        exists = name in catalogue.groups.offers
        problem = (
            f"the group '{name}' has no suite score" if exists else f"there is no suite '{name}'"
        )
        raise ConfigurationError(
            problem, where="--suite", hint=suggestion(name, _suites(catalogue))
        )
    suite_benchmark = Benchmark.of(name, catalogue.groups[name], catalogue.card)
    return suite_benchmark, {
        task: SuiteTask(catalogue.card(task)) for task in suite_benchmark.tasks
    }


def _suites(catalogue: Catalogue) -> list[str]:
    """The groups that have families, whether or not their cards are there."""
    # Without the cards: a suite must be suggested even where one of its cards is broken.
    offers = (
        (name, suite)
        for name, providers in catalogue.groups.offers.items()
        for _, suite in providers
    )
    return [name for name, suite in offers if suite.families]
