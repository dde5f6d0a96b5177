"""Prediction over all languages, from texts to labels, tokenising included."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import material, scripts
from benchmarks.material import Material
from benchmarks.measured import Clock, Contest, Contestant, Measured, Setting
from xharness.spec.study import Runtime

_EACH = {"wikiann": 24, "udpos": 24, "xnli": 32, "tydiqa": 20}
_WARM = 16


def ours(task: str, setting: Setting) -> Measured:
    """`HfModel.predict`, as a study asks: all languages in one stream, shard by shard."""
    shared = Material(setting, task)
    predict, every = warmed(shared)
    clock = Clock()
    with clock.running():
        flat = predict()
    found = scripts.features(shared, scripts.tokenizer(shared), every, pad=False)
    read = scripts.tokens(found)
    return clock.read(read, _checks(shared, every, flat))


def warmed(shared: Material) -> tuple[Callable[[], list[Any]], list[Any]]:
    """Our prediction of every language's examples, warmed up; and the examples."""
    model = material.body(shared.setting.model)
    material.head(model, shared.card)
    every = [one for _, some in shared.asked(_EACH[shared.card.name]) for one in some]
    size = Runtime().shard

    def answers(some: list[Any]) -> list[Any]:
        return list(model.predict(shared.card, shared.kind, some, shared.recipe()))

    def predict() -> list[Any]:
        return [
            one
            for first in range(0, len(every), size)
            for one in answers(every[first : first + size])
        ]

    answers(every[:_WARM])
    return predict, every


def trainer(task: str, best: bool, setting: Setting) -> Measured:
    """`Trainer.predict`: padded to the maximum, a language at a time as XTREME's scripts do; or to
    the longest of a batch, all languages sorted by length together.
    """
    shared = Material(setting, task)
    model, tokenizer = scripts.parts(shared)
    own = scripts.trainer(shared, model, tokenizer, best=best)
    asked = [some for _, some in shared.asked(_EACH[task])]
    asked = [[one for some in asked for one in some]] if best else asked

    def predict(some: list[Any]) -> tuple[list[Any], list[Any]]:
        found = scripts.features(shared, tokenizer, some, pad=not best)
        order = list(range(len(found)))
        if best:  # by hand: grouping by length in a Trainer returns predictions in its own order
            order.sort(key=lambda place: len(found[place]["input_ids"]))
        by_length = [found[place] for place in order]
        logits = own.predict(by_length).predictions
        if shared.card.kind == "extractive_qa":
            return found, [tuple(side.argmax(axis=-1).tolist()) for side in logits[:2]]
        given = dict(zip(order, scripts.answers(by_length, logits), strict=True))
        return found, [given[place] for place in range(len(found))]

    predict(asked[0][:_WARM])
    clock = Clock()
    with clock.running():
        given = [predict(some) for some in asked]
    read = sum(scripts.tokens(found) for found, _ in given)
    flat = [one for _, answers in given for one in answers]
    return clock.read(read, _checks(shared, [one for some in asked for one in some], flat))


def pipeline(task: str, setting: Setting) -> Measured:
    """`transformers.pipeline` in batches of 32."""
    from transformers import pipeline as built

    shared = Material(setting, task)
    model, tokenizer = scripts.parts(shared)
    tokenizer.model_max_length = shared.length
    said = {"tagging": "token-classification", "classification": "text-classification"}
    pipe = built(
        said[shared.card.kind], model=model, tokenizer=tokenizer, device="cpu", batch_size=32
    )
    asked = shared.asked(_EACH[task])

    def predict(some: list[Any]) -> None:
        if shared.card.kind == "tagging":
            pipe([" ".join(one.tokens) for one in some])
        else:
            pipe([{"text": one.text, "text_pair": one.pair} for one in some], truncation=True)

    predict(asked[0][1][:_WARM])
    clock = Clock()
    with clock.running():
        for _, some in asked:
            predict(some)
    every = [one for _, some in asked for one in some]
    read = scripts.tokens(scripts.features(shared, tokenizer, every, pad=False))
    return clock.read(read)


def _checks(shared: Material, examples: list[Any], given: list[Any]) -> dict[str, float]:
    """The score of the untrained head: it agrees when the predictions do."""
    if shared.card.kind != "tagging":  # other poolings, other searches for a span
        return {}
    return {"score": shared.score(examples, given)}


def contest(task: str) -> Contest:
    """The ways to predict `task`."""
    found: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer.predict, padded to the maximum": partial(trainer, task, False),
        "Trainer.predict at its best": partial(trainer, task, True),
    }
    if task != "tydiqa":
        found["pipeline"] = partial(pipeline, task)
    return Contest("sub-words/s", found)
