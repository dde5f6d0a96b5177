"""Sentence embedding and nearest neighbours over Tatoeba's pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Measurement, Setting
from xharness import SearchRequest, TextRole, VectorBlocks

_COUNT = 50  # pairs of each language
_WARM = 16


def ours(setting: Setting) -> Measurement:
    """`HfModel.embed`, searched by the task type that the card names."""
    shared = Material(setting, "tatoeba")
    model, task_type = material.load_model(setting.model, device=setting.device), shared.task_type
    languages = shared.eval_examples(_COUNT, "test")
    assert task_type.answered_by_search

    def encode(texts: Iterable[str], role: TextRole) -> VectorBlocks:
        return VectorBlocks([model.embed([*texts], shared.recipe(), role)])

    task_type.search(SearchRequest(languages[0][1][:_WARM], encode))
    clock = Clock(device=setting.device)
    with clock.running():
        answers = [task_type.search(SearchRequest(examples, encode)) for _, examples in languages]
    return _measurement(clock, shared, languages, answers)


def sentence_transformers(setting: Setting) -> Measurement:
    """`SentenceTransformer.encode` and its semantic search."""
    import torch
    from sentence_transformers import SentenceTransformer, models, util

    transformer = models.Transformer(str(setting.model), max_seq_length=128)
    pooling = models.Pooling(transformer.get_word_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling], device=setting.device)
    if setting.precision == "bf16":
        model.to(torch.bfloat16)
    shared = Material(setting, "tatoeba")
    languages = shared.eval_examples(_COUNT, "test")

    def answer(examples: list[Any]) -> list[int]:
        sides = [[pair.source for pair in examples], [pair.target for pair in examples]]
        queries, index = (
            model.encode(side, batch_size=32, convert_to_tensor=True, show_progress_bar=False)
            for side in sides
        )
        hits = util.semantic_search(queries.float(), index.float(), top_k=1)
        return [examples[int(hit[0]["corpus_id"])].label for hit in hits]

    answer(languages[0][1][:_WARM])
    clock = Clock(device=setting.device)
    with clock.running():
        answers = [answer(examples) for _, examples in languages]
    return _measurement(clock, shared, languages, answers)


def _measurement(
    clock: Clock, shared: Material, languages: list[tuple[str, list[Any]]], answers: list[Any]
) -> Measurement:
    examples = [pair for _, pairs in languages for pair in pairs]
    flat = [answer for language_answers in answers for answer in language_answers]
    return clock.measurement(2 * len(examples), {"score": shared.score(examples, flat)})


CONTEST = Contest("sentences/s", {"xharness": ours, "sentence-transformers": sentence_transformers})
