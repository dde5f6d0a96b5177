"""All contests by name."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import embedding, likelihood, predicting, products, scoring, starting, training
from benchmarks.measurement import Contest

CONTESTS: Mapping[str, Contest] = {
    "product": products.CONTEST,
    **{f"train {task}": training.contest(task) for task in training.TASKS},
    **{f"predict {task}": predicting.contest(task) for task in training.TASKS},
    "embed tatoeba": embedding.CONTEST,
    "likelihood xcopa": likelihood.CONTEST,
    "score ner": scoring.NER,
    "score qa": scoring.QA,
    **starting.CONTESTS,
}
