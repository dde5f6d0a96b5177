"""The wrong-language rate asks py3langid: its ranking of all languages names the same one."""

from __future__ import annotations

import random

import pytest
from py3langid import langid

from tests.parity.scoring import card, covers, score
from tests.parity.texts import similar_text, text
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer

covers("extractive_qa", "wrong_language")
EVERY = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
CODES = ("en", "de", "es", "ru", "ar", "sw")
SAID = ["the man went home", "der Mann ging heim", "el hombre fue a casa", "человек пошёл домой",
        "ذهب الرجل إلى البيت", "mtu alikwenda nyumbani"]  # fmt: skip


@pytest.mark.parametrize("language", ["de", "ar"])
def test_wrong_language(language: str) -> None:
    draw = random.Random(language)
    task = card("extractive_qa").model_copy(update={"languages": CODES})
    items, wrong = [], []
    for index in range(400):
        answer = similar_text(draw, draw.choice(SAID)) if draw.random() < 0.7 else text(draw)
        context = similar_text(draw, answer)
        items.append((ExtractiveQAExample(str(index), "?", context, (GoldAnswer("a", 0),)), answer))
        stripped = answer.strip()
        if sum(letter.isalpha() for letter in stripped):
            wrong.append(not context.count(stripped) and _first(stripped) != language)
    assert 0.1 < sum(wrong) / len(wrong) < 0.9
    rate = score(task, "wrong_language", items, language)
    assert rate == pytest.approx(sum(wrong) / len(wrong), abs=1e-9)


def _first(answer: str) -> str:
    """The best of the languages in a ranking of all."""
    return next(code for code, _ in EVERY.rank(answer) if code in CODES)
