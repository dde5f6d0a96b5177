"""Span F1, and XTREME's F1 over bare tags, are seqeval's."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import pytest
from seqeval.metrics import accuracy_score, f1_score
from seqeval.metrics.sequence_labeling import get_entities

from tests.parity.scoring import card, covers, score
from xharness.task_types.tagging import TaggingExample, chunks

covers("tagging", "span_f1", "chunk_f1", "token_accuracy")

UPOS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
]  # fmt: skip
IOB2 = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
Sentences = list[list[int]]


@pytest.mark.parametrize("labels", [UPOS, IOB2, [*IOB2, "E-PER", "S-LOC", "E-LOC"]])
def test_chunks_are_those_of_seqeval(labels: list[str]) -> None:
    draw = random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3000):
            tags = draw.choices(labels, k=draw.randint(0, 12))
            assert chunks(tags) == set(get_entities(tags)), tags


def _sentence(draw: random.Random, labels: Sequence[str], length: int) -> list[int]:
    """Tags that do not begin with X, for the reason that a test below shows."""
    tags = draw.choices(range(len(labels)), k=length)
    return tags if not tags or labels[tags[0]] != "X" else [0, *tags[1:]]


def _corpus(draw: random.Random, labels: list[str], right: float) -> tuple[Sentences, Sentences]:
    """Gold and given tags; a share of the given ones is right; some sentences are empty."""
    gold = [_sentence(draw, labels, draw.randint(0, 9)) for _ in range(20)]
    random_tags = [_sentence(draw, labels, len(tags)) for tags in gold]
    predictions = [
        [tag if draw.random() < right else two for tag, two in zip(*pair, strict=True)]
        for pair in zip(gold, random_tags, strict=True)
    ]
    return gold, predictions


def _ours(metric: str, labels: list[str], gold: Sentences, predictions: Sentences) -> float:
    examples = [
        TaggingExample(str(index), ("w",) * len(tags), tuple(tags))
        for index, tags in enumerate(gold)
    ]
    return score(card("tagging", labels), metric, zip(examples, predictions, strict=True))


def _named(labels: list[str], sentences: Sentences) -> list[list[str]]:
    return [[labels[tag] for tag in tags] for tags in sentences]


def _seqeval_f1(labels: list[str], gold: Sentences, predictions: Sentences) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(f1_score(_named(labels, gold), _named(labels, predictions)))


@pytest.mark.parametrize(("labels", "metric"), [(UPOS, "chunk_f1"), (IOB2, "span_f1")])
def test_f1_over_a_corpus_is_seqevals(labels: list[str], metric: str) -> None:
    draw = random.Random(1)
    for round_ in range(120):
        gold, predictions = _corpus(draw, labels, right=round_ % 5 / 4)
        official = _seqeval_f1(labels, gold, predictions)
        assert _ours(metric, labels, gold, predictions) == pytest.approx(official, abs=1e-9)


def test_token_accuracy_is_seqevals() -> None:
    draw = random.Random(2)
    for _ in range(60):
        gold, predictions = _corpus(draw, UPOS, right=0.6)
        official = accuracy_score(_named(UPOS, gold), _named(UPOS, predictions))
        assert _ours("token_accuracy", UPOS, gold, predictions) == pytest.approx(official, abs=1e-9)


@pytest.mark.parametrize("metric", ["span_f1", "chunk_f1", "token_accuracy"])
def test_no_words_and_no_entities_score_nothing(metric: str) -> None:
    assert _ours(metric, IOB2, [], []) == 0
    assert _ours(metric, IOB2, [[], []], [[], []]) == 0
    if metric == "span_f1":
        gold, empty = [[1, 2, 0, 5]], [[0, 0, 0, 0]]
        assert _ours(metric, IOB2, gold, empty) == _seqeval_f1(IOB2, gold, empty) == 0
        assert _ours(metric, IOB2, empty, empty) == _seqeval_f1(IOB2, empty, empty) == 0


def test_a_sentence_that_begins_with_x_is_where_we_differ() -> None:
    """seqeval joins sentences and loses where such an X begins; here a sentence stands alone."""
    noun, verb, x = map(UPOS.index, ("NOUN", "VERB", "X"))
    gold, predictions = [[noun, verb], [x, verb]], [[noun, noun], [x, verb]]
    assert _seqeval_f1(UPOS, gold, predictions) < _ours("chunk_f1", UPOS, gold, predictions)


def test_cconj_and_sconj_are_one_type() -> None:
    """Since seqeval 0.0.16 the first letter is a prefix, so the two cannot be told apart."""
    assert chunks(["CCONJ", "NOUN"]) == chunks(["SCONJ", "NOUN"])
