"""The figures: the same bytes each time, readable by all, and only where they say something."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from tests.leaderboard import synthetic

from xharness.gaps import Estimate, Point, Trend
from xharness.leaderboard.figures import differs, figures, svg
from xharness.leaderboard.figures.style import COLOURS, DARK, GROUND, MARKERS
from xharness.leaderboard.files import check, save

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return synthetic.board(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def drawn(board):
    return {one.name: svg(one) for one in figures(board)}


def words(drawing: bytes) -> str:
    return " ".join(
        "".join(one.itertext()) for one in ElementTree.fromstring(drawing).iter(f"{_SVG}text")
    )


def test_they_are_the_same_bytes_each_time(board, drawn):
    assert list(drawn) == ["size", "changes", "tasks", "languages"]
    assert {one.name: svg(one) for one in figures(board)} == drawn
    assert not any(b"<dc:date>" in one for one in drawn.values())


def test_each_names_itself_for_those_who_do_not_see_it(board, drawn):
    for one in figures(board):
        root = ElementTree.fromstring(drawn[one.name])
        assert root.get("role") == "img" and root.get("aria-label") == one.alt
        assert len(one.alt) > 40


def test_their_text_is_text_and_names_stay_text(board, drawn, tmp_path):
    odd = "<script>alert(1)</script> $x_1$"
    arms = {arm: (odd if arm[0] == "mini-s" else arm[0], arm[1]) for arm in board.arms}
    text = (synthetic.build(tmp_path) / "scores.jsonl").read_text(encoding="utf-8")
    (tmp_path / "scores.jsonl").write_text(text.replace('"mini-s"', f'"{odd}"'), encoding="utf-8")
    from xharness.leaderboard import read

    made = {one.name: svg(one) for one in figures(read(tmp_path, synthetic.METRICS))}
    assert arms and all(odd in words(one) for one in made.values())
    assert not any(b"<script" in one for one in made.values())
    assert "Swahili" in words(drawn["languages"]) and "mini-l" in words(drawn["size"])


def test_a_dark_page_gets_other_colours(drawn):
    for one in drawn.values():
        assert b"@media(prefers-color-scheme:dark)" in one
        assert GROUND.encode() in one and DARK[GROUND].encode() in one


def test_an_estimate_without_interval_is_drawn_too(board):
    bare = [replace(one, gap=Estimate(one.gap.value)) if one.gap else one
            for one in board.gaps.averages]  # fmt: skip
    (size, *_) = figures(replace(board, gaps=replace(board.gaps, averages=tuple(bare))))
    assert size.name == "size" and svg(size)


def test_the_trend_is_drawn_where_there_is_one(board):
    points = tuple(Point(one, 10**6, Estimate(1.0)) for one in "ab")
    trend = Trend("gap", "single", "single", "non-embedding", None, points,
                  slope=Estimate(-2.0, -3.0, -1.0))  # fmt: skip
    with_it = replace(board, gaps=replace(board.gaps, trends=(trend,)))
    without = replace(board, gaps=replace(board.gaps, trends=()))
    assert len(svg(figures(with_it)[0])) > len(svg(figures(without)[0])) + 200


def test_one_size_makes_no_size_figure_and_no_gap_none_at_all(board):
    averages = tuple(one for one in board.gaps.averages if one.model != "mini-l")
    on_task = figures(replace(board, gaps=replace(board.gaps, averages=averages)))[0]
    assert on_task.name == "size" and "gap on nli, points" in words(svg(on_task))
    tasks = tuple(one for one in board.gaps.tasks if one.model != "mini-l")
    gaps = replace(board.gaps, averages=averages, tasks=tasks)
    assert "size" not in {one.name for one in figures(replace(board, gaps=gaps))}
    nothing = replace(board.gaps, pools=(), averages=(), tasks=(), changes=(), average_changes=())
    assert figures(replace(board, gaps=nothing)) == []


def test_another_release_of_matplotlib_is_compared_by_what_is_shown(board, drawn):
    one = figures(board)[0]
    assert differs(drawn["size"], one) is None
    assert differs(drawn["size"] + b"\n", one) == "is not what would be drawn"
    other = drawn["size"].replace(b"Matplotlib v", b"Matplotlib v0.") + b"\n"
    assert differs(other, one) is None
    assert differs(other, replace(one, data=[])) == "shows other numbers"
    assert differs(b"<svg/>", one) == "shows other numbers"


def test_a_figure_that_is_no_longer_made_is_found_and_removed(board, tmp_path):
    synthetic.build(tmp_path)
    save(board, tmp_path)
    (tmp_path / "figures" / "old.svg").write_text("<svg/>")
    assert check(tmp_path, synthetic.METRICS) == [
        f"{tmp_path / 'figures' / 'old.svg'}: would not be there"
    ]
    save(board, tmp_path)
    assert check(tmp_path, synthetic.METRICS) == []


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_from_the_ground_in_both_themes():
    for light, dark in COLOURS.items():
        assert contrast(light, GROUND) >= 3 and contrast(dark, DARK[GROUND]) >= 3
    for ink, on_dark in DARK.items():
        if ink not in (GROUND, "#d1d9e0"):
            assert contrast(ink, GROUND) >= 4.5 and contrast(on_dark, DARK[GROUND]) >= 4.5
    assert len(set(MARKERS)) == len(COLOURS)
    assert all(one != other for one, other in combinations(COLOURS.values(), 2))
