"""Words for changes: a family of tests, corrected by Holm, read through the decision table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xharness.gaps.intervals import holm, is_same
from xharness.gaps.spread import LEVEL, Spread
from xharness.gaps.values import Estimate, Quantity
from xharness.gaps.verdicts import Findings, Verdict, asks_source, decide


@dataclass(frozen=True)
class Tested:
    """One change of a family: its estimates, and the spread of its gap and of its others."""

    estimates: Mapping[Quantity, Estimate]
    spreads: Mapping[Quantity, Spread]


@dataclass(frozen=True)
class Wording:
    """What may be said of one change, and the corrected p values behind it."""

    verdict: Verdict
    adjusted: Mapping[Quantity, float]

    def reads_as(self, source: str) -> str:
        """The verdict in words; `source` is the name of the source language."""
        return self.verdict.value.format(source=source)


def wordings(family: Sequence[Tested]) -> list[Wording]:
    """Words for every change of a family, Holm going over both questions of all of them."""
    questions: list[tuple[int, Quantity]] = [
        (index, name) for index in range(len(family)) for name in ("gap", "others")
    ]
    corrected = holm([family[index].estimates[name].p for index, name in questions])
    adjusted: list[dict[Quantity, float]] = [{} for _ in family]
    for (index, name), p in zip(questions, corrected, strict=True):
        if p is not None:
            adjusted[index][name] = p
    words = [
        tuple(
            _direction(change.estimates[name], p_values.get(name), LEVEL)
            for name in ("gap", "others")
        )
        for change, p_values in zip(family, adjusted, strict=True)
    ]
    # only these are asked a third time, so only they share the 5%
    asking = sum(asks_source(gap_word, others_word) for gap_word, others_word in words)
    return [
        Wording(_verdict(change, gap_word, others_word, asking), p_values)
        for change, (gap_word, others_word), p_values in zip(family, words, adjusted, strict=True)
    ]


def _verdict(change: Tested, gap_word: int, others_word: int, asking: int) -> Verdict:
    source = change.estimates["source"]
    level = LEVEL / max(asking, 1)
    return decide(
        Findings(
            gap_word,
            others_word,
            _direction(source, source.p, level) if asks_source(gap_word, others_word) else 0,
            source.low is not None and source.low > 0,
            *(
                is_same(change.estimates[name].value, change.spreads[name])
                for name in ("gap", "others")
            ),
        )
    )


def _direction(estimate: Estimate, p: float | None, level: float) -> int:
    """-1 or 1 where the p value is below the level, else 0."""
    if p is None or p >= level:
        return 0
    return (estimate.value > 0) - (estimate.value < 0)
