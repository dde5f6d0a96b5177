"""Likelihood scoring of a decoder: which of two sentences goes on XCOPA's prompt more likely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Measurement, Setting

_LANGUAGES = ("et", "it", "sw", "vi")
_COUNT = 50  # examples of each language
_WARM = 8
_LONGEST = 512  # sub-words; no prompt is as long, so nobody cuts any


def ours(setting: Setting) -> Measurement:
    """`GenerativeModel.predict`, language by language."""
    shared = Material(setting, "xcopa")
    model = material.load_model(_decoder(setting), mode="loglikelihood", device=setting.device)
    recipe, languages = shared.recipe(max_length=_LONGEST), _languages(shared)

    def answer(language: str, examples: list[Any]) -> Any:
        return model.predict(shared.card.in_language(language), shared.task_type, examples, recipe)

    answer("et", languages["et"][:_WARM])
    clock = Clock(device=setting.device)
    with clock.running():
        answers = {language: answer(language, rows) for language, rows in languages.items()}
    checks = {name: shared.score(rows, answers[name], name) for name, rows in languages.items()}
    return clock.measurement(_choices(languages), checks)


def lm_evaluation_harness(setting: Setting) -> Measurement:
    """`simple_evaluate` of lm-evaluation-harness, given the same prompts and answers."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    shared = Material(setting, "xcopa")
    dtype = {"fp32": "float32", "bf16": "bfloat16"}[setting.precision]
    model = HFLM(str(_decoder(setting)), device=setting.device, dtype=dtype, batch_size=32)
    languages = _languages(shared)

    def answer(requests: dict[str, list[Any]]) -> dict[str, Any]:
        tasks = [_task(shared, language, examples) for language, examples in requests.items()]
        evaluation: dict[str, Any] = simple_evaluate(
            model, tasks=tasks, log_samples=False, bootstrap_iters=0
        )
        return evaluation["results"]

    answer({"et": languages["et"][:_WARM]})
    clock = Clock(device=setting.device)
    with clock.running():
        results = answer(languages)
    checks = {name: 100 * float(results[f"xcopa_{name}"]["acc,none"]) for name in languages}
    return clock.measurement(_choices(languages), checks)


def _task(shared: Material, language: str, examples: list[Any]) -> dict[str, Any]:
    """One language as lm-evaluation-harness wants a task, its rows in our words."""
    from datasets import Dataset

    from xharness import verbalize, verbalizer_of

    card = shared.card.in_language(language)
    rows = [
        {
            "text": verbalizer_of(card).prompt_text(item.fields),
            "choices": [*item.answers],
            "label": example.label,
        }
        for example, item in ((example, verbalize(example, card)) for example in examples)
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


def _languages(shared: Material) -> dict[str, list[Any]]:
    return {language: shared.of_language(language, _COUNT, "test") for language in _LANGUAGES}


def _choices(languages: dict[str, list[Any]]) -> int:
    return sum(len(row.choices) for examples in languages.values() for row in examples)


def _decoder(setting: Setting) -> Path:
    assert setting.decoder is not None, "run only where there is a decoder"
    return setting.decoder


CONTEST = Contest(
    "answers/s", {"xharness": ours, "lm-evaluation-harness": lm_evaluation_harness}, decodes=True
)
