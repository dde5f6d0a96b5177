"""Scoring: a million tagged sentences against seqeval, 100,000 answers against TorchMetrics.

TorchMetrics' SQuAD is the official script's arithmetic as a library.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks import material
from benchmarks.material import Material
from benchmarks.measured import Clock, Contest, Measured, Setting

_SENTENCES, _ANSWERS = 1_000_000, 100_000


def _tags(shared: Material) -> tuple[list[Any], list[list[int]]]:
    """Real tag sequences over and over, and predictions that err in a tenth of the words."""
    real = shared.learnt(20_000)
    draw = random.Random(material.SEED)
    count = shared.setting.count(_SENTENCES)
    examples = [real[place % len(real)] for place in range(count)]
    labels = range(len(shared.card.label_names))
    given = [
        [draw.choice(labels) if draw.random() < 0.1 else tag for tag in one.tags]
        for one in examples
    ]
    return examples, given


def ours_ner(setting: Setting) -> Measured:
    """The shipped span F1, item by item, as a stage scores."""
    from xharness.executor.score import item_statistics

    shared = Material(setting, "wikiann")
    examples, given = _tags(shared)
    metric = shared.kind.metrics["span_f1"]
    clock = Clock()
    with clock.running():
        rows = item_statistics(metric, examples, given, shared.card, "en")
        value = float(metric.value(rows.sum(axis=0)))
    return clock.read(len(examples), {"score": 100 * value})


def seqeval(setting: Setting) -> Measured:
    """`seqeval.metrics.f1_score`."""
    from seqeval.metrics import f1_score

    shared = Material(setting, "wikiann")
    examples, given = _tags(shared)
    names = shared.card.label_names
    gold = [[names[tag] for tag in one.tags] for one in examples]
    said = [[names[tag] for tag in tags] for tags in given]
    clock = Clock()
    with clock.running():
        value = f1_score(gold, said)
    return clock.read(len(examples), {"score": 100 * float(value)})


def _answers(shared: Material) -> tuple[list[Any], list[str]]:
    """Real questions over and over, answered with a stretch of the context."""
    real = shared.learnt(5_000)
    draw = random.Random(material.SEED)
    examples = [real[place % len(real)] for place in range(shared.setting.count(_ANSWERS))]
    given = []
    for one in examples:
        words = one.context.split()
        first = draw.randrange(len(words))
        wrong = " ".join(words[first : first + 4])
        given.append(one.answers[0].text if draw.random() < 0.5 else wrong)
    return examples, given


def ours_qa(setting: Setting) -> Measured:
    """The shipped F1 of answers, item by item."""
    from xharness.executor.score import item_statistics

    shared = Material(setting, "tydiqa")
    examples, given = _answers(shared)
    clock = Clock()
    with clock.running():
        values = []
        for name in ("exact_match", "f1"):
            metric = shared.kind.metrics[name]
            rows = item_statistics(metric, examples, given, shared.card, "en")
            values.append(100 * float(metric.value(rows.sum(axis=0))))
    return clock.read(len(examples), {"exact": values[0], "f1": values[1]})


def torchmetrics(setting: Setting) -> Measured:
    """`torchmetrics.functional.text.squad`."""
    from torchmetrics.functional.text import squad

    shared = Material(setting, "tydiqa")
    examples, given = _answers(shared)
    said = [{"prediction_text": text, "id": str(n)} for n, text in enumerate(given)]
    gold = [
        {"answers": {"text": [a.text for a in one.answers], "answer_start": [0]}, "id": str(n)}
        for n, one in enumerate(examples)
    ]
    clock = Clock()
    with clock.running():
        found = squad(said, gold)
    checks = {"exact": float(found["exact_match"]), "f1": float(found["f1"])}
    return clock.read(len(examples), checks)


NER = Contest("sentences/s", {"xharness": ours_ner, "seqeval": seqeval}, rounds=1)
QA = Contest("answers/s", {"xharness": ours_qa, "torchmetrics SQuAD": torchmetrics}, rounds=1)
