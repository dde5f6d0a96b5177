"""The first screen: what it claims, what it won't, and that it stays one screen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw
from tests.leaderboard import handmade
from tests.leaderboard.handmade import headline

from xharness.gaps import TrainingBudget, Verdict
from xharness.leaderboard import Board, render
from xharness.leaderboard.exports import to_json
from xharness.leaderboard.html import data, page
from xharness.leaderboard.summary import summarize
from xharness.leaderboard.text import points

NARROWS, OPEN = Verdict.NARROWS_OTHERS_GAIN, Verdict.OPEN
EXPLORATORY, NOT_LEARNT = Verdict.EXPLORATORY, Verdict.NOT_LEARNT


def test_a_claim_is_one_bold_sentence_with_its_numbers_and_its_models() -> None:
    board = handmade.board(
        {("a", "multi"): NARROWS, ("b", "multi"): NARROWS}, [headline("multi", NARROWS, "ab")]
    )
    summary = summarize(board)
    assert summary.is_claim
    assert summary.headline == (
        "Over 2 tasks of a and b, multi: narrows, others gain "
        "(Δ gap −3.0 [−4.0, −2.0], Δ others +3.0 [+2.0, +4.0])."
    )
    assert f"**{summary.headline}**" in render(board)


def test_a_claim_about_fewer_models_names_them() -> None:
    arms = [("a", "multi"), ("b", "multi"), ("a", "other")]
    headlines = [headline("other", NARROWS, "a"), headline("multi", NARROWS, "ab")]
    summary = summarize(handmade.board(dict.fromkeys(arms, NARROWS), headlines))
    assert [text.partition(":")[0] for text in summary.headline.split("; ")] == [
        "Over 2 tasks of a and b, multi",
        "over 2 tasks of a, other",
    ]


def test_without_a_claim_it_says_not_shown() -> None:
    board = handmade.board({("a", "multi"): OPEN}, [headline("multi", OPEN, "a")])
    summary = summarize(board)
    assert not summary.is_claim and summary.headline.startswith("Not shown: over 2 tasks of a, ")


def test_one_seed_has_numbers_and_neither_words_nor_intervals() -> None:
    board = handmade.board(
        {("a", "multi"): EXPLORATORY, ("a", "lora"): EXPLORATORY},
        [headline("multi", EXPLORATORY, "a"), headline("lora", EXPLORATORY, "a")],
        seeds=1,
    )
    summary = summarize(board)
    assert summary.headline.startswith("Not shown: one seed of training can't tell")
    assert summary.badges[0] == "EXPLORATORY" and "1 seed" in summary.badges
    assert not any("[" in cell for line in summary.table.lines for cell in line.words)
    assert not any(line.is_claim for line in summary.table.lines)
    assert any("three seeds to look" in part for part in summary.still_open)
    assert "+9.0 (a × multi) to +8.0 (a × lora)" in summary.remarks[0]


def test_the_baseline_comes_first_and_the_rest_by_what_the_others_gain() -> None:
    board = handmade.board({("a", name): OPEN for name in ("x", "y", "z")})
    lines = summarize(board).table.lines
    assert [line.strategies[0] for line in lines] == ["single", "x", "y", "z"]
    assert lines[0].is_baseline and lines[0].reading == "baseline"


def test_arms_that_did_not_learn_stand_in_one_line() -> None:
    board = handmade.board({("a", "x"): NARROWS, ("a", "p"): NOT_LEARNT, ("a", "q"): NOT_LEARNT})
    lines = summarize(board).table.lines
    assert lines[-1].strategies == ("p", "q") and lines[-1].reading == "not learnt: nli"
    assert len(lines) == 3


def test_a_single_model_s_word_is_told_where_the_average_has_none() -> None:
    board = handmade.board(
        {("a", "multi"): NARROWS, ("b", "multi"): OPEN}, [headline("multi", OPEN, "ab")]
    )
    assert (
        "multi, model by model: narrows, others gain for 1 of 2 models." in summarize(board).remarks
    )


def test_a_task_without_a_source_score_has_its_column_and_its_sentence() -> None:
    board = handmade.board(
        {("a", "multi"): OPEN},
        [headline("multi", OPEN, "a")],
        sourceless=[handmade.sourceless(("a", "multi"), "bitext_retrieval", -46.8)],
    )
    summary = summarize(board)
    assert "Δ bitext_retrieval" in summary.table.header
    assert "−46.8 [−47.8, −45.8]" in summary.table.lines[-1].words
    assert any(
        "bitext_retrieval, which has no English score" in remark for remark in summary.remarks
    )


def test_unequal_budgets_are_badged_and_printed() -> None:
    board = handmade.with_budgets(
        handmade.board({("a", "multi"): OPEN}), {"single": 60, "multi": 40}
    )
    summary = summarize(board)
    badge = "UNEQUAL BUDGETS: steps a task (multi), steps in all (multi)"
    assert summary.badges[0] == badge and f"`{badge}`" in render(board)
    budgets = "budgets: single 60 steps a task, 120 in all; multi 40 steps a task, 80 in all"
    assert budgets in summary.still_open
    equal = handmade.with_budgets(
        handmade.board({("a", "multi"): OPEN}), {"single": 60, "multi": 60}
    )
    assert not any("UNEQUAL" in badge for badge in summarize(equal).badges)
    assert not any("budgets" in part for part in summarize(equal).still_open)


def test_models_whose_rows_lack_steps_are_named_unless_nothing_was_trained() -> None:
    board = handmade.board({("a", "multi"): OPEN, ("b", "multi"): OPEN})
    assert "steps not stated" in summarize(board).badges

    def silent(**facts: Any) -> Board:
        tasks = tuple(replace(gap, **facts) if gap.model == "a" else gap for gap in told.gaps.tasks)
        return replace(told, gaps=replace(told.gaps, tasks=tasks))

    told = handmade.with_budgets(board, {"single": 60, "multi": 60})
    unknown = TrainingBudget()
    assert "steps not stated (a)" in summarize(silent(budget=unknown)).badges
    for complete in (told, silent(budget=unknown, protocol="prompted, 0-shot")):
        assert not any("steps not" in badge for badge in summarize(complete).badges)


def test_steps_before_the_target_are_badged_as_steps_in_all() -> None:
    arms = {("a", name): OPEN for name in ("stilts", *"pqrst")}
    board = handmade.with_budgets(
        handmade.board(arms), dict.fromkeys(("single", "stilts", *"pqrst"), 60), {"stilts": 40}
    )
    summary = summarize(board)
    assert summary.badges[0] == "UNEQUAL BUDGETS: steps in all (stilts)"
    assert (
        "budgets: single and 5 others 60 steps a task, 120 in all; "
        "stilts 60 steps a task, 160 in all"
    ) in summary.still_open


def test_a_caption_says_what_the_columns_are_and_a_legend_what_the_strategies_are() -> None:
    board = handmade.board({("a", "multi"): OPEN})
    multi = board.study.strategies[1].model_copy(update={"about": "all *tasks*\nat once"})
    study = board.study.model_copy(update={"strategies": (board.study.strategies[0], multi)})
    board = replace(board, study=study)
    text = render(board)
    for words in ("0 to 100", "gap: English minus others", "minus single", "95% interval"):
        assert words in text
        assert words in page(board)
    assert "- **multi**: all \\*tasks\\* at once\n" in text
    assert "<dt>multi</dt><dd>all *tasks* at once</dd>" in page(board)
    assert "**single**:" not in text


@settings(deadline=None)  # the first boards of a process take longer
@given(
    models=draw.integers(1, 12),
    strategies=draw.integers(1, 20),
    verdicts=draw.lists(draw.sampled_from(Verdict), min_size=1, max_size=8),
)
def test_it_stays_one_screen_and_loses_no_arm(models, strategies, verdicts) -> None:
    readings = {
        (f"m{model}", f"s{strategy}"): verdicts[(model + strategy) % len(verdicts)]
        for model in range(models)
        for strategy in range(strategies)
    }
    table = summarize(handmade.board(readings)).table
    assert len(table.lines) <= 18
    arms_shown = {(line.model, name) for line in table.lines for name in line.strategies}
    compared = {arm for arm in arms_shown if arm in readings}
    left_out = sum(count for reading, count in table.other_arms.items() if reading != "baseline")
    assert len(compared) + left_out == len(readings)
    assert all(len(line.words) == len(table.header) for line in table.lines)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_bold_is_for_claims_alone(verdict: Verdict) -> None:
    board = handmade.board({("a", "multi"): verdict}, [headline("multi", verdict, "a")])
    row = next(line for line in render(board).splitlines() if "| multi |" in line)
    assert ("**" in row) == verdict.is_claim
    assert summarize(board).is_claim == verdict.is_claim


def test_a_board_that_compares_nothing_says_between_what_its_gaps_lie() -> None:
    board = handmade.board({("a", "multi"): OPEN, ("b", "multi"): OPEN})
    pool = replace(board.gaps.pools[0], arms=(("a", "single"), ("b", "single")))
    board_alone = replace(board, gaps=replace(board.gaps, pools=(pool,), average_changes=()))
    assert summarize(board_alone).headline == (
        "No strategy is compared with single here: gaps lie between 15.0 (a) and 15.0 (a)."
    )


def test_nothing_scored_is_said() -> None:
    board = handmade.board({("a", "multi"): OPEN})
    empty_gaps = replace(board.gaps, tasks=(), averages=(), average_changes=(), pools=())
    summary = summarize(replace(board, rows=(), gaps=empty_gaps))
    assert summary.headline == "Nothing was scored." and summary.table.lines == ()


def test_many_models_stand_there_as_their_mean() -> None:
    names = [f"m{index}" for index in range(9)]
    board = handmade.board(
        {(name, "multi"): OPEN for name in names}, [headline("multi", OPEN, names)]
    )
    table = summarize(board).table
    assert [line.model for line in table.lines] == ["mean of 9 models"] * 2
    assert table.other_arms == {"open": 9}


def test_the_words_over_columns_are_the_same_everywhere() -> None:
    board = handmade.board({("a", "multi"): OPEN}, [headline("multi", OPEN, "a")])
    header = summarize(board).table.header
    rows = json.loads(to_json(board))["table"]
    assert tuple(rows[0]) == header
    assert f"| {' | '.join(header)} |" in render(board)
    page_text = page(board)
    assert all(f">{name}</th>" in page_text for name in header)
    words = json.loads(page_text.split('type="application/json">')[1].split("</script>")[0])[
        "words"
    ]
    assert set(header) <= {*words.values()}
    assert set(header) <= {*board.overview()[0]}


@given(draw.floats(-100, 100, allow_nan=False))
def test_one_number_is_one_number(value: float) -> None:
    """Markdown shows what the page's whole tenths and the JSON's full number round to."""
    tenths = data.tenths(value)
    assert tenths is not None
    units, tenth = divmod(abs(tenths), 10)
    sign = "−" if tenths < 0 else ""
    assert points(value) == f"{sign}{units}.{tenth}"
    assert points(json.loads(json.dumps(value))) == points(value)


@pytest.mark.parametrize(("items", "points"), [(200, 4), (1000, 2), (10_000, 2)])
def test_an_exploratory_board_says_what_luck_alone_does(items, points) -> None:
    """As docs/statistics.md has it of one task, over the root of the two tasks there are."""
    board = handmade.board({("a", "multi"): Verdict.EXPLORATORY}, seeds=1)
    rows = tuple(replace(row, n=items) for row in board.rows)
    (remark,) = summarize(replace(board, rows=rows)).remarks
    assert f"luck alone moves a Δ gap by up to about {points} points here" in remark
