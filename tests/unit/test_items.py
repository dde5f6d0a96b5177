"""Items and answers of every task type as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from xharness.session.catalogue import open_catalogue
from xharness.session.items import NO_ANSWER, ItemWording
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.checklist import ChecklistExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.tagging import TaggingExample

BO = GoldAnswer("Bo", 12)
QUESTION = ExtractiveQAExample("1", "Who?", "Ann is, not Bo.", (BO,))


@pytest.mark.parametrize(
    ("card", "example", "prediction", "expected"),
    [
        ("xnli", ClassificationExample("1", "a", "b", 0), 2, ("entailment", "contradiction")),
        ("xcopa", MultipleChoiceExample("1", "p", ("yes", "no"), 1), 0, ("no", "yes")),
        (
            "wikiann",
            TaggingExample("1", ("Ann", "ran"), (1, 0)),
            (0, 0),
            ("Ann/B-PER ran", "Ann ran"),
        ),
        ("xquad", QUESTION, "Ann", ("Bo", "Ann")),
        ("squad_v2", ExtractiveQAExample("1", "Who?", "x", ()), "", (NO_ANSWER, NO_ANSWER)),
        ("tatoeba", BitextExample("1", "ja", "yes", 0), 0, ("yes", "yes")),
        ("bucc", BitextMiningExample("1", "ja", ("en-1",)), "", ("en-1", NO_ANSWER)),
        (
            "mewslix",
            RetrievalExample("1", "q", "Q1", None),
            {"ranked": ["Q2", "Q1", "Q3", "Q4"], "relevant": ["Q1"]},
            ("Q1", "Q2, Q1, Q3"),
        ),
        (
            "multichecklist_comparisons",
            ChecklistExample("1", (QUESTION, QUESTION)),
            ["Ann", "Bo"],
            ("Bo / Bo", "Ann / Bo"),
        ),
    ],
)
def test_gold_and_answer_in_words(
    card: str, example: Any, prediction: Any, expected: tuple[str, str]
) -> None:
    wording = ItemWording(open_catalogue().card(card), [example])
    assert (wording.gold(example), wording.answer(example, prediction)) == expected
    assert wording.texts(example)


def test_a_model_that_writes_shows_its_prompt() -> None:
    card = open_catalogue().card("xnli").in_language("en")
    example = ClassificationExample("1", "It rains.", "It is wet.", 0)
    item = ItemWording(card, [example]).item(example, 0, "en", is_right=True, prompted=True)
    assert item.prompt is not None and "It rains." in item.prompt and "It is wet" in item.prompt
