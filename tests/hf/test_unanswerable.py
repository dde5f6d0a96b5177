"""No answer: learnt as position 0, and given where it scores higher than every span."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.hf import tiny
from xharness.plugin.api import Recipe
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness_hf.backbone.batch import Feature, Layout, Window, collate
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.files import loading
from xharness_hf.heads.extractive_qa import SpanPrediction
from xharness_hf.heads.tasks import TASKS

TASK = TASKS["extractive_qa_unanswerable"]
CONTEXT = "the red bird flies"
EXAMPLE = ExtractiveQAExample("0", "who flies", CONTEXT, (GoldAnswer("bird", 8),))


@pytest.fixture(scope="module")
def tokens(folders: dict[str, Path]) -> Tokens:
    return Tokens(loading.tokenizer(folders["bert"]), causal=False)


def _joined(*predictions: SpanPrediction) -> str:
    features = [Feature((Window(torch.zeros(1).int().numpy(), 0),), 0) for _ in predictions]
    (answer,) = TASK.join([EXAMPLE], features, list(predictions))
    return str(answer)


@pytest.mark.parametrize(
    ("windows", "answer"),
    [
        ([(1.0, 0.5)], "bird"),
        ([(1.0, 1.5)], ""),
        ([(1.0, 1.0)], "bird"),  # as BERT's code has it: none must score higher, not as high
        ([(1.0, 1.5), (0.2, 0.9)], "bird"),  # the least score of none, of whatever window
        ([(1.0, 1.5), (0.2, 1.2)], ""),
        ([(float("-inf"), 0.1)], ""),
    ],
)
def test_none_is_weighed_against_the_best_span(
    windows: list[tuple[float, float]], answer: str
) -> None:
    assert (
        _joined(*(SpanPrediction(score, 8, 12, null_score) for score, null_score in windows))
        == answer
    )


def test_a_question_without_an_answer_is_learnt_as_position_0(tokens: Tokens) -> None:
    silent = ExtractiveQAExample("1", "who flies", CONTEXT, ())
    features = TASK.features([EXAMPLE, silent], tokens, Recipe(), gold=True)
    (start, end), unanswered_gold = features[0].gold[:2], features[1].gold[:2]
    assert 0 < start <= end
    assert unanswered_gold == (0, 0)


def test_the_score_of_none_is_that_of_position_0(tokens: Tokens) -> None:
    features = TASK.features([EXAMPLE], tokens, Recipe(), gold=False)
    batch = collate(features, Layout(tokens.pad), torch.device("cpu"))
    logits = torch.randn(*batch.ids.shape, 2, generator=torch.Generator().manual_seed(1))
    (prediction,) = TASK.answers(logits, lambda states: states, batch, Recipe()).result()
    assert prediction.null_score == pytest.approx(float(logits[0, 0].sum()))


def test_both_heads_are_told_apart(folders: dict[str, Path], tmp_path: Path) -> None:
    model = tiny.start(folders["bert"])
    model.fit([tiny.feed("extractive_qa_unanswerable")], tiny.RECIPE, tiny.session(tmp_path))
    card = tiny.feed("extractive_qa_unanswerable").card
    answers = model.predict(
        card, tiny.TASK_TYPES["extractive_qa_unanswerable"], [EXAMPLE], tiny.RECIPE
    )
    assert isinstance(answers[0], str)
    with pytest.raises(Exception, match="answers extractive_qa_unanswerable with 2 outputs"):
        model.predict(card, tiny.TASK_TYPES["extractive_qa"], [EXAMPLE], tiny.RECIPE)
