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

from xharness.catalogue import Catalogue
from xharness.elsewhere import names
from xharness.elsewhere.entries import Entry

_TASK = re.compile(r"(?P<task>.+?)_(?P<language>[a-z]{2,3})(?:_(?P<question>[a-z]{2,3}))?")
_MODEL = re.compile(r"(?:^|,)\s*(?:pretrained|model|path)=([^,]+)")


def is_lm_eval(values: object) -> bool:
    """Whether a file's JSON looks like theirs."""
    return isinstance(values, Mapping) and isinstance(values.get("results"), Mapping)


def entries(values: Mapping[str, Any], path: Path, catalogue: Catalogue) -> list[Entry]:
    """What the file says of tasks that have a card; other tasks are left out."""
    found = []
    for name, scores in values["results"].items():
        place = _place(name, catalogue)
        if place is None or not isinstance(scores, Mapping):
            continue
        for metric, value in _metrics(scores):
            found.append(_entry(values, path, name, place, metric, value))
    return _in_points(found)


def left_out(values: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """The tasks of the file that no card stands for."""
    return [name for name in values["results"] if _place(name, catalogue) is None]


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
    values: Mapping[str, Any],
    path: Path,
    name: str,
    place: tuple[str, str | None],
    metric: str,
    value: float,
) -> Entry:
    shots = values.get("n-shot", {}).get(name)
    version = values.get("versions", {}).get(name)
    config = values.get("configs", {}).get(name, {})
    count = values.get("n-samples", {}).get(name, {})
    limited = count.get("effective") != count.get("original")
    return Entry(
        where=f"{path}: results.{name}.{metric}",
        task=place[0],
        metric=metric,
        model=_model(values),
        value=value,
        source=f"lm-evaluation-harness{f', task version {version}' if version is not None else ''}",
        language=place[1],
        split=config.get("test_split") or config.get("validation_split"),
        strategy="prompted",
        n=count.get("effective"),
        protocol=f"prompted, {shots}-shot" if shots is not None else "prompted",
        notes=(f"limited: {count['effective']} of {count['original']} items",) if limited else (),
    )


def _model(values: Mapping[str, Any]) -> str:
    told = values.get("config", {}).get("model_args")
    if isinstance(told, Mapping):
        told = ",".join(f"{key}={value}" for key, value in told.items())
    found = _MODEL.search(told) if isinstance(told, str) else None
    return str(values.get("model_name") or (found[1].strip() if found else "unnamed"))


def _in_points(found: list[Entry]) -> list[Entry]:
    """Shares as points; a metric that somewhere exceeds 1 is in points already."""
    points = {one.metric for one in found if one.value > 1}
    return [one if one.metric in points else replace(one, value=100 * one.value) for one in found]
