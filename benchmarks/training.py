"""Training: one epoch of English examples, from texts to learnt weights, tokenising included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks import material, scripts
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Contestant, Measurement, Setting

_COUNTS = {"wikiann": 480, "udpos": 320, "xnli": 224, "tydiqa": 48}
TASKS = (*_COUNTS,)
_WARM = 16  # examples learnt from before the clock runs


def ours(task: str, setting: Setting) -> Measurement:
    """`HfModel.fit`."""
    shared = Material(setting, task)
    fit, clock = prepare(shared), Clock()
    with clock.running():
        model, facts = fit()
    tokens = facts["tokens_per_second"] * facts["seconds"]
    held_out = shared.of_language("en", 200)
    predictions = model.predict(shared.card, shared.task_type, held_out, shared.recipe())
    score = shared.score(held_out, predictions)
    return clock.measurement(tokens, {"loss": facts["loss"], "score": score})


def prepare(shared: Material) -> Callable[[], tuple[Any, Mapping[str, Any]]]:
    """Our training, warmed up; called, it gives the model and the facts of its receipt."""
    examples = shared.train_examples(_COUNTS[shared.card.name])
    cold, fresh = (material.load_model(shared.setting.model) for _ in range(2))
    fit(shared, cold, examples[:_WARM], "warm")
    return partial(fit, shared, fresh, examples, "measured")


def fit(
    shared: Material,
    model: Any,
    examples: list[Any],
    name: str,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[Any, Mapping[str, Any]]:
    """The model, trained for an epoch by our loop, and the facts of its receipt."""
    from xharness import TrainingSession, TrainingSet

    feed = TrainingSet(shared.card, shared.task_type, "task", shared.card.head_name, examples)
    observer = {} if progress is None else {"progress": progress}
    session = TrainingSession(
        material.SEED, shared.setting.work / name, checkpoint_seconds=1e9, **observer
    )
    return model, model.fit([feed], shared.recipe(), session)


def trainer(task: str, best: bool, setting: Setting) -> Measurement:
    """`Trainer.train`, padded to the longest there may be, or at its best."""
    shared = Material(setting, task)
    examples = shared.train_examples(_COUNTS[task])

    def train(model: Any, tokenizer: Any, examples: list[Any]) -> tuple[Any, Any, int]:
        rows = scripts.features(shared, tokenizer, examples, pad=not best)
        trainer = scripts.trainer(shared, model, tokenizer, best=best, train_dataset=rows)
        return trainer, trainer.train(), scripts.tokens(rows)

    cold, fresh = (scripts.parts(shared) for _ in range(2))
    train(*cold, examples[:_WARM])
    clock = Clock()
    with clock.running():
        trained, output, tokens = train(*fresh, examples)
    checks = {"loss": output.training_loss}
    if shared.card.task_type != "extractive_qa":
        held_out = shared.of_language("en", 200)
        tokenizer = scripts.tokenizer(shared)
        rows = scripts.features(shared, tokenizer, held_out, pad=True)
        predictor = scripts.trainer(shared, trained.model, tokenizer, best=False)
        labels = scripts.answers(rows, predictor.predict(rows).predictions)
        checks["score"] = shared.score(held_out, labels)
    return clock.measurement(tokens, checks)


def contest(task: str) -> Contest:
    """The three ways to train on `task`."""
    contestants: dict[str, Contestant] = {
        "xharness": partial(ours, task),
        "Trainer, padded to the maximum": partial(trainer, task, False),
        "Trainer at its best": partial(trainer, task, True),
    }
    return Contest("sub-words/s", contestants)
