"""Scoring: a million tagged sentences against seqeval, 100,000 answers against TorchMetrics.

TorchMetrics' SQuAD is the official script's arithmetic as a library.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measurement import Clock, Contest, Measurement, Setting

_SENTENCES, _ANSWERS = 1_000_000, 100_000


def _tag_sequences(shared: Material) -> tuple[list[Any], list[list[int]]]:
    """Real tag sequences over and over, and predictions that err in a tenth of the words."""
    real = shared.train_examples(20_000)
    rng = random.Random(material.SEED)
    count = shared.setting.count(_SENTENCES)
    examples = [real[index % len(real)] for index in range(count)]
    labels = range(len(shared.card.label_names))
    predictions = [
        [rng.choice(labels) if rng.random() < 0.1 else tag for tag in example.tags]
        for example in examples
    ]
    return examples, predictions


def ours_ner(setting: Setting) -> Measurement:
    """The harness's span F1, item by item, as a stage scores."""
    from xharness.task_types.scoring import item_statistics

    shared = Material(setting, "wikiann")
    examples, predictions = _tag_sequences(shared)
    metric = shared.task_type.metrics["span_f1"]
    clock = Clock()
    with clock.running():
        rows = item_statistics(metric, examples, predictions, shared.card, "en")
        value = float(metric.value(rows.sum(axis=0)))
    return clock.measurement(len(examples), {"score": 100 * value})


def seqeval(setting: Setting) -> Measurement:
    """`seqeval.metrics.f1_score`."""
    from seqeval.metrics import f1_score

    shared = Material(setting, "wikiann")
    examples, predictions = _tag_sequences(shared)
    names = shared.card.label_names
    gold = [[names[tag] for tag in example.tags] for example in examples]
    predicted = [[names[tag] for tag in tags] for tags in predictions]
    clock = Clock()
    with clock.running():
        value = f1_score(gold, predicted)
    return clock.measurement(len(examples), {"score": 100 * float(value)})


def _answers(shared: Material) -> tuple[list[Any], list[str]]:
    """Real questions over and over, answered with a stretch of the context."""
    real = shared.train_examples(5_000)
    rng = random.Random(material.SEED)
    examples = [real[index % len(real)] for index in range(shared.setting.count(_ANSWERS))]
    answers = []
    for example in examples:
        words = example.context.split()
        first = rng.randrange(len(words))
        wrong = " ".join(words[first : first + 4])
        answers.append(example.answers[0].text if rng.random() < 0.5 else wrong)
    return examples, answers


def ours_qa(setting: Setting) -> Measurement:
    """The harness's F1 of answers, item by item."""
    from xharness.task_types.scoring import item_statistics

    shared = Material(setting, "tydiqa")
    examples, predictions = _answers(shared)
    clock = Clock()
    with clock.running():
        values = []
        for name in ("exact_match", "f1"):
            metric = shared.task_type.metrics[name]
            rows = item_statistics(metric, examples, predictions, shared.card, "en")
            values.append(100 * float(metric.value(rows.sum(axis=0))))
    return clock.measurement(len(examples), {"exact": values[0], "f1": values[1]})


def torchmetrics(setting: Setting) -> Measurement:
    """`torchmetrics.functional.text.squad`."""
    from torchmetrics.functional.text import squad

    shared = Material(setting, "tydiqa")
    examples, predictions = _answers(shared)
    predicted = [{"prediction_text": text, "id": str(n)} for n, text in enumerate(predictions)]
    gold = [
        {"answers": {"text": [a.text for a in row.answers], "answer_start": [0]}, "id": str(n)}
        for n, row in enumerate(examples)
    ]
    clock = Clock()
    with clock.running():
        scores = squad(predicted, gold)
    checks = {"exact": float(scores["exact_match"]), "f1": float(scores["f1"])}
    return clock.measurement(len(examples), checks)


NER = Contest("sentences/s", {"xharness": ours_ner, "seqeval": seqeval}, rounds=1)
QA = Contest("answers/s", {"xharness": ours_qa, "torchmetrics SQuAD": torchmetrics}, rounds=1)
