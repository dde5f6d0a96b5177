"""the project's cards against the public data: every language and split that is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from xharness.errors import UnavailableError
from xharness.plugin.api import RunEnvironment, Source, SourceRequest
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.examination import validate
from xharness.spec.sources import SourceSpec, Split
from xharness.task_types import BUILTIN
from xharness_hub.plugin import xharness_sources

FOLDER = Path(__file__).parents[2] / "task_cards"
FILES = sorted(path for path in FOLDER.glob("*/*.yaml") if path.parent.name != "mini")
SOURCES: dict[str, Source] = {source.name: source for source in xharness_sources()}
TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}


def requests(
    card: TaskCard, environment: RunEnvironment
) -> Iterator[tuple[str, str, SourceSpec, SourceRequest]]:
    """Every language and split of the card that the data root holds."""
    for language in card.languages:
        for split in get_args(Split):
            for spec in card.sources_of(language, split):
                source = SOURCES[spec.source]
                expanded = spec.expand(spec.source_options, language)
                options: Any = source.options.model_validate(expanded)
                request = SourceRequest(options, language, spec.splits[split], environment)
                try:
                    source.fingerprint(request)
                except UnavailableError:
                    continue
                yield language, split, spec, request


def counted(counts: dict[str, int], spec: SourceSpec, request: SourceRequest) -> int | None:
    """How many rows the data root says it has."""
    options = request.options
    if spec.source == "hub" and not spec.filter:
        return counts[f"{options.id} {options.config or 'default'} {request.split}"]
    if "lang" in spec.filter:
        return counts[f"tatoeba {spec.codes[request.language]}"]
    if spec.source == "url" and options.reader == "conll":
        urls = [options.url] if isinstance(options.url, str) else options.url
        names = ["UD " + "/".join(url.split("/")[4:]) for url in urls]
        return sum(
            counts[name.replace("{split}", request.split).removesuffix(".conllu")] for name in names
        )
    return counts.get(f"cosmosqa {request.split}") if "cosmosqa" in str(options) else None


@pytest.mark.data
@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rows_fit_the_card(path: Path, data_root: Path, tmp_path: Path) -> None:
    card = validate(documents.load(path), TaskCard)
    task_type = TASK_TYPES[card.task_type]
    counts_file = data_root / "COUNTS.json"
    counts = json.loads(counts_file.read_text()) if counts_file.is_file() else None
    environment = RunEnvironment(data_root=data_root, offline=True, cache=tmp_path)
    filled = 0
    for language, split, spec, request in requests(card, environment):
        column, pattern = next(iter(spec.expand(spec.filter, language).items()), ("", ""))
        rows = 0
        for row in SOURCES[spec.source].rows(request):
            if column and not str(row[column]).startswith(pattern.removesuffix("*")):
                continue
            if rows < 5:
                task_type.example(row, f"{language}-{rows}", card)
            rows += 1
        expected = counted(counts, spec, request) if counts else None
        if "xquad-r" in str(request.options):  # authentic and whole
            expected = card.expected_rows(language, split)
        assert expected in (None, rows), (language, split)
        filled += rows > 0
    if not filled:
        pytest.skip(f"the data root has nothing of {card.name}")


@pytest.mark.data
def test_a_missing_split_of_real_data_names_the_existing_ones(
    data_root: Path, tmp_path: Path
) -> None:
    source = SOURCES["hub"]
    options = source.options.model_validate({"id": "unimelb-nlp/wikiann", "config": "sw"})
    environment = RunEnvironment(data_root=data_root, offline=True, cache=tmp_path)
    with pytest.raises(UnavailableError, match="'sw' has no split 'tset'"):
        source.fingerprint(SourceRequest(options, "sw", "tset", environment))
