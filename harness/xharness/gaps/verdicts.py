"""The words that a board may say of a change, and the table that decides them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a change reads; `{source}` stands for the name of the source language."""

    NOT_ZERO_SHOT = "not zero-shot"
    NOT_LEARNT = "not learnt"
    UNSTABLE = "unstable"
    EXPLORATORY = "EXPLORATORY"
    NARROWS_OTHERS_GAIN = "narrows, others gain"
    NARROWS_SOURCE_FELL = "narrows, {source} fell"
    NARROWS_WHY_OPEN = "narrows, why is open"
    WIDENS_OTHERS_LOSE = "widens, others lose"
    WIDENS_SOURCE_GAINED = "widens, {source} gained"
    WIDENS_WHY_OPEN = "widens, why is open"
    ALL_GAIN_GAP_SAME = "all gain, gap same"
    OTHERS_GAIN_GAP_OPEN = "others gain, gap open"
    OTHERS_LOSE_GAP_OPEN = "others lose, gap open"
    SAME = "same as the baseline"
    OPEN = "open"

    @property
    def is_status(self) -> bool:
        """Whether it says why the table was not asked."""
        return self in _STATUSES

    @property
    def is_claim(self) -> bool:
        """Whether it says a direction: of the gap or of the others."""
        return not self.is_status and self not in (Verdict.SAME, Verdict.OPEN)


_STATUSES = (Verdict.NOT_ZERO_SHOT, Verdict.NOT_LEARNT, Verdict.UNSTABLE, Verdict.EXPLORATORY)


@dataclass(frozen=True)
class Findings:
    """What the tests of one change found, as the decision table reads it.

    Directions are -1, 0 (open) or 1: `gap` and `others` corrected over the family, `source` tested
    because the table asks.
    """

    gap: int
    others: int
    source: int
    source_above_zero: bool
    gap_same: bool
    others_same: bool


def asks_source(gap: int, others: int) -> bool:
    """Whether the table needs to know what the source score did: why the gap moved."""
    return (gap < 0 and others <= 0) or (gap > 0 and others >= 0)


def decide(findings: Findings) -> Verdict:
    """The decision table; a conjunction of tests needs no further correction (Berger 1982)."""
    if findings.gap < 0:
        if findings.others > 0:
            return Verdict.NARROWS_OTHERS_GAIN
        return Verdict.NARROWS_SOURCE_FELL if findings.source < 0 else Verdict.NARROWS_WHY_OPEN
    if findings.gap > 0:
        if findings.others < 0:
            return Verdict.WIDENS_OTHERS_LOSE
        return Verdict.WIDENS_SOURCE_GAINED if findings.source > 0 else Verdict.WIDENS_WHY_OPEN
    if findings.others > 0:
        # "All" holds the source language too, so its interval alone must lie above zero.
        all_gain = findings.gap_same and findings.source_above_zero
        return Verdict.ALL_GAIN_GAP_SAME if all_gain else Verdict.OTHERS_GAIN_GAP_OPEN
    if findings.others < 0:
        return Verdict.OTHERS_LOSE_GAP_OPEN
    return Verdict.SAME if findings.gap_same and findings.others_same else Verdict.OPEN
