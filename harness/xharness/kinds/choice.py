"""Multiple choice: which of several endings, causes or answers fits the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from xharness.cards import TaskCard
from xharness.kinds.accuracy import ACCURACY
from xharness.kinds.base import Example, Metric, Reader, Row, Shape


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A prompt, its choices, and the place of the right one."""

    id: str
    prompt: str
    choices: tuple[str, ...]
    label: int


class Choice:
    """Which choice is right? The card's labels name the places, in the order of the choices."""

    name = "choice"
    fields: Mapping[str, bool] = MappingProxyType({"prompt": True, "choices": True, "label": True})
    prediction: Shape = "int"
    metrics: Mapping[str, Metric] = MappingProxyType({"accuracy": ACCURACY})

    def example(self, row: Row, item: str, card: TaskCard) -> ChoiceExample:
        read = Reader(card, row, item)
        return ChoiceExample(item, read.text("prompt"), read.texts("choices"), read.label())

    def learnable(self, example: Example) -> bool:
        return True

    def texts(self, example: ChoiceExample) -> Sequence[str]:
        return (example.prompt, *example.choices)

    def with_texts(self, example: ChoiceExample, texts: Sequence[str]) -> ChoiceExample:
        prompt, *choices = texts
        return replace(example, prompt=prompt, choices=tuple(choices))

    def chance(self, card: TaskCard) -> float | None:
        return 1 / len(card.labels) if card.labels else None
