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
    "extractive_qa_unanswerable",
    "squad2_mean",
    "squad2_exact_match",
    "squad2_f1",
    "squad2_has_answer_f1",
    "squad2_no_answer_f1",
)


def _near(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def test_squad_1() -> None:
    task = card("extractive_qa")
    for answer, golds in answers(seed=2, count=3000):
        exact, f1 = marks(answer, golds, squad_words)
        item = [(question(golds), answer)]
        assert score(task, "exact_match", item, "ar") == exact, (answer, golds)
        assert score(task, "f1", item, "ar") == _near(float(f1)), (answer, golds)
        assert score(task, "squad_mean", item, "ar") == _near(float(exact + f1) / 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_mlqa(language: str) -> None:
    task, words = card("extractive_qa"), mlqa_words(language)
    for answer, golds in answers(seed=3, count=1000):
        assert mlqa_tokens(answer, language) == words(answer), answer
        exact, f1 = marks(answer, golds, words)
        item = [(question(golds), answer)]
        assert score(task, "mlqa_exact_match", item, language) == exact, (answer, golds)
        assert score(task, "mlqa_f1", item, language) == _near(float(f1)), (answer, golds)
        assert score(task, "mlqa_mean", item, language) == _near(float(exact + f1) / 2)


def test_squad_2() -> None:
    task = card("extractive_qa_unanswerable")
    for index, (answer, golds) in enumerate(answers(seed=4, count=3000)):
        kept_golds = golds if index % 3 else []
        exact, f1 = squad2_marks(answer, kept_golds)
        item = [(question(kept_golds), answer)]
        assert score(task, "squad2_exact_match", item) == exact, (answer, kept_golds)
        assert score(task, "squad2_f1", item) == _near(float(f1)), (answer, kept_golds)
        assert score(task, "squad2_mean", item) == _near(float(exact + f1) / 2)


def test_squad_2_with_and_without_answers() -> None:
    task = card("extractive_qa_unanswerable")
    pairs = [
        (golds if index % 3 else [], answer)
        for index, (answer, golds) in enumerate(answers(seed=5, count=300))
    ]
    for name, has_answer in (("squad2_has_answer_f1", True), ("squad2_no_answer_f1", False)):
        marks_of_kind = [
            squad2_marks(answer, golds)[1] for golds, answer in pairs if bool(golds) == has_answer
        ]
        items = ((question(golds), answer) for golds, answer in pairs)
        assert score(task, name, items) == _near(float(sum(marks_of_kind) / len(marks_of_kind)))


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
