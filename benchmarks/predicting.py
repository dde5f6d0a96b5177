"""Prediction over all languages, from texts to labels, tokenising included."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import material, scripts
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Contestant, Measurement, Setting
from xharness import Runtime

_COUNTS = {"wikiann": 24, "udpos": 24, "xnli": 32, "tydiqa": 20}
"""Examples of each language."""
_WARM = 16


def ours(task: str, setting: Setting) -> Measurement:
    """`HfModel.predict`, as a study asks: all languages in one stream, shard by shard."""
    shared = Material(setting, task)
    predict, examples = prepare(shared, _COUNTS[task])
    clock = Clock()
    with clock.running():
        predictions = predict(examples)
    rows = scripts.features(shared, scripts.tokenizer(shared), examples, pad=False)
    return clock.measurement(scripts.tokens(rows), checks(shared, examples, predictions))


def prepare(
    shared: Material, count: int | None = None
) -> tuple[Callable[[list[Any]], list[Any]], list[Any]]:
    """Our prediction, warmed up, and the examples of every language."""
    model = material.load_model(shared.setting.model, device=shared.setting.device)
    material.head(model, shared.card)
    languages = shared.eval_examples(count or _COUNTS[shared.card.name])
    examples = [example for _, language_examples in languages for example in language_examples]
    shard_size = Runtime().shard

    def predict(examples: list[Any]) -> list[Any]:
        shards = (
            examples[first : first + shard_size] for first in range(0, len(examples), shard_size)
        )
        answers = model.predict_each(shared.card, shared.task_type, shards, shared.recipe())
        return [answer for shard_answers in answers for answer in shard_answers]

    predict(examples[:_WARM])
    return predict, examples


class TrainerPrediction:
    """`Trainer.predict`, padded to the maximum or at its best, on examples sorted by length."""

    def __init__(self, shared: Material, best: bool) -> None:
        self._shared, self._best = shared, best
        model, self._tokenizer = scripts.parts(shared)
        self._trainer = scripts.trainer(shared, model, self._tokenizer, best=best)

    def __call__(self, examples: list[Any]) -> tuple[list[Any], list[Any]]:
        """Feature rows, and an answer for each."""
        rows = scripts.features(self._shared, self._tokenizer, examples, pad=not self._best)
        order = list(range(len(rows)))
        if self._best:  # by hand: a Trainer that groups by length predicts in an order of its own
            order.sort(key=lambda row: len(rows[row]["input_ids"]))
        by_length = [rows[row] for row in order]
        logits = self._trainer.predict(by_length).predictions
        if self._shared.card.task_type == "extractive_qa":
            return rows, [tuple(side.argmax(axis=-1).tolist()) for side in logits[:2]]
        labels = dict(zip(order, scripts.answers(by_length, logits), strict=True))
        return rows, [labels[row] for row in range(len(rows))]


def trainer(task: str, best: bool, setting: Setting) -> Measurement:
    """`Trainer.predict`: padded to the maximum, a language at a time as XTREME's scripts do; or to
    the longest of a batch, all languages sorted by length together.
    """
    shared = Material(setting, task)
    predict = TrainerPrediction(shared, best)
    requests = [examples for _, examples in shared.eval_examples(_COUNTS[task])]
    every_example = [example for examples in requests for example in examples]
    requests = [every_example] if best else requests
    predict(requests[0][:_WARM])
    clock = Clock()
    with clock.running():
        responses = [predict(examples) for examples in requests]
    tokens = sum(scripts.tokens(rows) for rows, _ in responses)
    flat = [answer for _, answers in responses for answer in answers]
    return clock.measurement(tokens, checks(shared, every_example, flat))


def pipeline(task: str, setting: Setting) -> Measurement:
    """`transformers.pipeline` in batches of 32."""
    from transformers import pipeline as make_pipeline

    shared = Material(setting, task)
    model, tokenizer = scripts.parts(shared)
    tokenizer.model_max_length = shared.length
    names = {"tagging": "token-classification", "classification": "text-classification"}
    pipe = make_pipeline(
        names[shared.card.task_type], model=model, tokenizer=tokenizer, device="cpu", batch_size=32
    )
    languages = shared.eval_examples(_COUNTS[task])

    def predict(examples: list[Any]) -> None:
        if shared.card.task_type == "tagging":
            pipe([" ".join(example.tokens) for example in examples])
        else:
            pairs = [{"text": example.text, "text_pair": example.pair} for example in examples]
            pipe(pairs, truncation=True)

    predict(languages[0][1][:_WARM])
    clock = Clock()
    with clock.running():
        for _, examples in languages:
            predict(examples)
    every_example = [example for _, examples in languages for example in examples]
    rows = scripts.features(shared, tokenizer, every_example, pad=False)
    return clock.measurement(scripts.tokens(rows))


def checks(shared: Material, examples: list[Any], predictions: list[Any]) -> dict[str, float]:
    """The score of the untrained head: it agrees when the predictions do."""
    if shared.card.task_type != "tagging":  # other poolings, other searches for a span
        return {}
    return {"score": shared.score(examples, predictions)}


def contest(task: str) -> Contest:
    """The ways to predict `task`."""
    contestants: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer.predict, padded to the maximum": partial(trainer, task, False),
        "Trainer.predict at its best": partial(trainer, task, True),
    }
    if task != "tydiqa":
        contestants["pipeline"] = partial(pipeline, task)
    return Contest("sub-words/s", contestants)
