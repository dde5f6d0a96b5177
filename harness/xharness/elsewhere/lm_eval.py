"""Results of lm-evaluation-harness: `results_<time>.json`, a model prompted with each task.

A task there is one language of ours (`xnli_de`), and the keys of its metrics name a filter
(`acc,none`). Its accuracies are shares of 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from xharness import documents
from xharness.catalogue import Catalogue
from xharness.documents import Document
from xharness.elsewhere import names
from xharness.elsewhere.entries import Entry
from xharness.errors import ConfigurationError

_TASK = re.compile(r"(?P<task>.+?)_(?P<language>[a-z]{2,3})(?:_(?P<question>[a-z]{2,3}))?")
_MODEL = re.compile(r"(?:^|,)\s*(?:pretrained|model|path)=([^,]+)")


class _Split(BaseModel):
    test_split: str | None = None
    validation_split: str | None = None


class _Count(BaseModel):
    original: int | None = None
    effective: int | None = None


class _Made(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    model_args: str | dict[str, Any] | None = None


class Results(BaseModel):
    """What is read of a file; it says more, and an older one less."""

    results: dict[str, Any]
    shots: dict[str, int | None] | None = Field(None, alias="n-shot")
    versions: dict[str, Any] | None = None
    configs: dict[str, _Split] | None = None
    counts: dict[str, _Count] | None = Field(None, alias="n-samples")
    config: _Made | None = None
    named: str | None = Field(None, alias="model_name")


def told(values: object, path: Path) -> Results:
    """A file's JSON, as far as it is read.

    Raises:
        ConfigurationError: it is not one of theirs.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("results"), Mapping):
        raise ConfigurationError("there are no 'results' of tasks in it", where=str(path))
    return documents.validate(Document(str(path), values, {}), Results)


def entries(told: Results, path: Path, catalogue: Catalogue) -> list[Entry]:
    """What the file says of tasks that have a card; other tasks are left out."""
    found = []
    for name, scores in told.results.items():
        place = _place(name, catalogue)
        if place is None or not isinstance(scores, Mapping):
            continue
        for metric, value in _metrics(scores):
            found.append(_entry(told, path, name, place, metric, value))
    return _in_points(found)


def left_out(told: Results, catalogue: Catalogue) -> list[str]:
    """The tasks of the file that no card stands for."""
    return [name for name in told.results if _place(name, catalogue) is None]


def _place(name: str, catalogue: Catalogue) -> tuple[str, str | None] | None:
    """The card and the language of a task there; no language: an average over them."""
    if names.task(name, catalogue) in catalogue.card_files.offers:
        return names.task(name, catalogue), None
    parts = _TASK.fullmatch(name)
    if parts is None or parts["question"] not in (None, parts["language"]):
        return None  # MLQA with question and context in two languages, say
    card = names.task(parts["task"], catalogue)
    return (card, parts["language"]) if card in catalogue.card_files.offers else None


def _metrics(scores: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Metrics without a filter, or with the first one that is there; standard errors aside."""
    seen = set()
    for key, value in sorted(scores.items(), key=lambda item: not item[0].endswith(",none")):
        metric = key.partition(",")[0]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and "," in key and not metric.endswith("_stderr") and metric not in seen:
            seen.add(metric)
            yield metric, float(value)


def _entry(
    told: Results,
    path: Path,
    name: str,
    place: tuple[str, str | None],
    metric: str,
    value: float,
) -> Entry:
    shots = (told.shots or {}).get(name)
    version = (told.versions or {}).get(name)
    config = (told.configs or {}).get(name, _Split())
    count = (told.counts or {}).get(name, _Count())
    limited = count.effective != count.original
    return Entry(
        where=f"{path}: results.{name}.{metric}",
        task=place[0],
        metric=metric,
        model=_model(told),
        value=value,
        source=f"lm-evaluation-harness{f', task version {version}' if version is not None else ''}",
        language=place[1],
        split=config.test_split or config.validation_split,
        strategy="prompted",
        n=count.effective,
        protocol=f"prompted, {shots}-shot" if shots is not None else "prompted",
        notes=(f"limited: {count.effective} of {count.original} items",) if limited else (),
    )


def _model(told: Results) -> str:
    args = (told.config or _Made()).model_args or ""
    if isinstance(args, Mapping):
        args = ",".join(f"{key}={value}" for key, value in args.items())
    found = _MODEL.search(args)
    return told.named or (found[1].strip() if found else "unnamed")


def _in_points(found: list[Entry]) -> list[Entry]:
    """Shares as points; a metric that somewhere exceeds 1 is in points already."""
    points = {one.metric for one in found if one.value > 1}
    return [one if one.metric in points else replace(one, value=100 * one.value) for one in found]
