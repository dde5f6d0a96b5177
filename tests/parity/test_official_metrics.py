"""Metrics equal the official definitions: seqeval, and the SQuAD and MLQA scripts' rules."""

from __future__ import annotations

import random
import re
import string
import unicodedata
import warnings
from collections import Counter

import numpy as np
import pytest
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from xharness.cards import TaskCard
from xharness.kinds import Answer, Metric, SpanExample, TaggingExample
from xharness.kinds.chunks import CHUNK_F1, SPAN_F1, chunks
from xharness.kinds.qa_metrics import METRICS, mlqa_tokens
from xharness.testing import toy_card

UPOS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
]  # fmt: skip
IOB2 = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def _card(labels: list[str]) -> TaskCard:
    return toy_card("tagging").model_copy(update={"labels": tuple(labels)})


@pytest.mark.parametrize("labels", [UPOS, IOB2, [*IOB2, "E-PER", "S-LOC", "E-LOC"]])
def test_chunks_are_those_of_seqeval(labels: list[str]) -> None:
    draw = random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3000):
            tags = draw.choices(labels, k=draw.randint(0, 12))
            assert chunks(tags) == set(get_entities(tags)), tags


def _sentence(draw: random.Random, labels: list[str], length: int) -> list[int]:
    """Tags that do not begin with X, for the reason that the next test shows."""
    tags = draw.choices(range(len(labels)), k=length)
    return tags if labels[tags[0]] != "X" else [0, *tags[1:]]


def _f1(metric: Metric, labels: list[str], gold: list[list[int]], given: list[list[int]]) -> float:
    rows = [
        metric.item(TaggingExample(str(i), ("w",) * len(g), tuple(g)), p, _card(labels), "en")
        for i, (g, p) in enumerate(zip(gold, given, strict=True))
    ]
    return float(metric.value(np.sum(rows, axis=0)))


def _seqeval_f1(labels: list[str], gold: list[list[int]], given: list[list[int]]) -> float:
    names = [[[labels[tag] for tag in tags] for tags in part] for part in (gold, given)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(f1_score(names[0], names[1]))


@pytest.mark.parametrize(("labels", "metric"), [(UPOS, CHUNK_F1), (IOB2, SPAN_F1)])
def test_f1_over_a_corpus_is_seqevals(labels: list[str], metric: Metric) -> None:
    draw = random.Random(1)
    for _ in range(60):
        gold = [_sentence(draw, labels, draw.randint(1, 9)) for _ in range(20)]
        other = [_sentence(draw, labels, len(tags)) for tags in gold]
        given = [
            [right if draw.random() < 0.7 else wrong for right, wrong in zip(*pair, strict=True)]
            for pair in zip(gold, other, strict=True)
        ]
        official = _seqeval_f1(labels, gold, given)
        assert _f1(metric, labels, gold, given) == pytest.approx(official, abs=1e-12)


def test_a_sentence_that_begins_with_x_is_where_we_differ() -> None:
    """seqeval joins sentences and loses where such an X begins; here a sentence stands alone."""
    noun, verb, x = map(UPOS.index, ("NOUN", "VERB", "X"))
    gold, given = [[noun, verb], [x, verb]], [[noun, noun], [x, verb]]
    assert _seqeval_f1(UPOS, gold, given) < _f1(CHUNK_F1, UPOS, gold, given)


def test_cconj_and_sconj_are_one_type() -> None:
    """Since seqeval 0.0.16 the first letter is a prefix, so the two cannot be told apart."""
    assert chunks(["CCONJ", "NOUN"]) == chunks(["SCONJ", "NOUN"])


# --- question answering: the rules written out independently of the implementation -------------


def _official_squad(text: str) -> str:
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


PUNCTUATION = set(string.punctuation) | {
    chr(i) for i in range(0x110000) if unicodedata.category(chr(i)).startswith("P")
}


def _official_mlqa(text: str, language: str) -> str:
    text = "".join(ch for ch in text.lower() if ch not in PUNCTUATION)
    articles = {
        "en": r"\b(a|an|the)\b",
        "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
        "hi": None,
        "vi": r"\b(của|là|cái|chiếc|những)\b",
        "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
        "ar": "\\sال^|ال",
        "zh": None,
    }[language]
    if articles:
        text = re.sub(articles, " ", text)
    if language != "zh":
        return " ".join(t for t in text.split() if t.strip())
    out, run = [], ""
    for ch in text:
        if re.search(r"[\u4e00-\u9fa5]", ch):
            out += run.split()
            out.append(ch)
            run = ""
        else:
            run += ch
    return " ".join(out + run.split())


def _official_f1(one: str, other: str) -> float:
    a, b = one.split(), other.split()
    same = sum((Counter(a) & Counter(b)).values())
    return (
        0.0
        if same == 0
        else 2 * (same / len(a)) * (same / len(b)) / (same / len(a) + same / len(b))
    )


PIECES = [
    "the", "The", "a", "an", "Paris", "ال", "البيت", "das", "Haus", "el", "los", "của", "北京",
    "大学", "x北", "१२", "\u200d", "\u200f", "，", "。", "!", "'s", "-", "«", "»", "é", "e\u0301",
    "３", " ", "\u00a0", "1,000", "$5", "",
]  # fmt: skip


def _texts(draw: random.Random) -> list[str]:
    return [
        "".join(draw.choice(PIECES) + draw.choice(["", " "]) for _ in range(draw.randint(0, 6)))
        for _ in range(3)
    ]


def test_squad_exact_match_and_f1() -> None:
    draw = random.Random(2)
    card = toy_card("span")
    for _ in range(3000):
        given, *golds = _texts(draw)
        example = SpanExample("0", "q", "c", tuple(Answer(gold, 0) for gold in golds))
        em = max(float(_official_squad(given) == _official_squad(gold)) for gold in golds)
        f1 = max(_official_f1(_official_squad(given), _official_squad(gold)) for gold in golds)
        assert METRICS["exact_match"].item(example, given, card, "ar")[0] == em
        assert METRICS["f1"].item(example, given, card, "ar")[0] == pytest.approx(f1, abs=1e-12)
        assert METRICS["squad_mean"].item(example, given, card, "ar")[0] == pytest.approx(
            (em + f1) / 2
        )


@pytest.mark.parametrize("language", ["en", "es", "de", "vi", "ar", "hi", "zh"])
def test_mlqa_normalises_by_language(language: str) -> None:
    draw = random.Random(3)
    card = toy_card("span")
    normal = {text: _official_mlqa(text, language) for _ in range(4) for text in _texts(draw)}
    for given, official in normal.items():
        assert " ".join(mlqa_tokens(given, language)) == official, given
        for gold, official_gold in normal.items():
            example = SpanExample("0", "q", "c", (Answer(gold, 0),))
            em, f1 = float(official == official_gold), _official_f1(official, official_gold)
            assert METRICS["mlqa_exact_match"].item(example, given, card, language)[0] == em
            assert METRICS["mlqa_f1"].item(example, given, card, language)[0] == pytest.approx(f1)
