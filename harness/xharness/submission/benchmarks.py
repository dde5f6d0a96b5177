"""The suites of the catalogue that have an official score, with their tasks."""

from __future__ import annotations

from xharness.catalogue import Catalogue
from xharness.errors import ConfigurationError, suggestion
from xharness.submission.layout import Task
from xharness.suites import Benchmark


def benchmark(catalogue: Catalogue, name: str) -> tuple[Benchmark, dict[str, Task]]:
    """The suite `name`, and its tasks by card.

    Raises:
        ConfigurationError: no such group, or one without families, which has no suite score.
    """
    if name not in catalogue.groups.offers or not catalogue.groups[name].families:
        known = name in catalogue.groups.offers
        what = f"the group '{name}' has no suite score" if known else f"there is no suite '{name}'"
        raise ConfigurationError(what, where="--suite", hint=suggestion(name, _suites(catalogue)))
    found = Benchmark.of(name, catalogue.groups[name], catalogue.card)
    return found, {task: Task(catalogue.card(task)) for task in found.tasks}


def _suites(catalogue: Catalogue) -> list[str]:
    """The groups that have families, whether or not their cards are there."""
    offers = ((name, suite) for name, some in catalogue.groups.offers.items() for _, suite in some)
    return [name for name, suite in offers if suite.families]
