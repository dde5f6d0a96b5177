"""Retrieval, linking, mining and passages: what rows become, and how answers are scored."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xharness.errors import ConfigurationError, UnavailableError
from xharness.task_types import BUILTIN, sentences
from xharness.task_types.bitext_mining import BitextMiningExample, MinedPair, best_threshold, mine
from xharness.task_types.corpus import PassageExample
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.retrieval import Ranking, average_precision
from xharness.task_types.search import CandidateIndex, SearchRequest, TextRole, build_index
from xharness.testing import toy_card

TASK_TYPES: dict[str, Any] = {task_type.name: task_type for task_type in BUILTIN}
FIELDS = {
    "corpus": {"text": "text", "answers": "answers"},
    "retrieval": {"query": "question", "context": "context", "answers": "answers"},
    "entity_linking": {
        "context": "context", "mention": "mention_span", "relevant": "entity_id", "entity": "entity"
    },
    "bitext_mining": {"id": "id", "text": "text", "match": "match"},
}  # fmt: skip


def read(task_type: str, row: dict[str, Any], item: str = "1", **fields: str) -> Any:
    """The example that a card of `task_type` reads out of `row`."""
    card = toy_card("retrieval").model_copy(update={"fields": FIELDS[task_type] | fields})
    return TASK_TYPES[task_type].example(row, item, card)


# --- rows ------------------------------------------------------------------------------------


def test_a_passage_answers_one_or_several_or_nothing() -> None:
    assert read("corpus", {"text": " a ", "answers": ["q1", 2]}).answers == ("q1", "2")
    assert read("corpus", {"text": "a", "answers": "Q42"}).answers == ("Q42",)
    assert read("corpus", {"text": "a", "answers": None}).answers == ()


def test_a_passage_is_its_marked_sentences() -> None:
    row = {
        "text": "Ann lives.\n\nIn  York. Dropped.",
        "answers": [],
        "spans": [{"start": 0, "end": 10}, {"start": 12, "end": 21}],
    }
    assert read("corpus", row, sentences="spans").text == "Ann lives. In York."
    row["spans"] = [3]
    with pytest.raises(UnavailableError, match="not offsets of sentences"):
        read("corpus", row, sentences="spans")


@pytest.mark.parametrize(
    ("task_type", "row"),
    [
        ("corpus", {"text": "a\ud800", "answers": None}),
        ("bitext_mining", {"id": "1", "text": "a\ud800", "match": ""}),
        ("entity_linking", {
            "context": {"text": "Ann \ud800", "sentence_spans": [{"start": 0, "end": 5}]},
            "mention_span": {"start": 0, "end": 3},
            "entity_id": "Q1",
            "entity": {"description": "a", "sentence_spans": [{"start": 0, "end": 1}]},
        }),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_refused(task_type: str, row: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match="half of a surrogate pair"):
        read(task_type, row)


def test_a_positive_is_the_answers_sentence_and_its_context() -> None:
    context = "Ann is old.\nDr. Bo K. Lee is 9 years old. She is not."
    answers = {"text": ["9"], "answer_start": [context.index("9")]}
    example = read("retrieval", {"question": " How old? ", "context": context, "answers": answers})
    assert (example.id, example.relevant, example.query) == ("1", "1", "How old?")
    assert example.positive == "Dr. Bo K. Lee is 9 years old." + context.replace("\n", "")
    assert TASK_TYPES["retrieval"].learnable(example)


def test_an_answer_that_is_nowhere_gives_no_positive() -> None:
    row = {"question": "q", "context": "a b", "answers": [{"text": "c", "answer_start": 0}]}
    example = read("retrieval", row)
    assert example.positive is None
    assert not TASK_TYPES["retrieval"].learnable(example)


@given(st.text(alphabet='Ab. !?"\n。é1', max_size=60))
def test_splitting_loses_nothing_but_blanks(text: str) -> None:
    spans = [*sentences.split(text)]
    assert all(value[1] <= next_span[0] for value, next_span in pairwise(spans))
    joined = "".join(text[start:end] for start, end in spans)
    assert "".join(joined.split()) == "".join(text.split())


MENTION: dict[str, Any] = {
    "context": {
        "text": "Not this. {Ann}  saw York\nand left. Nor this.",
        "sentence_spans": [
            {"start": 0, "end": 9}, {"start": 10, "end": 35}, {"start": 36, "end": 45}
        ],
    },
    "mention_span": {"start": 21, "end": 25, "text": "York"},
    "entity_id": "Q42",
    "entity": {
        "description": "York is a city. It is old.",
        "sentence_spans": [{"start": 0, "end": 15}, {"start": 16, "end": 26}],
    },
}  # fmt: skip


def test_a_mention_stands_in_braces_in_its_sentence() -> None:
    example = read("entity_linking", MENTION)
    assert example.query == "York: (Ann) saw { York } and left."
    assert (example.relevant, example.positive) == ("Q42", "York is a city. It is old.")


def test_a_mention_across_sentences_gets_both() -> None:
    span = {"start": 4, "end": 13, "text": "this. {An"}
    example = read("entity_linking", MENTION | {"mention_span": span})
    assert example.query == "this. {An: Not { this. {An } n) saw York and left."


def test_a_mention_without_context_is_named() -> None:
    with pytest.raises(UnavailableError, match="not a mention in its context"):
        read("entity_linking", MENTION | {"context": {"text": "x"}})


@pytest.mark.parametrize(
    ("match", "matches"), [("", ()), ("e1", ("e1",)), (["e1", "e2"], ("e1", "e2"))]
)
def test_a_mined_sentence_has_no_match_or_some(match: Any, matches: tuple[str, ...]) -> None:
    assert read("bitext_mining", {"id": "1", "text": "a", "match": match}).matches == matches


# --- average precision -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranked", "relevant", "expected"),
    [
        ("abc", "a", 1),
        ("bca", "a", 1 / 3),
        ("bcd", "a", 0),
        ("xaxb", "ab", (1 / 2 + 2 / 4) / 2),
        ("ab", "abcd", (1 + 1) / 4),
        ("", "a", 0),
        ("abc", "", 0),
    ],
)
def test_average_precision(ranked: str, relevant: str, expected: float) -> None:
    ranking = Ranking(ranked=list(ranked), relevant=list(relevant))
    assert average_precision(ranking) == pytest.approx(expected, abs=1e-12)


def test_only_twenty_ranks_count() -> None:
    ranked = [str(index) for index in range(30)]
    assert average_precision(Ranking(ranked=ranked, relevant=["19"])) == 1 / 20
    assert average_precision(Ranking(ranked=ranked, relevant=["20"])) == 0
    # thirty right ones, twenty of them shown: nothing could be better
    assert average_precision(Ranking(ranked=ranked, relevant=ranked)) == pytest.approx(1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 25))
def test_it_is_scikit_learns_where_all_are_found(hits: list[bool], extra_count: int) -> None:
    """Average precision of a whole ranking; right ones that it lacks lower it in proportion."""
    from sklearn.metrics import average_precision_score

    ranked = [str(index) for index in range(len(hits))]
    found = [item for item, hit in zip(ranked, hits, strict=True) if hit]
    relevant = [*found, *(f"absent {number}" for number in range(extra_count))]
    if not relevant:
        return
    whole = average_precision_score(hits, -np.arange(len(hits))) if found else 0.0
    expected = whole * len(found) / min(len(relevant), 20)
    assert average_precision(Ranking(ranked=ranked, relevant=relevant)) == pytest.approx(
        expected, abs=1e-9
    )


# --- answering -------------------------------------------------------------------------------


def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
    """Letters as directions: texts are near that share letters."""
    rows = [np.bincount([ord(letter) % 64 for letter in text], minlength=64) for text in texts]
    counts = np.array(rows, dtype=np.float32).reshape(len(rows), 64)
    return VectorBlocks([counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)])


def test_passages_that_share_a_text_are_ranked_one_after_the_other() -> None:
    passages = [
        PassageExample("p1", "abc", ("1",)),
        PassageExample("p2", "xyz", ()),
        PassageExample("p3", "abc", ("1", "7")),
    ]
    example = read("retrieval", {"question": "cab", "context": "", "answers": []})
    (ranking,) = TASK_TYPES["retrieval"].search(
        SearchRequest([example], encode, build_index(passages, encode, "passage"))
    )
    assert ranking == {"ranked": ["p1", "p3", "p2"], "relevant": ["p1", "p3"]}


def test_what_needs_an_index_says_so() -> None:
    for task_type in ("retrieval", "entity_linking"):
        with pytest.raises(ConfigurationError, match="nothing to search"):
            TASK_TYPES[task_type].search(SearchRequest([], encode))


def test_mining_needs_something_to_tune_on() -> None:
    with pytest.raises(UnavailableError, match=r"(?s)no threshold.*'threshold_split'"):
        TASK_TYPES["bitext_mining"].search(
            SearchRequest([], encode, build_index([], encode, "sentence"))
        )


def test_pairs_below_the_tuned_threshold_are_left() -> None:
    texts = {"1": "abcd", "2": "efgh", "3": "ijkx", "4": "lmny"}
    foreign_texts = {**texts, "3": "ijxz", "5": "ijkq"}  # two that are somewhat like the third
    passages = [PassageExample(f"t{n}", text, ()) for n, text in foreign_texts.items()]
    request = SearchRequest(
        [BitextMiningExample(n, text, ()) for n, text in texts.items()],
        encode,
        build_index(passages, encode, "passage"),
    )
    task_type = TASK_TYPES["bitext_mining"]

    def given(*right: str) -> Sequence[str]:
        tuned = [
            BitextMiningExample(n, text, (f"t{n}",) if n in right else ())
            for n, text in texts.items()
        ]
        tuning = SearchRequest(tuned, encode, request.index)
        return task_type.search(SearchRequest(request.examples, encode, request.index, tuning))

    assert given("1", "2", "4") == ["t1", "t2", "", "t4"]
    assert given("1", "2", "3", "4") == ["t1", "t2", "t3", "t4"]
    assert given() == ["", "", "", ""]


def test_mining_is_scored_by_pairs() -> None:
    metric = TASK_TYPES["bitext_mining"].metrics["mining_f1"]
    items = [(("a",), "a"), (("b",), ""), ((), "c"), (("d",), "x"), ((), "")]
    rows = [
        metric.item(
            BitextMiningExample(str(n), "", matches), answer, toy_card("bitext_mining"), "de"
        )
        for n, (matches, answer) in enumerate(items)
    ]
    assert rows == [(1, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 0, 0)]
    assert metric.value(np.sum(rows, axis=0)) == pytest.approx(2 / (2 + 2 + 2))
    assert metric.value(np.zeros(3)) == 0


# --- margin, against the definition written out -------------------------------------------------


def side(name: str, rows: np.ndarray[Any, Any], repeats: Sequence[int] = ()) -> CandidateIndex:
    ids = [(f"{name}{n}", "again") if n in repeats else (f"{name}{n}",) for n in range(len(rows))]
    return CandidateIndex(ids, VectorBlocks([rows]), {})


def by_definition(x: Any, y: Any, k: int = 4) -> dict[tuple[int, int], float]:
    """Every pair's ratio margin, from the full matrix; pairs chosen greedily."""
    cosines = x.astype(float) @ y.astype(float).T
    mean_x = np.sort(cosines, axis=1)[:, ::-1][:, :k].mean(axis=1)
    mean_y = np.sort(cosines, axis=0)[::-1][:k].mean(axis=0)
    margins = cosines / ((mean_x[:, None] + mean_y) / 2)
    near_x = np.argsort(-cosines, axis=1)[:, :k]
    near_y = np.argsort(-cosines, axis=0)[:k]
    proposed = {(i, max(near_x[i], key=lambda j: margins[i, j])) for i in range(len(x))}
    proposed |= {(max(near_y[:, j], key=lambda i: margins[i, j]), j) for j in range(len(y))}
    scores: dict[tuple[int, int], float] = {}
    for i, j in sorted(proposed, key=lambda pair: -margins[pair]):
        if all(i != a and j != b for a, b in scores):
            scores[i, j] = margins[i, j]
    return scores


