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

from xharness.errors import ConfigurationError
from xharness.importers.reported import ReportedScore
from xharness.plugin.catalogue import Catalogue
from xharness.spec.documents import Document
from xharness.spec.examination import validate

_MODEL = re.compile(r"(?:^|,)\s*(?:pretrained|model|path)=([^,]+)")


class _SplitNames(BaseModel):
    test_split: str | None = None
    validation_split: str | None = None


class _ItemCount(BaseModel):
    original: int | None = None
    effective: int | None = None


class _ModelArguments(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    model_args: str | dict[str, Any] | None = None


class LmEvalFile(BaseModel):
    """What is read of a file; it says more, and an older one less."""

    model_config = ConfigDict(protected_namespaces=())

    results: dict[str, Any]
    num_shots: dict[str, int | None] | None = Field(None, alias="n-shot")
    versions: dict[str, Any] | None = None
    configs: dict[str, _SplitNames] | None = None
    counts: dict[str, _ItemCount] | None = Field(None, alias="n-samples")
    config: _ModelArguments | None = None
    model_name: str | None = None


def parse_file(values: object, path: Path) -> LmEvalFile:
    """A file's JSON, as far as it is read.

    Raises:
        ConfigurationError: it is not one of theirs.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("results"), Mapping):
        raise ConfigurationError("there are no 'results' of tasks in it", where=str(path))
    return validate(Document(str(path), values, {}), LmEvalFile)


def reported_scores(file: LmEvalFile, path: Path, catalogue: Catalogue) -> list[ReportedScore]:
    """What the file says of tasks that have a card; other tasks are left out."""
    reported = []
    for name, scores in file.results.items():
        task_and_language = catalogue.task_in_language(name)
        if task_and_language is None or not isinstance(scores, Mapping):
            continue
        for metric, value in _metrics(scores):
            reported.append(_reported_score(file, path, name, task_and_language, metric, value))
    return _in_points(reported)


def tasks_without_card(file: LmEvalFile, catalogue: Catalogue) -> list[str]:
    """The tasks of the file that no card stands for."""
    return [name for name in file.results if catalogue.task_in_language(name) is None]


def _metrics(scores: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Metrics without a filter, or with the first one that is there; standard errors aside."""
    metrics_seen = set()
    # `none` is the unfiltered answer; others (strict-match, flexible-extract) clean it up first.
    for key, value in sorted(scores.items(), key=lambda item: not item[0].endswith(",none")):
        metric = key.partition(",")[0]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and "," in key and not metric.endswith("_stderr") and metric not in metrics_seen:
            metrics_seen.add(metric)
            yield metric, float(value)


def _reported_score(
    file: LmEvalFile,
    path: Path,
    name: str,
    task_and_language: tuple[str, str | None],
    metric: str,
    value: float,
) -> ReportedScore:
    num_shots = (file.num_shots or {}).get(name)
    version = (file.versions or {}).get(name)
    config = (file.configs or {}).get(name, _SplitNames())
    count = (file.counts or {}).get(name, _ItemCount())
    # What `--limit` cut off shows in the counts, task by task.
    limited = count.effective != count.original
    return ReportedScore(
        location=f"{path}: results.{name}.{metric}",
        task=task_and_language[0],
        metric=metric,
        model=_model(file),
        value=value,
        source=f"lm-evaluation-harness{f', task version {version}' if version is not None else ''}",
        language=task_and_language[1],
        # As the tool chooses: the test split where the task names one.
        split=config.test_split or config.validation_split,
        strategy="prompted",
        n=count.effective,
        protocol=f"prompted, {num_shots}-shot" if num_shots is not None else "prompted",
        notes=(f"limited: {count.effective} of {count.original} items",) if limited else (),
    )


def _model(file: LmEvalFile) -> str:
    args = (file.config or _ModelArguments()).model_args or ""
    if isinstance(args, Mapping):
        args = ",".join(f"{key}={value}" for key, value in args.items())
    match = _MODEL.search(args)
    return file.model_name or (match[1].strip() if match else "unnamed")


def _in_points(reported: list[ReportedScore]) -> list[ReportedScore]:
    """Shares as points; a metric that somewhere exceeds 1 is in points already."""
    # Its own metrics are shares; tasks such as XQuAD hand over points from SQuAD's script.
    metrics_in_points = {score.metric for score in reported if score.value > 1}
    return [
        score if score.metric in metrics_in_points else replace(score, value=100 * score.value)
        for score in reported
    ]
