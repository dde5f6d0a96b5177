"""Results of EuroEval: JSON lines, one model on one data set each, means of ten bootstraps.

Its data sets are samples of its own, with metrics of its own; only those whose metric is one of
the card's become rows, and each says whose sample it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xharness.catalogue import Catalogue
from xharness.elsewhere import names
from xharness.elsewhere.entries import Entry

_OWN = "EuroEval's own sample of the data, mean over its bootstrap iterations"


def is_euroeval(values: object) -> bool:
    """Whether a line's JSON looks like theirs."""
    return isinstance(values, Mapping) and {"dataset", "model", "results"} <= values.keys()


def place(values: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, str] | None:
    """The card and the language of a line; None where no card stands for its data set."""
    told: list[str] = values.get("languages") or values.get("dataset_languages") or []
    name = str(values["dataset"])
    head, _, language = name.rpartition("-")
    for card, code in ((head, language), (name, told[0] if len(told) == 1 else None)):
        known = names.task(card, catalogue)
        if code is not None and known in catalogue.card_files.offers:
            return known, code
    return None


def entries(values: Mapping[str, Any], where: str, path: Path, catalogue: Catalogue) -> list[Entry]:
    """What a line says in metrics that its card has; empty where no card stands for it."""
    found = place(values, catalogue)
    if found is None:
        return []
    card = catalogue.card(found[0])
    total = values["results"].get("total", {})
    version = values.get("euroeval_version")
    return [
        Entry(
            where=where,
            task=found[0],
            metric=own,
            model=str(values["model"]),
            value=float(value),
            source=f"EuroEval{f' {version}' if version else ''}",
            language=found[1],
            split="validation" if values.get("validation_split") else "test",
            strategy="prompted" if values.get("generative") else "monolingual",
            protocol=_protocol(values),
            notes=(_OWN,),
        )
        for key, value in total.items()
        if not key.endswith("_se")
        and (own := names.metric(key.removeprefix("test_"), card)) in card.metrics
    ]


def _protocol(values: Mapping[str, Any]) -> str:
    """Encoders are trained there in the language they are tested in."""
    if not values.get("generative"):
        return "fine-tuned in the tested language"
    return "prompted, few-shot" if values.get("few_shot") else "prompted, 0-shot"
