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
        one = text(draw)
        assert cleaned(one, language) == checked(one, language), one


@pytest.mark.parametrize(
    ("language", "given", "same"),
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
def test_articles_and_full_stops_by_example(language: str, given: str, same: str) -> None:
    assert cleaned(given, language) == same


@pytest.mark.parametrize(("given", "other"), [("Ann", "ann"), ("Ann!", "Ann"), ("A nn", "Ann")])
def test_case_and_other_punctuation_count(given: str, other: str) -> None:
    assert cleaned(given, "en") != cleaned(other, "en")


def test_one_wrong_answer_fails_the_case() -> None:
    draw, task = random.Random(8), card("checklist")
    cases, passed = [], []
    for place in range(400):
        golds = [[text(draw), text(draw)][: draw.randint(1, 2)] for _ in range(draw.randint(1, 4))]
        given = [similar_text(draw, some[-1]) if draw.random() < 0.3 else some[0] for some in golds]
        parts = tuple(question(some, f"{place}.{at}") for at, some in enumerate(golds))
        cases.append((ChecklistExample(str(place), parts), given))
        passed.append(
            all(
                checked(answer, "en") in [checked(gold, "en") for gold in some]
                for answer, some in zip(given, golds, strict=True)
            )
        )
    share = sum(passed) / len(passed)
    assert 0.2 < share < 0.95
    assert score(task, "pass_rate", cases) == pytest.approx(share, abs=1e-9)
    assert score(task, "error_rate", cases) == pytest.approx(1 - share, abs=1e-9)
    assert score(task, "pass_rate", []) == score(task, "error_rate", []) == 0
