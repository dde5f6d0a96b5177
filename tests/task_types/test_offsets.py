"""Answers stand where their context has them, are put there, or are not learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.task_types.base import AnswerRepairs
from xharness.task_types.extractive_qa import (
    ExtractiveQA,
    ExtractiveQAExample,
    ExtractiveQAUnanswerable,
    GoldAnswer,
)
from xharness.testing import toy_card

CARD = toy_card("extractive_qa").model_copy(
    update={"fields": {name: name for name in ("question", "context", "answers")}}
)
STRIPPED = {"ar": 26, "en": 5, "es": 5, "hi": 13, "ru": 5, "th": 10, "vi": 5, "zh": 100}
"""Questions of XQuAD whose offset is wrong once contexts are stripped; the other languages: 0."""
letters = st.text(alphabet="ab \u3000北\u0301", max_size=12)


def _read(
    context: str, answers: dict[str, list[Any]], task_type: ExtractiveQA | None = None
) -> ExtractiveQAExample:
    row = {"question": "q", "context": context, "answers": answers}
    return (task_type or ExtractiveQA()).example(row, "0", CARD)


@given(letters, st.data())
def test_an_answer_is_where_the_text_is_or_nowhere(context: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(-3, len(context) + 3))
    text = data.draw(
        st.text(alphabet="ab", max_size=3)
        | st.sampled_from([context[i : i + 2] for i in range(len(context) + 1)])
    )
    (answer,) = _read(context, {"text": [text], "answer_start": [start]}).answers
    if answer.start < 0:
        assert not text or text not in context
        assert not answer.moved
    else:
        assert context[answer.start :].startswith(text)
        assert answer.moved == (answer.start != start)


@given(letters, st.integers(0, 4), st.data())
def test_a_right_offset_is_left_alone(context: str, length: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, max(len(context) - 1, 0)))
    text = context[start : start + length]
    (answer,) = _read(context, {"text": [text], "answer_start": [start]}).answers
    assert answer == (GoldAnswer(text, start) if text else GoldAnswer("", -1))


def test_the_nearest_of_several_places_is_taken() -> None:
    answers = {"text": ["Rom", "Rom", "Ulm"], "answer_start": [9, 2, 0]}
    example = _read("Rom, 3 Rom, Rom", answers)
    assert example.answers == (
        GoldAnswer("Rom", 7, True),
        GoldAnswer("Rom", 0, True),
        GoldAnswer("Ulm", -1),
    )
    assert ExtractiveQA().repairs(example) == AnswerRepairs(moved=2, answers=3)


def test_an_answer_that_is_nowhere_is_scored_but_not_learnt_from() -> None:
    example = _read("Rom", {"text": ["Ulm"], "answer_start": [0]})
    assert not ExtractiveQA().learnable(example)
    assert not ExtractiveQAUnanswerable().learnable(example)
    metric = ExtractiveQA().metrics["exact_match"]
    assert metric.item(example, "ulm", CARD, "en") == (1.0, 1.0)


def test_no_answer_is_learnt_only_where_it_may_be() -> None:
    example = _read("Rom", {"text": [], "answer_start": []}, ExtractiveQAUnanswerable())
    assert ExtractiveQAUnanswerable().learnable(example)
    assert not ExtractiveQA().learnable(example)


def _rows(file: Path) -> list[dict[str, Any]]:
    with pq.ParquetFile(file) as table:
        return list(table.read().to_pylist())


def _stripped(row: dict[str, Any]) -> tuple[ExtractiveQAExample, list[int]]:
    """The row as the public copies have it, and the places that would be right."""
    context, answers = row["context"], row["answers"]
    lead = len(context) - len(context.lstrip())
    return _read(context.strip(), answers), [start - lead for start in answers["answer_start"]]


@pytest.mark.data
@pytest.mark.parametrize("language", ["de", "el", "ro", "tr", *STRIPPED])
def test_xquad_is_repaired_where_a_stripped_copy_is_wrong(data_root: Path, language: str) -> None:
    """The data root has contexts as published, so what is right is known."""
    (file,) = data_root.glob(f"google/xquad/xquad.{language}/validation-*.parquet")
    moved = 0
    for row in _rows(file):
        example, right = _stripped(row)
        assert [answer.start for answer in example.answers] == right, row["id"]
        moved += ExtractiveQA().repairs(example).moved
        assert ExtractiveQA().repairs(_read(row["context"], row["answers"])) == AnswerRepairs(
            0, len(right)
        )
    assert moved == STRIPPED.get(language, 0)


@pytest.mark.data
@pytest.mark.parametrize(("split", "moved"), [("train", 842), ("validation", 177)])
def test_tydiqa_is_repaired_where_a_stripped_copy_is_wrong(
    data_root: Path, split: str, moved: int
) -> None:
    files = data_root.glob(f"google-research-datasets/tydiqa/secondary_task/{split}-*.parquet")
    pairs = [_stripped(row) for file in files for row in _rows(file)]
    assert all([answer.start for answer in example.answers] == right for example, right in pairs)
    assert sum(ExtractiveQA().repairs(example).moved for example, _ in pairs) == moved


@pytest.mark.data
def test_no_answer_of_mlqa_is_lost(data_root: Path) -> None:
    files = sorted(data_root.glob("google/xtreme/MLQA.*/validation-*.parquet"))
    rows = [row for file in files for row in _rows(file)]
    assert len(rows) == 4199
    assert all(ExtractiveQA().learnable(_read(row["context"], row["answers"])) for row in rows)