@pytest.mark.parametrize("seed", range(20))
def test_mined_pairs_are_those_of_the_definition(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sizes = draw.integers(1, 40, size=2)
    x, y = (abs(draw.standard_normal((size, 6))).astype(np.float32) for size in sizes)
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    mined = mine(side("s", x), side("t", y))
    expected = by_definition(x, y)
    assert {(pair.source, pair.target) for pair in mined} == {
        (f"s{i}", f"t{j}") for i, j in expected
    }
    assert np.allclose([pair.score for pair in mined], sorted(expected.values(), reverse=True))


def test_sentences_that_stand_twice_are_searched_but_not_kept() -> None:
    rows = np.eye(5, dtype=np.float32) * 0.8 + 0.2
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    mined = mine(side("s", rows, repeats=[1]), side("t", rows, repeats=[3]))
    assert {(pair.source, pair.target) for pair in mined} == {(f"s{n}", f"t{n}") for n in (0, 2, 4)}


def test_a_side_without_likeness_gives_nothing() -> None:
    sources, targets = np.zeros((3, 4), dtype=np.float32), np.zeros((2, 4), dtype=np.float32)
    sources[:, 0], targets[:, 1] = 1, 1
    assert mine(side("s", sources), side("t", targets)) == []


@pytest.mark.parametrize("seed", range(50))
def test_no_threshold_is_better(seed: int) -> None:
    draw = random.Random(seed)
    scores = sorted((draw.choice([1.0, 1.1, 1.2, 1.5]) for _ in range(12)), reverse=True)
    mined = [MinedPair(f"s{n}", f"t{n}", score) for n, score in enumerate(scores)]
    gold = {(f"s{n}", f"t{n}") for n in range(15) if draw.random() < 0.4}

    def f1(threshold: float) -> float:
        pairs = {(pair.source, pair.target) for pair in mined if pair.score >= threshold}
        return 2 * len(pairs & gold) / max(len(pairs) + len(gold), 1)

    best = max(f1(threshold) for threshold in (*scores, 9.0))
    assert f1(best_threshold(mined, gold)) == best


def test_a_pool_reads_each_text_once() -> None:
    read: list[str] = []

    def count(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        read.extend(texts)
        return encode(read, role)

    passages = [PassageExample(f"{a}{b}", a, ()) for a, b in product("xyz", "12")]
    assert [*build_index(passages, count, "passage").ids] == [
        ("x1", "x2"),
        ("y1", "y2"),
        ("z1", "z2"),
    ]
    assert read == ["x", "y", "z"]
