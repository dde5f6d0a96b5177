"""A case of MultiCheckList passes where the official code lets it pass."""

from __future__ import annotations

import random

import pytest

from tests.parity.expected import WHOLE_WORDS, checked
from tests.parity.scoring import card, covers, question, score
from tests.parity.texts import similar_text, text
from xharness.task_types.checklist import ChecklistExample, cleaned

covers("checklist", "pass_rate", "error_rate")


@pytest.mark.parametrize("language", [*WHOLE_WORDS, "pl", "sw", "zh", "ru"])
def test_answers_are_compared_as_the_official_code_does(language: str) -> None:
    draw = random.Random(7)
    for _ in range(200):
        sample = text(draw)
        assert cleaned(sample, language) == checked(sample, language), sample


@pytest.mark.parametrize(
    ("language", "answer", "gold"),
    [
        ("bn", "একজনশিক্ষক৷", "শিক্ষক"),
        ("hi", "एक शिक्षक৷", "शिक्षक"),
        ("pa", "ਇੱਕ ਅਧਿਆਪਕ।", "ਅਧਿਆਪਕ"),
        ("ta", "ஒருஆசிரியர்", "ஆசிரியர்"),
        ("ar", "المعلم", "معلم"),
        ("af", "’n onderwyser", "onderwyser"),
        ("ur", "استاد\u200f", "استاد"),
    ],
)
def test_articles_and_full_stops_by_example(language: str, answer: str, gold: str) -> None:
    assert cleaned(answer, language) == gold


@pytest.mark.parametrize(("answer", "gold"), [("Ann", "ann"), ("Ann!", "Ann"), ("A nn", "Ann")])
def test_case_and_other_punctuation_count(answer: str, gold: str) -> None:
    assert cleaned(answer, "en") != cleaned(gold, "en")


def test_one_wrong_answer_fails_the_case() -> None:
    draw, task = random.Random(8), card("checklist")
    cases, passed = [], []
    for index in range(400):
        golds = [[text(draw), text(draw)][: draw.randint(1, 2)] for _ in range(draw.randint(1, 4))]
        answers = [
            similar_text(draw, texts[-1]) if draw.random() < 0.3 else texts[0] for texts in golds
        ]
        parts = tuple(question(texts, f"{index}.{number}") for number, texts in enumerate(golds))
        cases.append((ChecklistExample(str(index), parts), answers))
        passed.append(
            all(
                checked(answer, "en") in [checked(gold, "en") for gold in texts]
                for answer, texts in zip(answers, golds, strict=True)
            )
        )
    share = sum(passed) / len(passed)
    assert 0.2 < share < 0.95
    assert score(task, "pass_rate", cases) == pytest.approx(share, abs=1e-9)
    assert score(task, "error_rate", cases) == pytest.approx(1 - share, abs=1e-9)
    assert score(task, "pass_rate", []) == score(task, "error_rate", []) == 0
