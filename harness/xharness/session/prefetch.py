"""What a study reads, as things that can be fetched before it runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from xharness.errors import UnavailableError, XharnessError
from xharness.executor.node_check import NodeNeeds
from xharness.plugin.api import Download
from xharness.plugin.catalogue import validated
from xharness.session.account.hypothetical import plan_without_data
from xharness.session.opened_study import OpenedStudy
from xharness.stages import DataSlice, Start


@dataclass(frozen=True)
class Resource:
    """A model, a translator, or a split of a task in one language."""

    name: str
    downloads: Callable[[], Iterable[Download]]
    """What `fetch` would bring onto this machine."""
    fetch: Callable[[], None]
    """Bring it here, and check it against what is locked and what its card says."""

    def problem(self) -> str | None:
        """Fetch it; why it is not here in full."""
        try:
            self.fetch()
        except XharnessError as error:
            return error.reason
        return None


def resources(opened: OpenedStudy) -> list[Resource]:
    """All that the study reads, each once; nothing is fetched but what planning reads of models."""
    needs = NodeNeeds.of(plan_without_data(opened).stages.values())
    return [
        *(_model(start, opened) for start in needs.models),
        *(_translator(*needed, opened) for needed in needs.translators),
        *(_data(part, opened) for part in needs.data_slices),
    ]


def download_rows(wanted_resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """A row for each data set and model that is not here, with its files and bytes."""
    files: dict[str, dict[str, int | None]] = defaultdict(dict)
    problems: dict[str, list[str]] = defaultdict(list)
    for resource in wanted_resources:
        try:
            for download in resource.downloads():
                files[download.name][download.file] = download.bytes
        except XharnessError as error:
            # By the problem: a hub that cannot be reached is one line, not one for each language.
            problems[error.what].append(resource.name)
    rows: list[dict[str, Any]] = [
        {"name": _shortened(names), "files": None, "bytes": None, "problem": problem}
        for problem, names in problems.items()
    ]
    for name, sizes in files.items():
        known_sizes = [size for size in sizes.values() if size is not None]
        # A sum of those that are known would be taken for the whole.
        count = sum(known_sizes) if len(known_sizes) == len(sizes) else None
        rows.append({"name": name, "files": len(sizes), "bytes": count, "problem": None})
    return rows


def _shortened(names: Sequence[str]) -> str:
    """Two names in full; of more the first, and how many more there are."""
    # No list as of words: names have commas of their own.
    return "; ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def _model(start: Start, opened: OpenedStudy) -> Resource:
    backend = opened.catalogue.backends[start.backend]
    values = json.loads(start.options)
    options = validated(backend.options, values, start.backend)
    return Resource(
        f"model {values.get('hub', start.backend)}",
        partial(backend.downloads, options, opened.environment),
        partial(backend.fetch, options, opened.environment),
    )


def _translator(start: Start, source: str, target: str, opened: OpenedStudy) -> Resource:
    translator = opened.catalogue.translators[start.backend]
    options = validated(translator.options, json.loads(start.options), start.backend)
    arguments = (options, source, target, opened.environment)
    return Resource(
        f"translator {start.backend}, {source} to {target}",
        partial(translator.downloads, *arguments),
        partial(translator.fetch, *arguments),
    )


def _data(part: DataSlice, opened: OpenedStudy) -> Resource:
    # Files come whole, whatever a study takes of them, and only whole they can be counted.
    whole = replace(part, limit=None, sample=None)
    return Resource(
        f"{part.card}, {part.language}, {part.split}",
        partial(opened.data.downloads, whole),
        partial(_read, whole, opened),
    )


def _read(part: DataSlice, opened: OpenedStudy) -> None:
    """Read all rows, which fetches them and holds their files to the lock; then count them."""
    stream = opened.data.stream(part)
    for _ in stream:
        pass
    if stream.count.partial:
        raise UnavailableError(f"partial data: {stream.count}")
