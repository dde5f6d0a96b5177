"""Results of EuroEval: JSON lines, one model on one data set each, means of ten bootstraps.

Its data sets are samples of its own, with metrics of its own; only those whose metric is one of
the card's become rows, and each says whose sample it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from xharness import documents
from xharness.catalogue import Catalogue
from xharness.documents import Document
from xharness.elsewhere import names
from xharness.elsewhere.entries import Entry
from xharness.errors import ConfigurationError

_OWN = "EuroEval's own sample of the data, mean over its bootstrap iterations"


class _Results(BaseModel):
    total: dict[str, float] = {}


class Line(BaseModel):
    """What is read of a line; it says more."""

    dataset: str
    named: str = Field(alias="model")
    results: _Results
    languages: list[str] | None = None
    dataset_languages: list[str] | None = None
    version: str | None = Field(None, alias="euroeval_version")
    on_validation: bool | None = Field(None, alias="validation_split")
    generative: bool | None = None
    few_shot: bool | None = None


def told(values: object, where: str) -> Line:
    """A line's JSON, as far as it is read.

    Raises:
        ConfigurationError: it is not one of theirs.
    """
    if not isinstance(values, Mapping) or not {"dataset", "model", "results"} <= values.keys():
        raise ConfigurationError(
            "not a result of EuroEval", where=where,
            expected="'dataset', 'model' and 'results' in each line",
        )  # fmt: skip
    return documents.validate(Document(where, values, {}), Line)


def place(line: Line, catalogue: Catalogue) -> tuple[str, str] | None:
    """The card and the language of a line; None where no card stands for its data set."""
    codes = line.languages or line.dataset_languages or []
    head, _, language = line.dataset.rpartition("-")
    for card, code in ((head, language), (line.dataset, codes[0] if len(codes) == 1 else None)):
        known = names.task(card, catalogue)
        if code is not None and known in catalogue.card_files.offers:
            return known, code
    return None


def entries(line: Line, where: str, catalogue: Catalogue) -> list[Entry]:
    """What a line says in metrics that its card has; empty where no card stands for it."""
    found = place(line, catalogue)
    if found is None:
        return []
    card = catalogue.card(found[0])
    return [
        Entry(
            where=where,
            task=found[0],
            metric=own,
            model=line.named,
            value=value,
            source=f"EuroEval {line.version or ''}".strip(),
            language=found[1],
            split="validation" if line.on_validation else "test",
            strategy="prompted" if line.generative else "monolingual",
            protocol=_protocol(line),
            notes=(_OWN,),
        )
        for key, value in line.results.total.items()
        if not key.endswith("_se")
        and (own := names.metric(key.removeprefix("test_"), card)) in card.metrics
    ]


def _protocol(line: Line) -> str:
    """Encoders are trained there in the language they are tested in."""
    if not line.generative:
        return "fine-tuned in the tested language"
    return "prompted, few-shot" if line.few_shot else "prompted, 0-shot"
