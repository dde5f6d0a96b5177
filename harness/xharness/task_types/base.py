"""What a task type is, and what a metric is.

A metric is *per-item statistics plus a function of their sums*: accuracy is (correct, 1), span F1
is (tp, fp, fn), exact match is (em, 1). One shape gives the score, the intervals, the paired test
and the stored evidence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from xharness.errors import ConfigurationError, StageError, UnavailableError, suggestion
from xharness.spec.cards import TaskCard
from xharness.task_types.search import SearchRequest, TextRole

Row = Mapping[str, Any]
Floats = NDArray[np.float64]
Prediction = Any
"""What the task type's `prediction` says."""
ConstantAnswer = Callable[[Any], Prediction]
"""What is answered to an example by somebody who looks at nothing in it."""
PredictionShape = Literal["int", "ints", "text", "texts", "ranking"]
"""What one stored prediction is: an integer, a list of them, a text, a list of them, or a ranking,
which has the ids of what was retrieved and of what is relevant."""


class Example(Protocol):
    """One item: the examples of every task type carry an id that is unique in its split."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class Metric:
    """Per-item statistics, and the score as a function of their sums.

    `item(example, prediction, card, language)` gives the statistics of one item, in the order of
    `statistics`. `value(sums)` takes sums of shape (..., statistics) to scores in [0, 1] of shape
    (...), so that one call scores many arms.
    """

    name: str
    statistics: tuple[str, ...]
    item: Callable[[Any, Prediction, TaskCard, str], tuple[float, ...]]
    value: Callable[[Floats], Floats]
    description: str
    lower_is_better: bool = False
    """An error rate; such a metric can stand beside a task's score, never be it."""
    generated_only: bool = False
    """Measured wherever a model writes its answers, though no card names it, and nowhere else."""


class AnswerRepairs(NamedTuple):
    """How many of an example's gold answers did not stand where the data says, of how many."""

    moved: int
    answers: int


class TaskType(ABC):
    """What a task asks: how a row becomes an example, and how answers are scored.

    The four attributes and `example` are all that a simple task type needs. What follows them has a
    default that does nothing: overriding it says that the task type can do more.
    """

    name: str
    fields: Mapping[str, bool]
    """The fields a card must (True) or may (False) map to columns."""
    prediction: PredictionShape
    metrics: Mapping[str, Metric]

    @abstractmethod
    def example(self, row: Row, item: str, card: TaskCard) -> Example:
        """The example in `row`; `item` is its id where the card maps no id column.

        Raises:
            UnavailableError: the row lacks a column or carries a label outside the card's set.
        """

    def num_answers(self, example: Any, card: TaskCard) -> int | None:
        """How many answers an integer chooses from, counted from 0; None where any may be right."""
        return len(card.label_names) or None

    def num_parts(self, example: Any) -> int | None:
        """How many integers or texts a prediction has; None where there may be any number."""
        return None

    def learnable(self, example: Example) -> bool:
        """Whether a model can be trained on it; what is not is left out and counted."""
        return True

    def chance(self, card: TaskCard) -> float | None:
        """The score, in [0, 1], of guessing uniformly; None where that is not defined."""
        return None

    def constant_answers(self, examples: Collection[Any]) -> Iterable[ConstantAnswer]:
        """Answers to all the items alike; what the best of them scores, no learning explains."""
        return ()

    def repairs(self, example: Any) -> AnswerRepairs:
        """How many gold answers reading the example moved to where they really stand."""
        return AnswerRepairs(0, 0)

    # --- items that are made of items of another task type, which models are asked instead

    part: TaskType | None = None

    def parts(self, example: Any) -> Sequence[Example]:
        """The parts of one item, in the order in which `joined` takes their answers."""
        return (example,)

    def joined(self, answers: Sequence[Prediction]) -> Prediction:
        """The prediction for an item, from the answers to its parts."""
        return answers[0]

    @property
    def predicted(self) -> TaskType:
        """The task type that a model must answer so that items of this one can be."""
        return self.part or self

    # --- texts that can be translated without moving what the item asks

    translatable: bool = False

    def texts(self, example: Any) -> Sequence[str]:
        """All texts of one item."""
        raise StageError(f"task type '{self.name}' does not say the texts of its items")

    def with_texts(self, example: Any, texts: Sequence[str]) -> Example:
        """The item with other texts, in the order of `texts`; all else stays."""
        raise StageError(f"task type '{self.name}' does not put other texts into its items")

    # --- items that are answered together, by searching among vectors of texts

    answered_by_search: bool = False
    indexed: bool = False
    """Whether the candidates come from another card, the card's `index`."""
    candidate_role: TextRole = "sentence"
    """What the candidates are to the items: passages, or sentences like them."""

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        """One prediction for each of `request.examples`, in order.

        Raises:
            UnavailableError: something is missing without which there is no answer.
        """
        raise StageError(f"task type '{self.name}' does not search for answers")


