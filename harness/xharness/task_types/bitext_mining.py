"""Mining: find the pairs of translations in two texts of which most sentences have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xharness.errors import ConfigurationError, UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    f1,
)
from xharness.task_types.margin import MinedPair, best_threshold, mine
from xharness.task_types.search import SearchRequest, TextRole, build_index


@dataclass(frozen=True, slots=True)
class BitextMiningExample:
    """A sentence, and the ids of its translations in the index; most have none."""

    id: str
    text: str
    matches: tuple[str, ...]


def _item(
    example: BitextMiningExample, prediction: str, card: TaskCard, language: str
) -> tuple[float, float, float]:
    right = prediction in example.matches
    return float(right), float(prediction != "" and not right), len(example.matches) - float(right)


MINING_F1 = Metric("mining_f1", ("tp", "fp", "fn"), _item, f1, "F1 of the mined pairs")


class BitextMining(TaskType):
    """Which sentence of the index, if any, translates this one? "" says that none does.

    BUCC as in XTREME (Hu et al. 2020): pairs by the ratio margin of Artetxe and Schwenk 2019
    (Margin-based Parallel Corpus Mining, section 3), those above a threshold that gives the best
    F1 on the card's `threshold_split`.
    """

    name = "bitext_mining"
    fields: Mapping[str, bool] = MappingProxyType({"id": True, "text": True, "match": False})
    prediction: PredictionShape = "text"
    indexed = True
    candidate_role: TextRole = "sentence"
    metrics: Mapping[str, Metric] = MappingProxyType({"mining_f1": MINING_F1})
    answered_by_search = True

    def example(self, row: Row, item: str, card: TaskCard) -> BitextMiningExample:
        reader = Reader(card, row, item)
        return BitextMiningExample(item, reader.text("text").strip(), reader.keys("match"))

    def learnable(self, example: Example) -> bool:
        return False

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        if request.tuning is None:
            raise UnavailableError(
                "no threshold can be chosen",
                hint="name the split under 'threshold_split' in the card",
            )
        pairs, tuning = _pairs(request), request.tuning
        # The split that is scored may be the one tuned on: its pairs are not mined twice.
        tuning_pairs = pairs if tuning.examples is request.examples else _pairs(tuning)
        threshold = best_threshold(tuning_pairs, _gold(tuning))
        targets = {pair.source: pair.target for pair in pairs if pair.score >= threshold}
        return [targets.get(example.id, "") for example in request.examples]


def _pairs(request: SearchRequest) -> list[MinedPair]:
    if request.index is None:
        raise ConfigurationError("there is nothing to search", hint="name an 'index' in the card")
    return mine(
        build_index(request.examples, request.encode, BitextMining.candidate_role), request.index
    )


def _gold(request: SearchRequest) -> set[tuple[str, str]]:
    return {(example.id, match) for example in request.examples for match in example.matches}
