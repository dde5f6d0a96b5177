"""EM and F1 are those of the scripts of SQuAD 1.1, SQuAD 2.0 and MLQA, item by item."""

from __future__ import annotations

import pytest

from tests.parity.expected import marks, mlqa_words, squad2_marks, squad_words
from tests.parity.scoring import card, covers, question, score
from tests.parity.texts import answers
from xharness.task_types.qa_metrics import mlqa_tokens, squad_tokens

LANGUAGES = ["en", "es", "de", "vi", "ar", "hi", "zh"]

covers(
    "extractive_qa", "squad_mean", "exact_match", "f1", "mlqa_mean", "mlqa_exact_match", "mlqa_f1"
)
covers(
    "extractive_qa_unanswerable", "squad2_mean", "squad2_exact_match", "squad2_f1", "squad2_has_answer_f1",
    "squad2_no_answer_f1",
)  # fmt: skip


def _near(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def test_squad_1() -> None:
    task = card("extractive_qa")
    for given, golds in answers(seed=2, count=3000):
        exact, f1 = marks(given, golds, squad_words)
        item = [(question(golds), given)]
        assert score(task, "exact_match", item, "ar") == exact, (given, golds)
        assert score(task, "f1", item, "ar") == _near(float(f1)), (given, golds)
        assert score(task, "squad_mean", item, "ar") == _near(float(exact + f1) / 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_mlqa(language: str) -> None:
    task, words = card("extractive_qa"), mlqa_words(language)
    for given, golds in answers(seed=3, count=1000):
        assert mlqa_tokens(given, language) == words(given), given
        exact, f1 = marks(given, golds, words)
        item = [(question(golds), given)]
        assert score(task, "mlqa_exact_match", item, language) == exact, (given, golds)
        assert score(task, "mlqa_f1", item, language) == _near(float(f1)), (given, golds)
        assert score(task, "mlqa_mean", item, language) == _near(float(exact + f1) / 2)


def test_squad_2() -> None:
    task = card("extractive_qa_unanswerable")
    for place, (given, golds) in enumerate(answers(seed=4, count=3000)):
        kept = golds if place % 3 else []
        exact, f1 = squad2_marks(given, kept)
        item = [(question(kept), given)]
        assert score(task, "squad2_exact_match", item) == exact, (given, kept)
        assert score(task, "squad2_f1", item) == _near(float(f1)), (given, kept)
        assert score(task, "squad2_mean", item) == _near(float(exact + f1) / 2)


def test_squad_2_with_and_without_answers() -> None:
    task = card("extractive_qa_unanswerable")
    pairs = [
        (golds if place % 3 else [], given)
        for place, (given, golds) in enumerate(answers(seed=5, count=300))
    ]
    for name, answered in (("squad2_has_answer_f1", True), ("squad2_no_answer_f1", False)):
        some = [squad2_marks(given, golds)[1] for golds, given in pairs if bool(golds) == answered]
        items = ((question(golds), given) for golds, given in pairs)
        assert score(task, name, items) == _near(float(sum(some) / len(some)))


@pytest.mark.parametrize(
    ("text", "squad", "chinese"),
    [
        ("", [], []),
        ("The", [], ["the"]),
        ("的 北京，大学", ["的", "北京，大学"], ["的", "北", "京", "大", "学"]),
        ("３．５ kg", ["３．５", "kg"], ["３５", "kg"]),
        ("a\u0301", ["\u0301"], ["a\u0301"]),
        ("the\u200dre", ["\u200dre"], ["the\u200dre"]),
        ("US$5", ["us5"], ["us5"]),
    ],
)
def test_normalisation_by_example(text: str, squad: list[str], chinese: list[str]) -> None:
    """Zero-width joiners and combining marks end a word for the official rules, too."""
    assert squad_tokens(text) == squad == squad_words(text)
    assert mlqa_tokens(text, "zh") == chinese == mlqa_words("zh")(text)


@pytest.mark.parametrize("metric", ["squad_mean", "exact_match", "f1", "mlqa_mean"])
def test_nobody_answered_scores_nothing(metric: str) -> None:
    assert score(card("extractive_qa"), metric, []) == 0
    assert score(card("extractive_qa"), metric, [(question(["Rome"]), ""), (question([]), "")]) == 0
