"""Rows that languages share: those that a filter wants, and no row asked twice for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from xharness.data.split_sources import SharedRows, _matcher
from xharness.task_types.base import Row

WORDS = st.sampled_from(["en", "EN", "en-de", "d", "7", "e?", "[ab]", "", "éa"])
PATTERNS = st.sampled_from(["en", "en*", "?n", "[ed]*", "7", "e?", "[ab]", "", "*"])


@given(st.lists(st.tuples(WORDS, WORDS)), PATTERNS, PATTERNS)
def test_candidates_hold_all_rows_that_match_in_order(
    pairs: list[tuple[str, str]], first: str, second: str
) -> None:
    patterns = {"a": first, "b": second}
    rows = [{"a": a, "b": b, "number": number} for number, (a, b) in enumerate(pairs)]

    def matching(some: Sequence[Row]) -> list[Row]:
        return [
            row for row in some if all(fnmatchcase(row[name], patterns[name]) for name in patterns)
        ]

    shared = SharedRows(rows)
    candidates = shared.candidates(patterns)
    assert matching(candidates) == matching(rows)
    assert shared.candidates(patterns) == candidates


def test_a_word_finds_its_rows_alone_whatever_their_type() -> None:
    shared = SharedRows([{"a": 7}, {"a": "7"}, {"a": 8}])
    assert shared.candidates({"a": "7"}) == [{"a": 7}, {"a": "7"}]
    assert len(shared.candidates({"a": "9"})) == 0


def test_rows_without_the_column_are_all_handed_on_to_be_refused() -> None:
    rows = [{"a": 7}, {"b": 8}]
    assert SharedRows(rows).candidates({"a": "7"}) == rows


@given(WORDS, PATTERNS)
def test_matchers_agree_with_fnmatch(word: str, pattern: str) -> None:
    assert bool(_matcher(pattern)(word)) == fnmatchcase(word, pattern)
