"""A model that learns by counting: named arrays, grown feed by feed, stored as safetensors."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from xharness import (
    ClassificationExample,
    Example,
    Model,
    MultipleChoiceExample,
    Prediction,
    Recipe,
    Sizes,
    StageError,
    TaggingExample,
    TaskCard,
    TaskType,
    TrainingSession,
    TrainingSet,
)

OPTIONS, WEIGHTS = "options.json", "model.safetensors"
Arrays = dict[str, NDArray[Any]]

_REPORT_EVERY = 256  # examples between two reports of progress


class CountingModel(Model):
    """One pass over the feeds, one array of counts a head; epochs and seeds change nothing."""

    def __init__(self, options: BaseModel, arrays: Arrays) -> None:
        self.options, self.arrays = options, arrays

    @abstractmethod
    def learn(self, feed: TrainingSet, example: Example) -> None:
        """Count one example."""

    @abstractmethod
    def answer(self, card: TaskCard, example: Example) -> Prediction:
        """The answer to one item."""

    def sizes(self) -> Sizes:
        return Sizes(total=sum(array.size for array in self.arrays.values()), embedding=0)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        if any(feed.objective != "task" for feed in feeds):
            raise StageError("a baseline has nothing that could be pretrained")
        # Counts are all that there is: without heads nothing is left to keep.
        if session.heads == "drop":
            self.arrays.clear()
        total, example_count = sum(len(feed.examples) for feed in feeds), 0
        for feed in feeds:
            # Once, whatever the recipe's epochs: counting twice tells nothing new.
            for example in feed.examples:
                self.learn(feed, example)
                example_count += 1
                if example_count % _REPORT_EVERY == 0 or example_count == total:
                    session.progress(example_count, total)
        return {"examples": total}

    def predict(
        self, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        return [self.answer(card, example) for example in examples]

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        # The options go with the arrays: their shapes hang on them.
        text = json.dumps(self.options.model_dump(mode="json"), indent=1, sort_keys=True)
        (folder / OPTIONS).write_text(text + "\n", encoding="utf-8")
        save_file(self.arrays, folder / WEIGHTS)

    def head(self, card: TaskCard) -> NDArray[Any]:
        """The counts of the head that answers `card`."""
        if card.head_name not in self.arrays:
            raise StageError(f"the model has no head '{card.head_name}'")
        return self.arrays[card.head_name]

    def grow(self, name: str, *shape: int) -> NDArray[Any]:
        """The counts called `name`, zeros when they are new."""
        if name not in self.arrays:
            self.arrays[name] = np.zeros(shape, dtype=np.float32)
        return self.arrays[name]


def gold(example: Example) -> Sequence[int]:
    """The right labels of a labelled example: one, or one for each word."""
    if isinstance(example, TaggingExample):
        return example.tags
    if isinstance(example, ClassificationExample | MultipleChoiceExample):
        return (example.label,)
    return ()
