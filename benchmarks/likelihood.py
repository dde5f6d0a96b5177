"""Likelihood scoring of a decoder: which of two sentences goes on XCOPA's prompt more likely."""

from __future__ import annotations

from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measured import Clock, Contest, Measured, Setting

_LANGUAGES = ("et", "it", "sw", "vi")
_EACH = 50
_WARM = 8
_LONGEST = 512  # sub-words; no prompt is as long, so nobody cuts any


def ours(setting: Setting) -> Measured:
    """`WritingModel.predict`, language by language."""
    shared = Material(setting, "xcopa")
    model = material.body(_decoder(setting), answers="likelihood")
    recipe, asked = shared.recipe(max_length=_LONGEST), _asked(shared)

    def answer(language: str, some: list[Any]) -> Any:
        return model.predict(shared.card.spoken(language), shared.kind, some, recipe)

    answer("et", asked["et"][:_WARM])
    clock = Clock()
    with clock.running():
        given = {language: answer(language, some) for language, some in asked.items()}
    checks = {name: shared.score(some, given[name], name) for name, some in asked.items()}
    return clock.read(_answers(asked), checks)


def lm_evaluation_harness(setting: Setting) -> Measured:
    """`simple_evaluate` of lm-evaluation-harness, given the same prompts and answers."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    shared = Material(setting, "xcopa")
    kind = {"fp32": "float32", "bf16": "bfloat16"}[setting.precision]
    model = HFLM(str(_decoder(setting)), device="cpu", dtype=kind, batch_size=32)
    asked = _asked(shared)

    def answer(wanted: dict[str, list[Any]]) -> dict[str, Any]:
        tasks = [_task(shared, language, some) for language, some in wanted.items()]
        found: dict[str, Any] = simple_evaluate(
            model, tasks=tasks, log_samples=False, bootstrap_iters=0
        )
        return found["results"]

    answer({"et": asked["et"][:_WARM]})
    clock = Clock()
    with clock.running():
        found = answer(asked)
    checks = {name: 100 * float(found[f"xcopa_{name}"]["acc,none"]) for name in asked}
    return clock.read(_answers(asked), checks)


def _task(shared: Material, language: str, examples: list[Any]) -> dict[str, Any]:
    """One language as lm-evaluation-harness wants a task, its rows in our words."""
    from datasets import Dataset

    from xharness_hf.generative.verbalizer import prompt_text, verbalize, verbalizer_of

    card = shared.card.spoken(language)
    said = [verbalize(one, card) for one in examples]
    rows = [
        {
            "text": prompt_text(one, verbalizer_of(card)),
            "choices": [*one.answers],
            "label": example.label,
        }
        for one, example in zip(said, examples, strict=True)
    ]
    return {
        "task": f"xcopa_{language}",
        "custom_dataset": lambda **_: {"test": Dataset.from_list(rows)},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "text",
        "doc_to_choice": "choices",
        "doc_to_target": "label",
        "metric_list": [{"metric": "acc"}],
    }


def _asked(shared: Material) -> dict[str, list[Any]]:
    return {language: shared.of(language, _EACH, "test") for language in _LANGUAGES}


def _answers(asked: dict[str, list[Any]]) -> int:
    return sum(len(one.choices) for some in asked.values() for one in some)


def _decoder(setting: Setting) -> Any:
    assert setting.decoder is not None, "run only where there is a decoder"
    return setting.decoder


CONTEST = Contest(
    "answers/s", {"xharness": ours, "lm-evaluation-harness": lm_evaluation_harness}, decodes=True
)
