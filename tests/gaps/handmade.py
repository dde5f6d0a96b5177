"""Hand-made rows with their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xharness.gaps import Gaps, Items, measure
from xharness.gaps.scores import Missing, Score
from xharness.task_types.base import Floats, Metric, ratio


def _f1(sums: Floats) -> Floats:
    found, extra, lost = sums[..., 0], sums[..., 1], sums[..., 2]
    all_of = 2 * found + extra + lost
    return np.divide(2 * found, all_of, out=np.zeros_like(found), where=all_of > 0)


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
        self.rows: list[Score | Missing] = []
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
                named = (ids or {}).get(language) or [f"{place:04}" for place in range(len(right))]
                statistics = np.array([[one, 1] for one in right], dtype=float)
                if evidence:
                    key = (stage, language)
                    self.evidence[key] = Items.of(stage, language, named, statistics)
                self.rows.append(score(model, strategy, task, seed, language, right, stage, facts))
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
            Missing(
                model=model, strategy=strategy, seed=seed, task=task, language=language,
                reason=reason,
            )
        )  # fmt: skip
        return self

    def gaps(self, **options: Any) -> Gaps:
        return measure(self.rows, self.evidence, METRICS, **{"resamples": 400, **options})


def score(
    model: str, strategy: str, task: str, seed: int, language: str, right: Sequence[int],
    stage: str, facts: Mapping[str, Any],
) -> Score:  # fmt: skip
    values: dict[str, Any] = {
        "task_type": "classification", "metric": "accuracy", "source_language": "en", "split": "test",
        "main": True, "value": 100 * sum(right) / len(right), "n": len(right),
    }  # fmt: skip
    return Score(
        model=model, strategy=strategy, task=task, seed=seed, language=language, stage=stage,
        **{**values, **facts},
    )  # fmt: skip


def right(count: int, of: int) -> list[int]:
    """`count` right answers of `of`, the first ones."""
    return [1] * count + [0] * (of - count)
