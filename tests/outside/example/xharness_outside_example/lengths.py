"""The backend `lengths`: a model that only looks at how long a text is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from xharness import (
    Backend,
    ClassificationExample,
    Example,
    Model,
    Prediction,
    Recipe,
    RunEnvironment,
    Sizes,
    TaskCard,
    TaskType,
    TrainingSession,
    TrainingSet,
)

_FILE = "lengths.json"


class LengthModel(Model):
    """The mean length of each label's texts; the nearest mean is the answer."""

    def __init__(self, heads: dict[str, dict[str, float]]) -> None:
        self._heads = heads

    def sizes(self) -> Sizes:
        return Sizes(total=sum(map(len, self._heads.values())), embedding=0)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        for feed in feeds:
            lengths: dict[str, list[int]] = defaultdict(list)
            for example in feed.examples:
                assert isinstance(example, ClassificationExample)
                lengths[str(example.label)].append(len(example.text))
            self._heads[feed.head] = {label: mean(sizes) for label, sizes in lengths.items()}
            session.progress(len(feed.examples), len(feed.examples))
        return {}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        means = self._heads[card.head_name]
        return [_nearest(example, means) for example in examples]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / _FILE).write_text(json.dumps(self._heads, sort_keys=True), encoding="utf-8")


class LengthBackend(Backend):
    """Makes length models."""

    name = "lengths"
    task_types = frozenset({"classification"})

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        return "lengths-1"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> LengthModel:
        return LengthModel({})

    def load(self, folder: Path, device: str | None) -> LengthModel:
        return LengthModel(json.loads((folder / _FILE).read_text(encoding="utf-8")))


def _nearest(example: Example, means: Mapping[str, float]) -> int:
    assert isinstance(example, ClassificationExample)
    size = len(example.text)
    return int(min(means, key=lambda label: abs(means[label] - size)))
