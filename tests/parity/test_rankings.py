"""Rankings, mined pairs and nearest neighbours: scikit-learn, faiss, and exhaustive search."""

from __future__ import annotations

import random
from collections.abc import Iterable

import faiss
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from tests.parity.scoring import TASK_TYPES, card, covers, score
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.neighbours import VectorBlocks, nearest
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.search import SearchRequest, TextRole

covers("retrieval", "map_at_20")
covers("entity_linking", "map_at_20")
covers("bitext_mining", "mining_f1")

QUERY = RetrievalExample("0", "q", "0", None)


def _precision(ranked: list[str], relevant: list[str]) -> float:
    ranking = {"ranked": ranked, "relevant": relevant}
    value = score(card("retrieval"), "map_at_20", [(QUERY, ranking)])
    assert score(card("entity_linking"), "map_at_20", [(QUERY, ranking)]) == value
    return value


def test_average_precision_is_scikit_learns_where_nothing_is_cut_off() -> None:
    draw = random.Random(9)
    for _ in range(1000):
        pool = [str(index) for index in range(draw.randint(1, 20))]
        right = draw.sample(pool, draw.randint(1, len(pool)))
        draw.shuffle(pool)
        official = average_precision_score(
            [item in right for item in pool], [-index for index in range(len(pool))]
        )
        assert _precision(pool, right) == pytest.approx(official, abs=1e-9)


def test_average_precision_is_cut_off_at_20() -> None:
    draw = random.Random(10)
    for _ in range(1000):
        pool = [str(index) for index in range(60)]
        right = draw.sample(pool, draw.choice([1, 1, 2, 11, 20, 40]))
        draw.shuffle(pool)
        ranks = [rank for rank, item in enumerate(pool[:20], 1) if item in right]
        precisions = [nth / rank for nth, rank in enumerate(ranks, 1)]
        expected = sum(precisions) / min(len(right), 20)
        assert _precision(pool, right) == pytest.approx(expected, abs=1e-9)
        if len(right) == 1:
            assert expected == (1 / ranks[0] if ranks else 0), "one right: reciprocal rank"


def test_no_ranking_and_nothing_right_score_nothing() -> None:
    assert _precision([], ["a"]) == _precision(["a"], []) == _precision([], []) == 0
    assert score(card("retrieval"), "map_at_20", []) == 0


def test_the_f1_of_mined_pairs_is_scikit_learns() -> None:
    draw, task = random.Random(11), card("bitext_mining")
    for _ in range(60):
        items = []
        for index in range(draw.randint(0, 50)):
            gold = draw.choice(["", "", str(draw.randrange(30))])
            answer = draw.choice([gold, gold, "", str(draw.randrange(30))])
            items.append((BitextMiningExample(str(index), "t", (gold,) if gold else ()), answer))
        gold_pairs = {(item.id, match) for item, _ in items for match in item.matches}
        pairs = {(item.id, answer) for item, answer in items if answer}
        all_pairs = sorted(gold_pairs | pairs)
        official = f1_score(
            [pair in gold_pairs for pair in all_pairs], [pair in pairs for pair in all_pairs],
            zero_division=0,
        ) if all_pairs else 0.0  # fmt: skip
        assert score(task, "mining_f1", items) == pytest.approx(official, abs=1e-9)


# --- nearest neighbours -------------------------------------------------------------------------


def _unit(generator: np.random.Generator, count: int, width: int) -> np.ndarray:
    vectors = generator.normal(size=(count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _exhaustive(queries: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
    """The places of the `k` largest cosines, in double precision; of equal ones the first."""
    cosines = queries.astype(np.float64) @ candidates.astype(np.float64).T
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("count", [1, 19, 3000, 6000])
@pytest.mark.parametrize("k", [1, 4, 20])
def test_neighbours_are_those_of_exhaustive_search(count: int, k: int) -> None:
    generator = np.random.default_rng(count)
    queries, candidates = _unit(generator, 100, 24), _unit(generator, count, 24)
    candidates[count // 2 :: 7] = candidates[0]  # ties: the lowest place wins
    blocks = VectorBlocks([candidates[:1700], *([candidates[1700:]] if count > 1700 else [])])
    neighbours = nearest(VectorBlocks([queries]), blocks, k)
    expected = _exhaustive(queries, candidates, k)
    assert np.array_equal(neighbours.indices, expected)
    assert neighbours.scores == pytest.approx(
        np.take_along_axis(queries.astype(np.float64) @ candidates.T, expected, axis=1), abs=1e-9
    )


def test_neighbours_are_those_of_faiss() -> None:
    generator = np.random.default_rng(0)
    queries, candidates = _unit(generator, 200, 32), _unit(generator, 5000, 32)
    index = faiss.IndexFlatIP(32)
    index.add(candidates)
    scores, _ = index.search(queries, 4)
    neighbours = nearest(VectorBlocks([queries]), VectorBlocks([candidates]), 4)
    assert neighbours.scores == pytest.approx(scores, abs=1e-6), "faiss adds in single precision"


def test_tatoebas_accuracy_is_that_of_the_nearest_cosine() -> None:
    """One nearest neighbour on unit vectors, in one direction; right is the same line."""
    generator = np.random.default_rng(3)
    english = _unit(generator, 500, 16)
    noisy = english + generator.normal(scale=0.35, size=english.shape)
    foreign = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    vector_of_text = {f"{side}{n}": vectors[n] for side, vectors in (("e", english), ("f", foreign))
             for n in range(500)}  # fmt: skip

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([np.stack([vector_of_text[text] for text in texts])])

    examples = [BitextExample(str(n), f"e{n}", f"f{n}", n) for n in range(500)]
    answers = TASK_TYPES["bitext_retrieval"].search(SearchRequest(examples, encode))  # type: ignore[attr-defined]
    nearest_lines = _exhaustive(english, foreign, 1)[:, 0]
    assert list(answers) == nearest_lines.tolist()
    accuracy = score(card("bitext_retrieval"), "accuracy", zip(examples, answers, strict=True))
    assert accuracy == pytest.approx((nearest_lines == np.arange(500)).mean(), abs=1e-9)
    assert 0.3 < accuracy < 0.95
