"""Chance floors: the best answer that doesn't look at the item."""

from __future__ import annotations

import pytest

from tests.parity.scoring import card
from xharness.task_types.bitext_retrieval import BitextExample, BitextRetrieval
from xharness.task_types.classification import Classification, ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoice, MultipleChoiceExample
from xharness.task_types.scoring import LEAST, commonest, floor
from xharness.task_types.tagging import Tagging, TaggingExample


def _classified(labels):
    return [
        ClassificationExample(str(index), "text", None, label) for index, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 0, 0, 1], 0.75), ([0, 1, 2, 0, 1, 2], 1 / 3), ([0], 1.0)]
)
def test_classification_has_the_majority_share_and_no_less_than_a_uniform_guess(labels, expected):
    three = card("classification", ["a", "b", "c"])
    metric = Classification.metrics["accuracy"]
    value = floor(Classification(), metric, _classified(labels), three, "en")
    assert value == pytest.approx(expected)


def test_choice_has_the_share_of_the_commonest_place():
    items = [
        MultipleChoiceExample(str(index), "p", ("x", "y"), int(index > 2)) for index in range(5)
    ]
    two = card("multiple_choice", ["0", "1"])
    assert floor(
        MultipleChoice(), MultipleChoice.metrics["accuracy"], items, two, "en"
    ) == pytest.approx(0.6)


def test_tagging_has_the_best_single_tag_under_its_own_metric():
    tags = card("tagging", ["NOUN", "VERB", "DET"])
    items = [TaggingExample("1", ("a", "b", "c"), (0, 0, 1)), TaggingExample("2", ("d",), (0,))]
    accuracy, chunks = (Tagging.metrics[name] for name in ("token_accuracy", "chunk_f1"))
    assert floor(Tagging(), accuracy, items, tags, "en") == pytest.approx(3 / 4)
    assert floor(Tagging(), chunks, items, tags, "en") == pytest.approx(2 * 1 / (2 + 1 + 2))


def test_question_answering_has_at_least_five_points():
    questions = card("extractive_qa")
    context = " ".join(f"word{index}" for index in range(500))
    long = [ExtractiveQAExample("1", "q", context, (GoldAnswer("word3", 18),))]
    short = [ExtractiveQAExample("1", "q", "word3 word4", (GoldAnswer("word3", 0),))]
    f1 = next(metric for name, metric in ExtractiveQA.metrics.items() if name.endswith("f1"))
    assert floor(ExtractiveQA(), f1, long, questions, "en") == LEAST
    assert floor(ExtractiveQA(), f1, short, questions, "en") == pytest.approx(2 / 3)


def test_retrieval_has_one_of_its_items():
    items = [BitextExample(str(index), "s", "t", index) for index in range(50)]
    metric = BitextRetrieval.metrics["accuracy"]
    assert floor(BitextRetrieval(), metric, items, card("bitext_retrieval"), "sw") == pytest.approx(
        1 / 50
    )


def test_without_items_there_is_no_floor():
    metric = Classification.metrics["accuracy"]
    assert floor(Classification(), metric, [], card("classification", ["a"]), "en") is None


def test_the_commonest_answer_is_named_with_its_share():
    two = card("classification", ["yes", "no"])
    assert commonest(Classification(), [1, 1, 1, 0], two) == ("no", 0.75)
    tags = card("tagging", ["O", "B-PER"])
    assert commonest(Tagging(), [[0, 0], [0], [0, 1]], tags) == ("O", pytest.approx(2 / 3))
    assert commonest(ExtractiveQA(), ["", "", "x"], card("extractive_qa")) == (
        "",
        pytest.approx(2 / 3),
    )
    assert commonest(ExtractiveQA(), ["\x05\r"], card("extractive_qa")) == (r"\x05\x0d", 1.0)
    assert commonest(BitextRetrieval(), [1, 2], card("bitext_retrieval")) is None
    assert commonest(Tagging(), [[0, 1]], tags) is None


def test_a_task_type_says_itself_what_may_be_answered_blindly():
    class Sentiment(Classification):
        def constant_answers(self, examples):
            return [lambda example: 2]

    three = card("classification", ["a", "b", "c"])
    metric = Classification.metrics["accuracy"]
    examples = _classified([0, 0, 2, 2, 2])
    assert floor(Sentiment(), metric, examples, three, "en") == pytest.approx(0.6)
    assert floor(Sentiment(), metric, _classified([0, 0, 1]), three, "en") == pytest.approx(1 / 3)