def ratio(sums: Floats) -> Floats:
    """sum / count, for statistics (sum, count); 0 where nothing was counted."""
    total, count = sums[..., 0], sums[..., 1]
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def f1(sums: Floats) -> Floats:
    """2 tp / (2 tp + fp + fn), for statistics (tp, fp, fn); 0 where there is nothing at all."""
    hits, extra, missed = sums[..., 0], sums[..., 1], sums[..., 2]
    total = 2 * hits + extra + missed
    return np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)


class Reader:
    """Reads the fields of a card out of a row; the only place that knows columns and templates."""

    def __init__(self, card: TaskCard, row: Row, item: str) -> None:
        self._card, self._row, self._item = card, row, item

    def has(self, field: str) -> bool:
        """Whether the card maps `field`."""
        return field in self._card.fields

    def text(self, field: str) -> str:
        """The field as text; templates are filled in."""
        return self._fill(self._spec(field), field)

    def value(self, field: str) -> Any:
        """The field's column as it stands in the data."""
        return self._column(self._spec(field), field)

    def texts(self, field: str) -> tuple[str, ...]:
        """The field as several texts: a list of templates or columns, or one list column."""
        spec = self._card.fields[field]
        if isinstance(spec, tuple):
            return tuple(self._fill(template, field) for template in spec)
        values = self._column(spec, field)
        if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
            raise UnavailableError(
                f"field '{field}' is {str(values)[:40]!r}",
                where=f"card '{self._card.name}', item {self._item}",
                expected="a list",
            )
        return tuple(self.sound(str(item)) for item in values)

    def keys(self, field: str) -> tuple[str, ...]:
        """A column that holds a key or a list of keys; none where it is empty or not mapped."""
        value = self.value(field) if self.has(field) else None
        if value is None or value == "":
            return ()
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        return tuple(map(str, value)) if is_list else (str(value),)

    def label(self, field: str = "label") -> int:
        """The field as an index into the card's labels."""
        return label_index(self.value(field), self._card, self._item)

    def _spec(self, field: str) -> str:
        spec = self._card.fields[field]
        if isinstance(spec, tuple):
            raise ConfigurationError(
                f"field '{field}' is a list", where=f"card '{self._card.name}'", expected="one text"
            )
        return spec

    def sound(self, text: str) -> str:
        """`text`, if it is Unicode: half of a surrogate pair can be neither read nor stored.

        Raises:
            UnavailableError: it is not.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UnavailableError(
                f"character {error.start} of a text is half of a surrogate pair",
                where=f"card '{self._card.name}', item {self._item}",
                expected="Unicode text",
            ) from None
        return text

    def _fill(self, spec: str, field: str) -> str:
        if "{" not in spec:
            return self.sound(self._column_text(spec, field))
        # Not `str.format`: to it the dot of `{answers.text}` is an attribute, not a column.
        parts = spec.split("{")
        text = parts[0]
        for part in parts[1:]:
            column, _, literal = part.partition("}")
            text += self._column_text(column, field) + literal
        return self.sound(text)

    def _column_text(self, column: str, field: str) -> str:
        value = self._column(column, field)
        return "" if value is None else str(value)

    def _column(self, path: str, field: str) -> Any:
        value: Any = self._row
        for step in path.split("."):
            columns: Mapping[Any, Any] = value if isinstance(value, Mapping) else {}
            if step not in columns:
                raise UnavailableError(
                    f"the data has no column '{path}' for field '{field}'",
                    where=f"card '{self._card.name}', item {self._item}",
                    hint=suggestion(step, map(str, columns)),
                )
            value = columns[step]
        return value


def label_index(value: Any, card: TaskCard, item: str) -> int:
    """The index of a label in the card's list: an integer is the index, a text the name.

    Raises:
        UnavailableError: a label outside the card's set.
    """
    labels = card.label_names
    # Public test sets hide a label as -1, which must not count from the end of the list.
    if isinstance(value, int | np.integer) and 0 <= value < len(labels):
        return int(value)
    if isinstance(value, str) and value in labels:
        return labels.index(value)
    raise UnavailableError(
        f"label {value!r} is outside the card's set",
        where=f"card '{card.name}', item {item}",
        expected=", ".join(labels[:20]),
    )
