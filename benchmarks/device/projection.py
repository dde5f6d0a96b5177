"""How long the whole test side of XTREME-R would take, from the paces that were measured.

Items are counted by the cards, the sub-words of an item by a sample under the data root. A task
whose data is not there is taken to have items as long as another's, which is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measurement import Setting
from xharness import TaskCard

_SUITE = "xtreme-r"
_SAMPLE = 16
"""Items of each language from which the sub-words of an item are counted."""
_LONG = frozenset({"extractive_qa"})
_LONG_SAMPLE = "tydiqa"
"""Of which the length of another task's items is taken, where its own data is not there."""
_QUERY, _PASSAGE = 32, 64
"""Sub-words of a question or sentence, and of an entity's description, where no data tells."""


def project(setting: Setting, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Seconds of each task and of all together; empty where a pace that is needed is missing."""
    paces = {
        row["contest"]: row["pace"]
        for row in rows
        if row["contestant"] == "xharness" and row["pace"]
    }
    short, long = paces.get("predict wikiann"), paces.get("predict tydiqa")
    if short is None or long is None:
        return {}
    tokens = material.tokens(setting.model)
    catalogue = Material(setting, "wikiann").catalogue
    tasks = {}
    for entry in catalogue.groups[_SUITE].tasks:
        shared = Material(setting, entry.task)
        items, candidates = _items(shared.card), _candidates(shared)
        length, sampled = _length(shared, tokens)
        total = items * length + candidates * (length if sampled else _PASSAGE)
        pace = long if shared.card.task_type in _LONG else short
        tasks[entry.task] = {
            "items": items,
            "candidates": candidates,
            "sub_words_per_item": round(length, 1),
            "sampled": sampled,
            "seconds": round(total / pace, 2),
        }
    return {"seconds": sum(task["seconds"] for task in tasks.values()), "tasks": tasks}


def _items(card: TaskCard) -> int:
    """The official number of items in all languages of the scored split."""
    return sum(card.expected_rows(language, card.eval_split) or 0 for language in card.languages)


def _candidates(shared: Material) -> int:
    """How many texts the items are searched in, beside those that the items hold."""
    index = shared.card.index
    if index is None:  # a pair of sentences is read on both sides
        return _items(shared.card) if shared.card.task_type == "bitext_retrieval" else 0
    card = shared.catalogue.card(index.card)
    split = next(iter(card.rows))
    return sum(card.expected_rows(language, split) or 0 for language in card.languages)


def _length(shared: Material, tokens: Any) -> tuple[float, bool]:
    """Mean sub-words of an item with its specials, and whether a sample told."""
    split = "test" if shared.card.task_type == "bitext_retrieval" else "validation"
    languages = shared.eval_examples(_SAMPLE, split)
    examples = [example for _, language_examples in languages for example in language_examples]
    if not examples and shared.card.task_type in _LONG and shared.card.name != _LONG_SAMPLE:
        return _length(Material(shared.setting, _LONG_SAMPLE), tokens)[0], False
    if not examples:
        return _QUERY, False
    total = material.count_tokens(tokens, shared, examples)
    return total / len(examples), True
