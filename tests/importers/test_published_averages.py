"""Stated averages against their own cells."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers.conftest import Import
from xharness.gaps.scores import ScoreRow, StatedAverage
from xharness.leaderboard.published_averages import CheckedAverage, check_averages

HEAD = "task,metric,model,language,score,source,averaged_over,suite\n"


def _averages(score_rows: list[ScoreRow | StatedAverage]) -> list[CheckedAverage]:
    means = [row for row in score_rows if isinstance(row, StatedAverage)]
    return check_averages(means, [row for row in score_rows if isinstance(row, ScoreRow)])


def test_an_average_agrees_within_what_rounding_allows(bring: Import) -> None:
    cells = "xnli,acc,m,de,70.0,A,,\nxnli,acc,m,fr,70.1,A,,\n"
    (average,) = _averages(bring(HEAD + cells + "xnli,acc,m,,70.1,A,,\n"))
    assert average.derived == pytest.approx(70.05) and not average.contradicted
    assert average.reading == "mean of 2 languages"


def test_an_average_that_its_cells_contradict(bring: Import) -> None:
    cells = "xnli,acc,m,de,70.0,A,,\nxnli,acc,m,fr,70.1,A,,\n"
    (average,) = _averages(bring(HEAD + cells + "xnli,acc,m,,70.3,A,,\n"))
    assert average.contradicted


def test_only_the_cells_of_the_same_source_count(bring: Import) -> None:
    (average,) = _averages(bring(HEAD + "xnli,acc,m,de,70.0,A,,\nxnli,acc,m,,90.0,B,,\n"))
    assert average.derived is None and not average.contradicted


SUITE = (
    "xnli,acc,m,,80.0,A,,xtreme\nxquad,EM,m,,60.0,A,,xtreme\nxquad,F1,m,,80.0,A,,xtreme\n"
    "udpos,score,m,,70.0,A,,xtreme\n"
)


@pytest.mark.parametrize(
    ("stated_mean", "reading", "contradicted"),
    [
        ("73.3", "mean of 3 tasks, (EM + F1) / 2", False),
        ("76.7", "mean of 3 tasks, F1 alone", False),
        ("75.2", "mean of 3 tasks, F1 alone", True),
    ],
)
def test_a_suite_average_is_read_in_both_usual_ways(
    bring: Import, stated_mean: str, reading: str, contradicted: bool
) -> None:
    average = _averages(bring(HEAD + SUITE + f"xtreme,mean,m,,{stated_mean},A,tasks,\n"))[-1]
    assert (average.reading, average.contradicted) == (reading, contradicted)


def test_an_average_over_families(bring: Import) -> None:
    average = _averages(bring(HEAD + SUITE + "xtreme,mean,m,,73.3,A,families,\n"))[-1]
    assert average.derived == pytest.approx((80 + 70 + 70) / 3)
    assert not average.contradicted


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40), st.data())
def test_honest_rounding_is_never_called_a_contradiction(
    tenths: list[int], data: st.DataObject
) -> None:
    """Cells rounded to one decimal; the average was computed before they were."""
    noise = data.draw(
        st.lists(st.floats(-0.0499, 0.0499), min_size=len(tenths), max_size=len(tenths))
    )
    exact = [
        min(100, max(0, tenth / 10 + error)) for tenth, error in zip(tenths, noise, strict=True)
    ]
    arm = {"model": "m", "strategy": "single", "seed": None, "task": "xnli", "metric": "accuracy"}
    cells = [
        ScoreRow(**arm, task_type="classification", language=f"l{index}", source_language="en",
              split="test", main=True, value=tenth / 10, n=None, source="A",
              provenance="published")
        for index, tenth in enumerate(tenths)
    ]  # fmt: skip
    stated_mean = StatedAverage(
        **arm, averaged_over="languages", mean=round(fmean(exact), 1), source="A"
    )
    (average,) = check_averages([stated_mean], cells)
    assert not average.contradicted
