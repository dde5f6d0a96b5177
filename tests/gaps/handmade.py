"""Hand-made rows with their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xharness.gaps import Gaps, Items, measure
from xharness.gaps.scores import MissingRow, ScoreRow
from xharness.task_types.base import Floats, Metric, ratio


def _f1(sums: Floats) -> Floats:
    hits, extra, lost = sums[..., 0], sums[..., 1], sums[..., 2]
    all_of = 2 * hits + extra + lost
    return np.divide(2 * hits, all_of, out=np.zeros_like(hits), where=all_of > 0)


def _unused(*_: Any) -> tuple[float, ...]:
    raise AssertionError("gaps are measured from stored statistics, never from items")


ACCURACY = Metric("accuracy", ("correct", "items"), _unused, ratio, "share of right answers")
F1 = Metric("f1", ("found", "extra", "lost"), _unused, _f1, "span F1")
METRICS = {"classification": {"accuracy": ACCURACY}, "tagging": {"f1": F1}}

Answers = Mapping[str, Sequence[Sequence[int]]]
"""Language to, for each seed, which items are right (1) or wrong (0)."""


class Rows:
    """Collects score rows and the evidence for them."""

    def __init__(self) -> None:
        self.rows: list[ScoreRow | MissingRow] = []
        self.evidence: dict[tuple[str, str], Items] = {}

    def arm(
        self,
        answers: Answers,
        model: str = "m",
        strategy: str = "single",
        task: str = "nli",
        seeds: Sequence[int] | None = None,
        ids: Mapping[str, Sequence[str]] | None = None,
        evidence: bool = True,
        **facts: Any,
    ) -> Rows:
        """One arm on one task, scored by accuracy."""
        for language, by_seed in answers.items():
            for seed, right in zip(seeds or range(1, 100), by_seed, strict=False):
                stage = f"{model}-{strategy}-{task}-{seed}"
                names = (ids or {}).get(language) or [f"{item:04}" for item in range(len(right))]
                statistics = np.array([[answer, 1] for answer in right], dtype=float)
                if evidence:
                    key = (stage, language)
                    self.evidence[key] = Items.of(stage, language, names, statistics)
                self.rows.append(score(model, strategy, task, seed, language, right, stage, facts))
        return self

    def spans(
        self, counts: Mapping[str, Floats], model: str, strategy: str, task: str = "ner"
    ) -> Rows:
        """One arm on one task, scored by span F1: language to (seeds, items, 3) counts."""
        for language, by_seed in counts.items():
            for seed, statistics in enumerate(by_seed, start=1):
                stage = f"{model}-{strategy}-{task}-{seed}"
                names = [f"{item:04}" for item in range(len(statistics))]
                self.evidence[stage, language] = Items.of(stage, language, names, statistics)
                facts = {
                    "task_type": "tagging", "metric": "f1", "n": len(statistics),
                    "value": 100 * float(F1.value(statistics.sum(axis=0))),
                }  # fmt: skip
                self.rows.append(score(model, strategy, task, seed, language, [1], stage, facts))
        return self

    def missing(
        self,
        reason: str,
        model: str = "m",
        strategy: str = "single",
        task: str = "nli",
        seed: int | None = 1,
        language: str | None = None,
    ) -> Rows:
        """A number that isn't there."""
        self.rows.append(
            MissingRow(
                model=model, strategy=strategy, seed=seed, task=task, language=language,
                reason=reason,
            )
        )  # fmt: skip
        return self

    def gaps(self, **options: Any) -> Gaps:
        return measure(self.rows, self.evidence, METRICS, **options)


def score(
    model: str, strategy: str, task: str, seed: int, language: str, right: Sequence[int],
    stage: str, facts: Mapping[str, Any],
) -> ScoreRow:  # fmt: skip
    values: dict[str, Any] = {
        "task_type": "classification", "metric": "accuracy", "source_language": "en",
        "split": "test", "main": True, "value": 100 * sum(right) / len(right), "n": len(right),
    }  # fmt: skip
    return ScoreRow(
        model=model, strategy=strategy, task=task, seed=seed, language=language, stage=stage,
        **{**values, **facts},
    )  # fmt: skip


def right(count: int, total: int) -> list[int]:
    """`count` right answers of `of`, the first ones."""
    return [1] * count + [0] * (total - count)
