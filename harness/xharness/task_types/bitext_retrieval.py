"""Bitext retrieval: find each sentence's translation among all of the other language's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.accuracy import ACCURACY
from xharness.task_types.base import (
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)
from xharness.task_types.neighbours import nearest
from xharness.task_types.search import SearchRequest, TextRole


@dataclass(frozen=True, slots=True)
class BitextExample:
    """A source sentence (the query), its translation (in the index), and its position there."""

    id: str
    source: str
    target: str
    label: int


class BitextRetrieval(TaskType):
    """Which target sentence translates this source sentence? Gold: the one on the same line.

    XTREME asks Tatoeba in one direction only, English queries against the foreign index
    (Hu et al. 2020, appendix; `utils_retrieve.similarity_search` of the official code).
    """

    name = "bitext_retrieval"
    fields: Mapping[str, bool] = MappingProxyType({"source": True, "target": True})
    prediction: PredictionShape = "int"
    indexed = False
    candidate_role: TextRole = "sentence"
    metrics: Mapping[str, Metric] = MappingProxyType({"accuracy": ACCURACY})
    answered_by_search = True

    def example(self, row: Row, item: str, card: TaskCard) -> BitextExample:
        reader = Reader(card, row, item)
        return BitextExample(
            item,
            reader.text("source").strip(),
            reader.text("target").strip(),
            _position(item, card),
        )

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        """The position of the nearest translation among those of all the items.

        Raises:
            UnavailableError: two items have the same position.
        """
        _check_positions(request.examples)
        queries = request.encode(
            (example.source for example in request.examples), self.candidate_role
        )
        targets = request.encode(
            (example.target for example in request.examples), self.candidate_role
        )
        indices = nearest(queries, targets, 1).indices[:, 0].tolist()
        # Lines of the text, not indices among the items: a limit leaves lines out.
        return [request.examples[index].label for index in indices]


def _position(item: str, card: TaskCard) -> int:
    """The number that an id ends in, such as 17 of `dev-17`."""
    number = item.rsplit("-", 1)[-1]
    if not (number.isascii() and number.isdigit()):
        raise UnavailableError(
            f"the id '{item}' has no position in it",
            where=f"card '{card.name}'",
            expected="a whole number at the end of each id: which line of the text it is",
        )
    return int(number)


def _check_positions(examples: Sequence[BitextExample]) -> None:
    ids: dict[int, str] = {}
    for example in examples:
        first_id = ids.setdefault(example.label, example.id)
        if first_id != example.id:
            raise UnavailableError(
                f"'{first_id}' and '{example.id}' have the same position",
                expected="another number for each",
            )
