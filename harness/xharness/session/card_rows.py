"""Rows looked at before any study: those that a card gives, and the card a data set suggests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment, SourceRequest
from xharness.plugin.catalogue import Catalogue, validated
from xharness.session.items import AnsweredItem, ItemWording
from xharness.spec.cards import TaskCard
from xharness.task_types.base import Row

_LOOKED_AT = 500  # rows that labels are gathered from
_MOST_LABELS = 50
_CHOICE = re.compile(r"(answer|choice|option|ending|sol|opt)_?[A-E0-9]", re.IGNORECASE)
_SPLITS = ("train", "validation", "test")
_SOURCE_SPLITS = {"train": ("train",), "validation": ("validation", "dev"), "test": ("test",)}
_NAMES = {
    "text": ("text", "sentence1", "premise", "sentence", "question1", "review", "content"),
    "pair": ("sentence2", "hypothesis", "question2", "text2"),
    "label": ("label", "gold_label", "labels", "class", "category", "answer", "sentiment"),
    "tokens": ("tokens", "words"),
    "tags": ("ner_tags", "tags", "pos_tags", "upos", "labels"),
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph"),
    "answers": ("answers", "answer"),
    "prompt": ("prompt", "question", "premise", "ctx", "context"),
    "choices": ("choices", "endings", "options"),
    "id": ("id", "idx", "guid", "uid"),
}
"""Fields of task types to what data sets usually call their columns, the likeliest first."""


def card_items(
    card: TaskCard, catalogue: Catalogue, environment: RunEnvironment, count: int
) -> Iterator[AnsweredItem]:
    """The first `count` items of the split that is scored, in the card's own source language.

    `answer` is the right one: this is what a model would see and should say.

    Raises:
        UnavailableError: the data cannot be had, or does not fit the card.
    """
    data = DataReader(catalogue, environment)
    card = data.card(card.name)
    language = card.source_language or card.languages[0]
    split = card.eval_split
    # English tasks to train on need no split that is scored.
    if card.role != "target" and not card.has(language, split):
        split = "train"
    data_slice = data.data_slice(card, language, split, count)
    examples = list(islice(data.stream(data_slice), count))
    wording = ItemWording(card.in_language(language), examples)
    for example in examples:
        yield wording.item(example, None, language, is_right=True, prompted=True)


@dataclass(frozen=True)
class CardProposal:
    """What a card for a data set could say."""

    task_type: str
    fields: Mapping[str, str]
    """Each field to its column, or to a template or list as YAML."""
    labels: tuple[str, ...]
    """Empty where there are none, or too many."""
    splits: Mapping[str, str]
    columns: tuple[str, ...]
    """All that the rows have, so that others can be chosen."""


def propose_card(
    source: str, options: Mapping[str, Any], catalogue: Catalogue, environment: RunEnvironment
) -> CardProposal:
    """What the columns of a data set suggest, from its first rows.

    Raises:
        UnavailableError: no split can be had.
        ConfigurationError: the columns fit no task type.
    """
    rows: dict[str, tuple[str, list[Row]]] = {}
    label_names: dict[str, Sequence[str]] = {}
    failure: UnavailableError | None = None
    for split in _SPLITS:
        for name in _SOURCE_SPLITS[split]:
            try:
                split_rows, names = _first_rows(source, options, name, catalogue, environment)
            except UnavailableError as error:
                failure = failure or error
                continue
            rows.setdefault(split, (name, split_rows))
            label_names.update(names)
    if not rows:
        assert failure is not None
        raise failure
    splits = {split: name for split, (name, _) in rows.items()}
    all_rows = [row for _, split_rows in rows.values() for row in split_rows]
    return _proposal(all_rows, splits, label_names)


def config_names(
    source: str, options: Mapping[str, Any], catalogue: Catalogue, environment: RunEnvironment
) -> Sequence[str]:
    """The configurations of a data set.

    Raises:
        UnavailableError: there is no such data set.
    """
    offer = catalogue.sources[source]
    checked = validated(offer.options, dict(options), f"source '{source}'")
    return offer.config_names(SourceRequest(checked, "en", "train", environment))


def _first_rows(
    source: str,
    options: Mapping[str, Any],
    split: str,
    catalogue: Catalogue,
    environment: RunEnvironment,
) -> tuple[list[Row], Mapping[str, Sequence[str]]]:
    offer = catalogue.sources[source]
    checked = validated(offer.options, dict(options), f"source '{source}'")
    request = SourceRequest(checked, "en", split, environment)
    offer.fingerprint(request)
    return list(islice(offer.rows(request), _LOOKED_AT)), offer.label_names(request)


def _proposal(
    rows: Sequence[Row], splits: Mapping[str, str], label_names: Mapping[str, Sequence[str]]
) -> CardProposal:
    columns = tuple(rows[0]) if rows else ()
    for task_type, fields in _fitting(rows, columns):
        identifier = _column("id", columns)
        # A column that repeats is no id, whatever its name says.
        if identifier and len({str(row[identifier]) for row in rows}) == len(rows):
            fields = {**fields, "id": identifier}
        column = fields.get("label") or fields.get("tags") or ""
        labels = tuple(label_names.get(column, ())) or _labels(rows, column)
        # Letters or numbers in words are names themselves; positions are those of the choices.
        if task_type == "multiple_choice" and not _is_text(rows, column):
            labels = _choice_names(rows, fields["choices"])
        return CardProposal(task_type, fields, labels, splits, columns)
    raise ConfigurationError(
        f"no task type fits the columns: {', '.join(map(str, columns))}",
        hint="xharness new card NAME --task-type TYPE writes a card to fill in",
    )


def _fitting(rows: Sequence[Row], columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Task types that the columns fit, the strictest first."""
    named = {field: _column(field, columns) for field in _NAMES}
    lists = {name for name in columns if isinstance(rows[0][name], Sequence | Mapping)}
    lists -= {name for name in columns if isinstance(rows[0][name], str)}

    def fields(*names: str) -> dict[str, str] | None:
        chosen = {name: named[name] for name in names}
        return chosen if all(chosen.values()) else None

    if (tagging := fields("tokens", "tags")) and {*tagging.values()} <= lists:
        yield "tagging", tagging
    if (question := fields("question", "context", "answers")) and question["answers"] in lists:
        yield "extractive_qa", question
    if (choice := fields("prompt", "choices", "label")) and choice["choices"] in lists:
        yield "multiple_choice", choice
    numbered = [name for name in columns if _CHOICE.fullmatch(str(name))]
    if len(numbered) > 1 and named["label"]:
        parts = [name for name in ("context", "premise", "prompt", "question") if name in columns]
        prompt = " ".join(f"{{{name}}}" for name in parts) if len(parts) > 1 else "".join(parts)
        if prompt:
            choices = f"[{', '.join(numbered)}]"
            quoted = json.dumps(prompt) if len(parts) > 1 else prompt
            yield "multiple_choice", {"prompt": quoted, "choices": choices, "label": named["label"]}
    texts = [name for name in columns if _is_text(rows, name) and name != named["label"]]
    if named["label"] and texts:
        text = named["text"] if named["text"] in texts else max(texts, key=_length(rows))
        pair = {"pair": named["pair"]} if named["pair"] in texts else {}
        yield "classification", {"text": text, **pair, "label": named["label"]}


