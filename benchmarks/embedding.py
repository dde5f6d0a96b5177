"""Sentence embedding and nearest neighbours over Tatoeba's pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measured import Clock, Contest, Measured, Setting
from xharness.plugin.api import SearchRequest, TextRole
from xharness.task_types.neighbours import VectorBlocks

_EACH = 50
_WARM = 16


def ours(setting: Setting) -> Measured:
    """`HfModel.embed`, searched by the kind that the card names."""
    shared = Material(setting, "tatoeba")
    model, kind = material.body(setting.model), shared.kind
    asked = shared.asked(_EACH, "test")
    assert kind.answered_by_search

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([model.embed([*texts], shared.recipe(), role)])

    kind.search(SearchRequest(asked[0][1][:_WARM], encode))
    clock = Clock()
    with clock.running():
        given = [kind.search(SearchRequest(some, encode)) for _, some in asked]
    every = [one for _, some in asked for one in some]
    flat = [one for answers in given for one in answers]
    return clock.read(2 * len(every), {"score": shared.score(every, flat)})


def sentence_transformers(setting: Setting) -> Measured:
    """`SentenceTransformer.encode` and its semantic search."""
    import torch
    from sentence_transformers import SentenceTransformer, models, util

    body = models.Transformer(str(setting.model), max_seq_length=128)
    pooling = models.Pooling(body.get_word_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[body, pooling], device="cpu")
    if setting.precision == "bf16":
        model.to(torch.bfloat16)
    shared = Material(setting, "tatoeba")
    asked = shared.asked(_EACH, "test")

    def answer(some: list[Any]) -> list[int]:
        sides = [[one.source for one in some], [one.target for one in some]]
        queries, index = (
            model.encode(side, batch_size=32, convert_to_tensor=True, show_progress_bar=False)
            for side in sides
        )
        hits = util.semantic_search(queries.float(), index.float(), top_k=1)
        return [some[int(hit[0]["corpus_id"])].label for hit in hits]

    answer(asked[0][1][:_WARM])
    clock = Clock()
    with clock.running():
        given = [answer(some) for _, some in asked]
    every = [one for _, some in asked for one in some]
    flat = [one for answers in given for one in answers]
    return clock.read(2 * len(every), {"score": shared.score(every, flat)})


CONTEST = Contest("sentences/s", {"xharness": ours, "sentence-transformers": sentence_transformers})
