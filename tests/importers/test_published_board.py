"""The committed board of published rows: complete, sourced, and what its tables say."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from tests.conftest import REPOSITORY
from xharness.gaps import scores
from xharness.gaps.scores import ScoreRow, StatedAverage
from xharness.leaderboard.published_averages import check_averages

BOARD = REPOSITORY / "leaderboard" / "published"
TABLES = REPOSITORY.parent / "shared" / "reference" / "tables"
ROWS = list(scores.read(BOARD / "scores.jsonl"))
CELLS = [row for row in ROWS if isinstance(row, ScoreRow)]
MEANS = [row for row in ROWS if isinstance(row, StatedAverage)]


def _cells(model: str, task: str, metric: str) -> dict[str, float]:
    """Language to score, averaged over seeds."""
    values_of_language = defaultdict(list)
    for row in CELLS:
        if (row.model, row.task, row.metric) == (model, task, metric):
            values_of_language[row.language].append(row.value)
    return {language: fmean(values) for language, values in values_of_language.items()}


def test_every_row_is_published_with_its_source_and_below_a_billion() -> None:
    assert len(CELLS) + len(MEANS) == len(ROWS)
    assert all(row.provenance == "published" and row.source for row in CELLS)
    assert all(row.parameters is None or row.parameters < 10**9 for row in (*CELLS, *MEANS))


def test_the_tasks_that_publications_tell_by_language() -> None:
    assert {row.task for row in CELLS} == {"xnli", "xquad", "mlqa", "xcopa", "mewslix", "wikiann"}
    assert {row.suite for row in MEANS if row.suite} == {"xtreme", "xtreme-r"}


@pytest.mark.parametrize("model", ["xlm-r-base-reproduced", "xlm-v-base-reproduced"])
@pytest.mark.parametrize(("task", "languages"), [("wikiann", 48), ("xquad", 11)])
def test_two_models_have_five_seeds_each(model: str, task: str, languages: int) -> None:
    seeds = defaultdict(set)
    for row in CELLS:
        if (row.model, row.task, row.main) == (model, task, True):
            seeds[row.seed].add(row.language)
    assert set(seeds) == {1, 2, 3, 4, 5}
    assert all(len(codes) == languages for codes in seeds.values())


@pytest.mark.parametrize(
    ("model", "task", "metric", "gap"),
    [
        ("xlm-r-base", "xnli", "accuracy", 10.279),
        ("xlm-r-large", "xnli", "accuracy", 8.793),
        ("mdeberta-v3-base", "xnli", "accuracy", 8.957),
        ("mbert", "xnli", "accuracy", 16.886),
        ("mbert", "xquad", "f1", 19.955),
        ("xlm-r-large", "mlqa", "mlqa_exact_match", 17.633),
        ("xlm-r-large", "mewslix", "map_at_20", 11.18),
        ("xlm-r-base", "wikiann", "span_f1", 22.128),
    ],
)
def test_gaps_that_can_be_computed_by_hand(model: str, task: str, metric: str, gap: float) -> None:
    values_of_language = _cells(model, task, metric)
    english = values_of_language.pop("en")
    assert english - fmean(values_of_language.values()) == pytest.approx(gap, abs=0.006)


def test_the_averages_that_their_own_cells_contradict() -> None:
    wrong = {(average.stated.model, average.stated.task or average.stated.averaged_over)
             for average in check_averages(MEANS, CELLS) if average.contradicted}  # fmt: skip
    assert wrong == {("XLM-100", "xnli"), ("FILTER", "tasks"), ("FILTER", "families")}


def test_a_table_that_counts_f1_alone_is_recognised() -> None:
    readings = {average.stated.model: average.reading for average in check_averages(MEANS, CELLS)
            if average.stated.suite == "xtreme-r" and average.stated.task is None}  # fmt: skip
    assert set(readings.values()) == {"mean of 10 tasks, F1 alone"} and len(readings) == 4


def test_placeholders_of_chance_are_noted() -> None:
    noted = {
        (row.model, row.language) for row in CELLS if any("chance" in note for note in row.notes)
    }
    assert noted == {("xlm-r-large", "ht"), ("xlm-r-large", "qu"), ("roberta-large", "qu")}


def test_the_rows_are_those_of_the_tables(tmp_path: Path) -> None:
    if not TABLES.is_dir():
        pytest.skip(f"no published tables at {TABLES}")
    spec = importlib.util.spec_from_file_location("build", BOARD / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(TABLES, tmp_path)
    assert (tmp_path / "scores.jsonl").read_bytes() == (BOARD / "scores.jsonl").read_bytes()
