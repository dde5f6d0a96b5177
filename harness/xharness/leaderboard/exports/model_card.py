"""The card of a trained model: what it scored, as text and as the hub's `model-index`.

Metadata: huggingface/hub-docs, `modelcard.md`. A result is one language of one task; the results
of other studies that a card already has are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xharness.errors import ConfigurationError
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard.text import escape, points, table
from xharness.spec import documents, registry
from xharness.spec.cards import TaskCard
from xharness.spec.languages import name_of

_HUB_TASKS = {
    "classification": "text-classification",
    "multiple_choice": "multiple-choice",
    "tagging": "token-classification",
    "extractive_qa": "question-answering",
    "extractive_qa_unanswerable": "question-answering",
}
"""Task types to the hub's names of tasks; what compares sentences is the rest."""
_FENCE = "---\n"
Result = dict[str, Any]


def model_card(
    name: str, rows: Sequence[ScoreRow], card: Callable[[str], TaskCard], base: str | None, old: str
) -> str:
    """The card of a model of that `name`: `rows` are its scores, `base` a hub id, `old` the card
    it has.
    """
    new = _results(rows, card)
    old_results = [
        result
        for result in _stored_results(old)
        if _data_key(result) not in {_data_key(new_result) for new_result in new}
    ]
    head: dict[str, Any] = {
        "language": sorted({result["dataset"]["config"] for result in (*old_results, *new)}),
        "tags": ["xharness", "cross-lingual-transfer"],
        **({"base_model": base} if base else {}),
        "model-index": [{"name": name, "results": [*old_results, *new]}],
    }
    return _FENCE + documents.dump(head) + _FENCE + _text(name, rows, base)


def hub_id(options: Mapping[str, Any], model: str) -> str | None:
    """The hub id that a study's model starts from, as its options or the registry say."""
    hub = options.get("hub")
    registered = registry.find_model(model)
    return str(hub) if hub else (registered.hub if registered is not None else None)


def _results(rows: Sequence[ScoreRow], card: Callable[[str], TaskCard]) -> list[Result]:
    grouped: dict[tuple[str, str, str], list[ScoreRow]] = defaultdict(list)
    for row in rows:
        grouped[row.task, row.language, row.split].append(row)
    return [_result(group, card(group[0].task)) for group in grouped.values()]


def _result(rows: Sequence[ScoreRow], card: TaskCard) -> Result:
    first = rows[0]
    return {
        "task": {
            "type": _HUB_TASKS.get(first.task_type, "sentence-similarity"),
            "name": card.about.title,
        },
        "dataset": {
            "name": f"{card.about.title} ({name_of(first.language)})",
            "type": _dataset(card),
            "config": first.language,
            "split": first.split,
        },
        "metrics": [
            {"type": row.metric, "name": row.metric, "value": round(row.value, 2)} for row in rows
        ],
    }


def _dataset(card: TaskCard) -> str:
    """The hub's data set, where the rows come from the hub; else the card's name."""
    ids = (source.source_options.get("id") for source in card.sources if source.source == "hub")
    return str(next((hub_id for hub_id in ids if hub_id is not None), card.name))


def _stored_results(old: str) -> list[Result]:
    """The results a card already has; none where there is no such card."""
    if not old.startswith(_FENCE):
        return []
    try:
        head = documents.parse(old.split(_FENCE, 2)[1]).data
        return list(head["model-index"][0]["results"])
    # A card may be anybody's text, and its results are a convention that none need keep.
    except (ConfigurationError, KeyError, IndexError, TypeError):
        return []


def _data_key(result: Result) -> tuple[str, ...]:
    data = result["dataset"]
    return data["type"], data["config"], data["split"], data["name"]


def _text(name: str, rows: Sequence[ScoreRow], base: str | None) -> str:
    notes = dict.fromkeys(note for row in rows for note in row.notes)
    lines = [
        [escape(row.task), f"{row.language} {name_of(row.language)}", escape(row.metric),
         points(row.value), str(row.n or "—")]
        for row in rows
    ]  # fmt: skip
    header = ["task", "language", "metric", "points", "items"]
    start = f"Trained from [{base}](https://huggingface.co/{base}) with xharness." if base else (
        "Trained with xharness."
    )  # fmt: skip
    note_lines = [f"- {escape(note)}" for note in notes]
    body = [f"# {escape(name)}", "", start, "", *table(header, lines, 3), ""]
    return "\n".join(
        [*body, *(["What limits these numbers:", "", *note_lines, ""] if note_lines else [])]
    )