def _column(field: str, columns: Sequence[str]) -> str:
    return next((name for name in _NAMES[field] if name in columns), "")


def _is_text(rows: Sequence[Row], column: str) -> bool:
    return all(isinstance(row[column], str) for row in rows)


def _length(rows: Sequence[Row]) -> Any:
    return lambda column: sum(len(row[column]) for row in rows)


def _labels(rows: Sequence[Row], column: str) -> tuple[str, ...]:
    """The names in the data; numbers are named after themselves, for somebody to name."""
    if not column:
        return ()
    values = [value for row in rows for value in _as_list(row[column])]
    numbers = {value for value in values if isinstance(value, int)}
    names = [f"label_{number}" for number in range(max(numbers) + 1)] if numbers else []
    names = names or sorted({value for value in values if isinstance(value, str)})
    return tuple(names) if len(names) <= _MOST_LABELS else ()


def _choice_names(rows: Sequence[Row], choices: str) -> tuple[str, ...]:
    """Names for the positions of choices: their columns, or numbers where one column lists them."""
    if choices.startswith("["):
        return tuple(choices.strip("[]").split(", "))
    count = max(len(_as_list(row[choices])) for row in rows)
    return tuple(f"choice_{number}" for number in range(count))


def _as_list(value: Any) -> Sequence[Any]:
    return [*value] if isinstance(value, Sequence) and not isinstance(value, str) else [value]
