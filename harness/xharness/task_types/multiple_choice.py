"""Multiple choice: which of several endings, causes or answers fits the prompt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from xharness.spec.cards import TaskCard
from xharness.task_types.accuracy import ACCURACY, commonest_label
from xharness.task_types.base import (
    ConstantAnswer,
    Metric,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)


@dataclass(frozen=True, slots=True)
class MultipleChoiceExample:
    """A prompt, its choices, and the index of the right one."""

    id: str
    prompt: str
    choices: tuple[str, ...]
    label: int


class MultipleChoice(TaskType):
    """Which choice is right? The card's labels are in the order of the choices."""

    name = "multiple_choice"
    fields: Mapping[str, bool] = MappingProxyType({"prompt": True, "choices": True, "label": True})
    prediction: PredictionShape = "int"
    metrics: Mapping[str, Metric] = MappingProxyType({"accuracy": ACCURACY})
    translatable = True

    def example(self, row: Row, item: str, card: TaskCard) -> MultipleChoiceExample:
        reader = Reader(card, row, item)
        return MultipleChoiceExample(
            item, reader.text("prompt"), reader.texts("choices"), reader.label()
        )

    def num_answers(self, example: MultipleChoiceExample, card: TaskCard) -> int | None:
        return len(example.choices)

    def texts(self, example: MultipleChoiceExample) -> Sequence[str]:
        return (example.prompt, *example.choices)

    def with_texts(
        self, example: MultipleChoiceExample, texts: Sequence[str]
    ) -> MultipleChoiceExample:
        prompt, *choices = texts
        return replace(example, prompt=prompt, choices=tuple(choices))

    def chance(self, card: TaskCard) -> float | None:
        return 1 / len(card.label_names) if card.label_names else None

    def constant_answers(
        self, examples: Collection[MultipleChoiceExample]
    ) -> Iterable[ConstantAnswer]:
        return [commonest_label(examples)]
