"""Results of EuroEval: JSON lines, one model on one data set each, means of ten bootstraps.

Its data sets are samples of its own, with metrics of its own; only those whose metric is one of
the card's become rows, and each says whose sample it is. A line has EuroEval's own form or that of
Every Eval Ever, which newer versions write and which may say how many items there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, Field

from xharness.errors import ConfigurationError
from xharness.importers import names
from xharness.importers.reported import ReportedScore
from xharness.json_text import parse_json
from xharness.plugin.catalogue import Catalogue
from xharness.spec.documents import Document
from xharness.spec.examination import validate

_SAMPLE_NOTE = "EuroEval's own sample of the data, mean over its bootstrap iterations"


class _Totals(BaseModel):
    total: dict[str, float] = {}


class EuroEvalLine(BaseModel):
    """What is read of a line; it says more."""

    dataset: str
    model: str
    results: _Totals
    counts: dict[str, int] = {}
    """Metric to the number of items, where the line says it."""
    languages: list[str] | None = None
    dataset_languages: list[str] | None = None
    version: str | None = Field(None, alias="euroeval_version")
    on_validation: bool | None = Field(None, alias="validation_split")
    generative: bool | None = None
    few_shot: bool | None = None


def parse_line(values: object, location: str) -> EuroEvalLine:
    """A line's JSON, as far as it is read.

    Raises:
        ConfigurationError: it is not one of theirs.
    """
    if isinstance(values, Mapping) and "eval_library" in values:
        values = _own_form(values)
    if not isinstance(values, Mapping) or not {"dataset", "model", "results"} <= values.keys():
        raise ConfigurationError(
            "not a result of EuroEval", where=location,
            expected="'dataset', 'model' and 'results' in each line, or a record of Every Eval Ever"
            " made by EuroEval",
        )  # fmt: skip
    return validate(Document(location, values, {}), EuroEvalLine)


def _own_form(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A record of Every Eval Ever as a line of EuroEval; None where it is not one of EuroEval's."""
    try:
        library = record["eval_library"]
        details = library["additional_details"]
        if library["name"].casefold() != "euroeval":
            return None
        results = {result["evaluation_name"]: result for result in record["evaluation_results"]}
        model = record["model_info"]
        return {
            "dataset": details["dataset"],
            "model": model.get("id") or model["name"],
            "results": {"total": {name: result["score_details"]["score"]
                                  for name, result in results.items()}},
            "counts": {name: count for name, result in results.items()
                       if (count := _item_count(result)) is not None},
            "languages": _decoded(details.get("languages")),
            "euroeval_version": library.get("version"),
            "validation_split": details.get("validation_split"),
            "few_shot": details.get("few_shot"),
            "generative": bool((model.get("additional_details") or {}).get("generative_type")),
        }  # fmt: skip
    except (KeyError, TypeError, AttributeError):
        return None


def _item_count(result: Mapping[str, Any]) -> int | None:
    uncertainty = result["score_details"].get("uncertainty") or {}
    count = uncertainty.get("num_samples") or result.get("source_data", {}).get("samples_number")
    return count if isinstance(count, int) else None


def _decoded(value: Any) -> Any:
    """Values that the schema wants as text hold JSON."""
    if isinstance(value, str):
        with suppress(ValueError):
            return parse_json(value)
    return value


def card_and_language(line: EuroEvalLine, catalogue: Catalogue) -> tuple[str, str] | None:
    """The card and the language of a line; None where no card stands for its data set."""
    codes = line.languages or line.dataset_languages or []
    only_language = codes[0] if len(codes) == 1 else None
    dataset_stem, _, language = line.dataset.rpartition("-")
    for dataset, code in ((dataset_stem, language), (line.dataset, only_language)):
        task_name = names.task_name(dataset, catalogue)
        if code is not None and task_name in catalogue.card_files.offers:
            return task_name, code
    return None


def reported_scores(line: EuroEvalLine, location: str, catalogue: Catalogue) -> list[ReportedScore]:
    """What a line says in metrics that its card has; empty where no card stands for it."""
    card_place = card_and_language(line, catalogue)
    if card_place is None:
        return []
    task_name, language = card_place
    card = catalogue.card(task_name)
    return [
        ReportedScore(
            location=location,
            task=task_name,
            metric=metric,
            model=line.model,
            value=value,
            source=f"EuroEval {line.version or ''}".strip(),
            language=language,
            split="validation" if line.on_validation else "test",
            strategy="prompted" if line.generative else "monolingual",
            n=line.counts.get(key),
            whole_split=False,  # at most 2,048 items, drawn by EuroEval
            protocol=_protocol(line),
            notes=(_SAMPLE_NOTE,),
        )
        for key, value in line.results.total.items()
        # Standard errors stand beside their scores, under the same name.
        if not key.endswith("_se")
        and (metric := names.metric_name(key.removeprefix("test_"), card)) in card.metrics
    ]


def _protocol(line: EuroEvalLine) -> str:
    """Encoders are trained there in the language they are tested in."""
    if not line.generative:
        return "fine-tuned in the tested language"
    return "prompted, few-shot" if line.few_shot else "prompted, 0-shot"
