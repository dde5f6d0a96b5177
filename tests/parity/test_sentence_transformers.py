"""Tatoeba's nearest neighbours against sentence-transformers, where that is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from xharness.task_types.bitext_retrieval import BitextExample, BitextRetrieval
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.search import SearchRequest, TextRole

PAIRS, WIDTH = 2_000, 48


def _vectors(side: int) -> NDArray[np.float32]:
    """Translations are alike, and not so alike that every one is found."""
    draw = np.random.default_rng(7)
    meaning = draw.normal(size=(PAIRS, WIDTH))
    noise = np.random.default_rng(side).normal(size=(PAIRS, WIDTH))
    vectors = (meaning + 0.9 * noise).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_same_sentence_is_nearest() -> None:
    reason = "sentence-transformers is not installed; it is in the extra 'bench'"
    util: Any = pytest.importorskip("sentence_transformers.util", reason=reason)
    english, foreign = _vectors(1), _vectors(2)
    vector_of_text = {f"{side}{number}": row for side, rows in (("e", english), ("f", foreign))
             for number, row in enumerate(rows)}  # fmt: skip
    pairs = [
        BitextExample(str(number), f"e{number}", f"f{number}", number) for number in range(PAIRS)
    ]

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([np.stack([vector_of_text[text] for text in texts])])

    request = SearchRequest(pairs, encode)

    answers = BitextRetrieval().search(request)
    hits = util.semantic_search(torch.tensor(english), torch.tensor(foreign), top_k=1)
    expected = [hit[0]["corpus_id"] for hit in hits]

    assert list(answers) == expected
    right = float(np.mean(np.array(answers) == np.arange(PAIRS)))
    assert 0.2 < right < 0.9
