"""Tables from elsewhere: what becomes of their columns, and what is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers.conftest import Import
from xharness.errors import ConfigurationError
from xharness.gaps.scores import ScoreRow, StatedAverage
from xharness.importers import names

HEAD = "task,metric,model,language,score,seed,split,strategy,source,n\n"


def test_a_row_carries_everything_the_table_says(bring: Import) -> None:
    (row,) = bring(HEAD + "xnli,acc,XLM-R base,sw,66.5,3,test,single,A paper,5010\n")
    assert isinstance(row, ScoreRow)
    values = (row.task, row.metric, row.model, row.language, row.value, row.seed, row.split)
    assert values == ("xnli", "accuracy", "XLM-R-base", "sw", 66.5, 3, "test")
    assert (row.provenance, row.source, row.n) == ("published", "A paper", 5010)
    assert (row.source_language, row.task_type, row.parallel) == ("en", "classification", True)
    assert row.main and row.chance == pytest.approx(100 / 3)
    assert (row.parameters, row.embedding_parameters) == (278_043_648, 192_001_536)


def test_what_a_table_leaves_out_comes_from_the_card(bring: Import) -> None:
    (row,) = bring("task,metric,model,language,score\npanx,F1,new,sw,50.5\n")
    assert isinstance(row, ScoreRow)
    assert (row.task, row.metric, row.split, row.n) == ("wikiann", "span_f1", "test", 1000)
    assert (row.seed, row.strategy, row.source) == (None, "single", "table.csv")
    assert row.parameters is None


def test_columns_with_other_names_and_one_value_for_all(bring: Import) -> None:
    (row,) = bring(
        "model,l,f1\nm,de,70\n",
        columns={"score": "f1", "language": "l"},
        constants={"task": "xquad", "metric": "f1"},
    )
    assert (row.task, row.metric) == ("xquad", "f1")


def test_a_tab_separated_table_with_a_byte_order_mark(bring: Import) -> None:
    (row,) = bring(
        "\ufefftask\tmetric\tmodel\tlanguage\tscore\nxnli\tacc\tm\tde\t70\n", "table.tsv"
    )
    assert row.task == "xnli"


def test_exact_match_and_f1_make_the_official_score(bring: Import) -> None:
    imported_rows = bring("task,metric,model,language,score\nmlqa,EM,m,de,40\nmlqa,F1,m,de,60\n")
    assert [(row.metric, row.main) for row in imported_rows if isinstance(row, ScoreRow)] == [
        ("mlqa_exact_match", False), ("mlqa_f1", False), ("mlqa_mean", True),
    ]  # fmt: skip
    mean = imported_rows[-1]
    assert isinstance(mean, ScoreRow) and mean.value == 50.0
    assert any("mean of the stated" in note for note in mean.notes)


def test_f1_alone_is_never_the_official_score(bring: Import) -> None:
    (row,) = bring("task,metric,model,language,score\nmlqa,F1,m,de,60\n")
    assert isinstance(row, ScoreRow) and not row.main


def test_a_row_without_a_language_is_an_average(bring: Import) -> None:
    imported_rows = bring(
        "task,metric,model,language,score\nxnli,acc,m,,70\nxtreme-r,mean,m,avg,60\n"
    )
    assert all(isinstance(row, StatedAverage) for row in imported_rows)
    averages = [
        (row.task, row.suite, row.averaged_over)
        for row in imported_rows
        if isinstance(row, StatedAverage)
    ]
    assert averages == [("xnli", None, "languages"), (None, "xtreme-r", "tasks")]


@pytest.mark.parametrize(
    ("line", "expected_text"),
    [
        ("xnil,acc,m,de,70", ["2: there is no task card 'xnil'", "'xnli'"]),
        ("xnli,acc,m,fi,70", ["2: 'fi' is no language of xnli"]),
        ("xnli,bleu,m,de,70", ["2: 'bleu' is no metric of xnli", "accuracy"]),
        ("xnli,acc,m,de,170", ["2: 170 lies outside the metric's range", "0 to 100"]),
        ("xnli,acc,m,de,-1", ["2: -1 lies outside"]),
        ("xnli,acc,m,de,nan", ["2: nan lies outside"]),
        ("xnli,acc,m,de,high", ["2: score: 'high' is not a number"]),
        ("xnli,acc,,de,70", ["2: 'model' is empty"]),
        ("xnli,acc,模,de,70", ["2: the model's name has neither"]),
        ("xnli,acc,m,de", ["2: 4 cells under 5 columns"]),
        ("xtreme,mean,m,de,70", ["2: 'xtreme' is a group of tasks"]),
    ],
)
def test_a_wrong_cell_is_told_with_its_line(
    bring: Import, line: str, expected_text: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        bring(f"task,metric,model,language,score\n{line}\n")
    assert f"table.csv:{expected_text[0]}" in str(error.value)
    assert all(part in str(error.value) for part in expected_text)


@pytest.mark.parametrize(
    ("columns", "expected_text"),
    [
        ("seed", "xnli,acc,m,de,70,one|seed: 'one' is not a number"),
        ("seed", "xnli,acc,m,de,70,1.5|seed: '1.5' is not a whole number"),
        ("seed", "xnli,acc,m,de,70,inf|seed: 'inf' is not a whole number"),
        ("seed", "xnli,acc,m,de,70,nan|seed: 'nan' is not a whole number"),
        ("split", "xnli,acc,m,de,70,tset|'tset' is no split"),
        ("averaged_over", "xnli,acc,m,,70,cats|'cats' is not something to average over"),
        ("suite", "xnli,acc,m,,70,xtrem|there is no group 'xtrem'"),
    ],
)
def test_a_wrong_optional_cell_too(bring: Import, columns: str, expected_text: str) -> None:
    line, _, message = expected_text.partition("|")
    with pytest.raises(ConfigurationError, match=f"table.csv:2: {message}"):
        bring(f"task,metric,model,language,score,{columns}\n{line}\n")


def test_duplicates_and_contradictions_name_both_lines(bring: Import) -> None:
    table = (
        "task,metric,model,language,score\nxnli,acc,m,de,70\nxnli,acc,m,de,70\nxnli,acc,m,de,71\n"
    )
    with pytest.raises(ConfigurationError) as error:
        bring(table)
    first, second = str(error.value).splitlines()
    assert "table.csv:3: m × single, xnli, de, test, accuracy: stands a second time" in first
    assert "table.csv:4:" in second and "71 contradicts 70" in second
    assert all("first at" in problem and "table.csv:2" in problem for problem in (first, second))


def test_one_mistake_in_many_rows_is_told_once(bring: Import) -> None:
    lines = "".join(f"xnil,acc,m{number},de,70\n" for number in range(30))
    with pytest.raises(ConfigurationError) as error:
        bring("task,metric,model,language,score\n" + lines)
    assert str(error.value).count("xnil") == 1
    assert "table.csv:2" in str(error.value) and "and in 29 more rows" in str(error.value)


def test_many_mistakes_are_counted(bring: Import) -> None:
    lines = "".join(f"unknown{number},acc,m,de,70\n" for number in range(30))
    with pytest.raises(ConfigurationError, match="and 10 more"):
        bring("task,metric,model,language,score\n" + lines)


def test_a_missing_column_names_the_way_out(bring: Import) -> None:
    with pytest.raises(ConfigurationError) as error:
        bring("task,metric,model,language,f1\nxnli,acc,m,de,70\n")
    assert "there is no column 'score'" in str(error.value)
    assert "--map score=COLUMN" in str(error.value) and "f1" in str(error.value)


def test_languages_under_another_name_are_no_averages(bring: Import) -> None:
    with pytest.raises(ConfigurationError, match="the column 'lang' is not read") as error:
        bring("task,metric,model,lang,score\nxnli,acc,m,de,70\n")
    assert "--map language=lang" in str(error.value)
    table = "task,metric,model,lang,score\nxnli,acc,m,de,70\n"
    assert bring(table, columns={"language": "lang"})[0].language == "de"


def test_a_mapped_column_must_be_there(bring: Import) -> None:
    with pytest.raises(ConfigurationError, match="--map score=F1: there is no such column"):
        bring("task,metric,model,f1\nxnli,acc,m,70\n", columns={"score": "F1"})


def test_shares_of_one_must_be_named_as_such(bring: Import) -> None:
    table = "task,metric,model,language,score\nxnli,acc,m,de,0.7\nxnli,acc,m,en,0.8\n"
    with pytest.raises(ConfigurationError, match="--unit fraction"):
        bring(table)
    (german, _) = bring(table, unit="fraction")
    assert isinstance(german, ScoreRow) and german.value == 70.0
    (german, _) = bring(table, unit="points")
    assert isinstance(german, ScoreRow) and german.value == 0.7


def test_quotes_that_never_end_are_told(bring: Import) -> None:
    with pytest.raises(ConfigurationError, match="not a table"):
        bring('task,metric,model,language,score\nxnli,acc,"m,de,70\n')


@given(st.text(max_size=40))
def test_labels_are_names_that_a_study_could_give(text: str) -> None:
    label = names.arm_label(text)
    assert names.arm_label(label) == label
    assert label == "" or label.replace("_", "").replace("-", "").isalnum() or set(label) <= {"_"}
    assert label.isascii()
