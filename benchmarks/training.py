"""Training: one epoch of English examples, from texts to learnt weights, tokenising included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks import material, scripts
from benchmarks.material import Material
from benchmarks.measured import Clock, Contest, Contestant, Measured, Setting

_COUNTS = {"wikiann": 480, "udpos": 320, "xnli": 224, "tydiqa": 48}
TASKS = (*_COUNTS,)
_WARM = 16  # examples learnt from before the clock runs


def ours(task: str, setting: Setting) -> Measured:
    """`HfModel.fit`."""
    shared = Material(setting, task)
    fit, clock = warmed(shared), Clock()
    with clock.running():
        model, facts = fit()
    read = facts["tokens_per_second"] * facts["seconds"]
    held_out = shared.of("en", 200)
    given = model.predict(shared.card, shared.kind, held_out, shared.recipe())
    score = shared.score(held_out, given)
    return clock.read(read, {"loss": facts["loss"], "score": score})


def warmed(shared: Material) -> Callable[[], tuple[Any, Mapping[str, Any]]]:
    """Our training, warmed up; called, it gives the model and the facts of its receipt."""
    from xharness.plugin.api import TrainingSession, TrainingSet

    def fit(model: Any, some: list[Any], name: str) -> tuple[Any, Mapping[str, Any]]:
        feed = TrainingSet(shared.card, shared.kind, "task", shared.card.head_name, some)
        session = TrainingSession(material.SEED, shared.setting.work / name, checkpoint_seconds=1e9)
        return model, model.fit([feed], shared.recipe(), session)

    examples = shared.learnt(_COUNTS[shared.card.name])
    cold, fresh = (material.body(shared.setting.model) for _ in range(2))
    fit(cold, examples[:_WARM], "warm")
    return partial(fit, fresh, examples, "measured")


def trainer(task: str, best: bool, setting: Setting) -> Measured:
    """`Trainer.train`, padded to the longest there may be, or at its best."""
    shared = Material(setting, task)
    examples = shared.learnt(_COUNTS[task])

    def fit(model: Any, tokenizer: Any, some: list[Any]) -> tuple[Any, Any, int]:
        found = scripts.features(shared, tokenizer, some, pad=not best)
        own = scripts.trainer(shared, model, tokenizer, best=best, train_dataset=found)
        return own, own.train(), scripts.tokens(found)

    cold, fresh = (scripts.parts(shared) for _ in range(2))
    fit(*cold, examples[:_WARM])
    clock = Clock()
    with clock.running():
        own, told, read = fit(*fresh, examples)
    checks = {"loss": told.training_loss}
    if shared.card.kind != "extractive_qa":
        held_out = shared.of("en", 200)
        tokenizer = scripts.tokenizer(shared)
        found = scripts.features(shared, tokenizer, held_out, pad=True)
        plain = scripts.trainer(shared, own.model, tokenizer, best=False)
        given = scripts.answers(found, plain.predict(found).predictions)
        checks["score"] = shared.score(held_out, given)
    return clock.read(read, checks)


def contest(task: str) -> Contest:
    """The three ways to train on `task`."""
    found: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer, padded to the maximum": partial(trainer, task, False),
        "Trainer at its best": partial(trainer, task, True),
    }
    return Contest("sub-words/s", found)
