"""Mining: find the pairs of translations in two texts of which most sentences have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xharness.errors import ConfigurationError, UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import Example, Metric, Prediction, PredictionShape, Reader, Row, f1
from xharness.task_types.margin import Mined, best_threshold, mine
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


class BitextMining:
    """Which sentence of the index, if any, translates this one? "" says that none does.

    BUCC as in XTREME (Hu et al. 2020): pairs by the ratio margin of Artetxe and Schwenk 2019
    (Margin-based Parallel Corpus Mining, section 3), those above a threshold that gives the best
    F1 on the split that the card is `tuned_on`.
    """

    name = "bitext_mining"
    fields: Mapping[str, bool] = MappingProxyType({"id": True, "text": True, "match": False})
    prediction: PredictionShape = "text"
    indexed = True
    candidate_role: TextRole = "sentence"
    metrics: Mapping[str, Metric] = MappingProxyType({"mining_f1": MINING_F1})

    def example(self, row: Row, item: str, card: TaskCard) -> BitextMiningExample:
        read = Reader(card, row, item)
        return BitextMiningExample(item, read.text("text").strip(), read.keys("match"))

    def learnable(self, example: Example) -> bool:
        return False

    def chance(self, card: TaskCard) -> float | None:
        return None

    def search(self, asked: SearchRequest) -> Sequence[Prediction]:
        if asked.tuning is None:
            raise UnavailableError(
                "no threshold can be chosen", hint="name the split under 'tuned_on' in the card"
            )
        pairs, tuning = _pairs(asked), asked.tuning
        same = tuning.examples is asked.examples
        threshold = best_threshold(pairs if same else _pairs(tuning), _gold(tuning))
        found = {one.source: one.target for one in pairs if one.score >= threshold}
        return [found.get(example.id, "") for example in asked.examples]


def _pairs(asked: SearchRequest) -> list[Mined]:
    if asked.index is None:
        raise ConfigurationError("there is nothing to search", hint="name an 'index' in the card")
    return mine(build_index(asked.examples, asked.encode, BitextMining.candidate_role), asked.index)


def _gold(asked: SearchRequest) -> set[tuple[str, str]]:
    return {(one.id, match) for one in asked.examples for match in one.matches}
