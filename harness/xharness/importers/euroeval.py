"""Results of EuroEval: JSON lines, one model on one data set each, means of ten bootstraps.

Its data sets are samples of its own, with metrics of its own; only those whose metric is one of
the card's become rows, and each says whose sample it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from xharness.errors import ConfigurationError
from xharness.importers import names
from xharness.importers.reported import ReportedScore
from xharness.plugin.catalogue import Catalogue
from xharness.spec import documents
from xharness.spec.documents import Document

_SAMPLE_NOTE = "EuroEval's own sample of the data, mean over its bootstrap iterations"


class _Totals(BaseModel):
    total: dict[str, float] = {}


class EuroEvalLine(BaseModel):
    """What is read of a line; it says more."""

    dataset: str
    model_name: str = Field(alias="model")
    results: _Totals
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
    if not isinstance(values, Mapping) or not {"dataset", "model", "results"} <= values.keys():
        raise ConfigurationError(
            "not a result of EuroEval", where=location,
            expected="'dataset', 'model' and 'results' in each line",
        )  # fmt: skip
    return documents.validate(Document(location, values, {}), EuroEvalLine)


def card_and_language(line: EuroEvalLine, catalogue: Catalogue) -> tuple[str, str] | None:
    """The card and the language of a line; None where no card stands for its data set."""
    codes = line.languages or line.dataset_languages or []
    dataset_stem, _, language = line.dataset.rpartition("-")
    for card, code in (
        (dataset_stem, language),
        (line.dataset, codes[0] if len(codes) == 1 else None),
    ):
        task_name = names.task_name(card, catalogue)
        if code is not None and task_name in catalogue.card_files.offers:
            return task_name, code
    return None


def reported_scores(line: EuroEvalLine, location: str, catalogue: Catalogue) -> list[ReportedScore]:
    """What a line says in metrics that its card has; empty where no card stands for it."""
    place = card_and_language(line, catalogue)
    if place is None:
        return []
    card = catalogue.card(place[0])
    return [
        ReportedScore(
            location=location,
            task=place[0],
            metric=metric,
            model=line.model_name,
            value=value,
            source=f"EuroEval {line.version or ''}".strip(),
            language=place[1],
            split="validation" if line.on_validation else "test",
            strategy="prompted" if line.generative else "monolingual",
            protocol=_protocol(line),
            notes=(_SAMPLE_NOTE,),
        )
        for key, value in line.results.total.items()
        if not key.endswith("_se")
        and (metric := names.metric_name(key.removeprefix("test_"), card)) in card.metrics
    ]


def _protocol(line: EuroEvalLine) -> str:
    """Encoders are trained there in the language they are tested in."""
    if not line.generative:
        return "fine-tuned in the tested language"
    return "prompted, few-shot" if line.few_shot else "prompted, 0-shot"
