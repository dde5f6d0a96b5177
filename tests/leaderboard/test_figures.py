"""The figures: the same bytes each time, readable by all, and only where they say something."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from tests.leaderboard import handmade, synthetic

from xharness.gaps import Estimate, Point, Trend, Verdict
from xharness.leaderboard.figures import differs, figures, svg
from xharness.leaderboard.figures.style import COLOURS, DARK, GROUND

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return synthetic.board(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def drawings(board):
    return {picture.name: svg(picture) for picture in figures(board)}


def words(drawing: bytes) -> str:
    return " ".join(
        "".join(picture.itertext())
        for picture in ElementTree.fromstring(drawing).iter(f"{_SVG}text")
    )


def test_they_are_the_same_bytes_each_time(board, drawings):
    assert list(drawings) == ["changes", "tasks", "size", "languages"]
    assert {picture.name: svg(picture) for picture in figures(board)} == drawings
    assert not any(b"<dc:date>" in picture for picture in drawings.values())


def test_each_names_itself_for_those_who_do_not_see_it(board, drawings):
    for picture in figures(board):
        root = ElementTree.fromstring(drawings[picture.name])
        assert root.get("role") == "img" and root.get("aria-label") == picture.alt
        assert len(picture.alt) > 40


def test_their_text_is_text_and_names_stay_text(board, drawings, tmp_path):
    odd = "<script>alert(1)</script> $x_1$"
    arms = {arm: (odd if arm[0] == "mini-s" else arm[0], arm[1]) for arm in board.arms}
    text = (synthetic.build(tmp_path) / "scores.jsonl").read_text(encoding="utf-8")
    (tmp_path / "scores.jsonl").write_text(text.replace('"mini-s"', f'"{odd}"'), encoding="utf-8")
    from xharness.leaderboard import read

    odd_ones = [svg(picture) for picture in figures(read(tmp_path, synthetic.METRICS))]
    assert arms and all("<script>" in words(drawing) for drawing in odd_ones)
    assert not any(b"<script" in drawing for drawing in odd_ones)
    assert "Swahili" in words(drawings["languages"]) and "mini-l" in words(drawings["size"])


def test_what_only_machines_differ_in_is_not_drawn(board):
    figure = figures(board)[0]
    noise = 1e-13
    shaken = replace(figure, data=_shaken(figure.data, noise))
    assert shaken.data == figure.data and svg(shaken) == svg(figure)


def _shaken(value, noise):
    if isinstance(value, float):
        return value + noise
    if isinstance(value, dict):
        return {key: _shaken(part, noise) for key, part in value.items()}
    return [_shaken(part, noise) for part in value] if isinstance(value, list) else value


def test_a_dark_page_gets_other_colours(drawings):
    for drawing in drawings.values():
        assert b"@media(prefers-color-scheme:dark)" in drawing
        assert GROUND.encode() in drawing and DARK[GROUND].encode() in drawing


def figure(board, name):
    """The figure of that name; None where the board has none."""
    return next((figure for figure in figures(board) if figure.name == name), None)


def test_an_estimate_without_interval_is_drawn_too(board):
    averages = [replace(average, gap=Estimate(average.gap.value)) if average.gap else average
                for average in board.gaps.averages]  # fmt: skip
    bare_board = replace(board, gaps=replace(board.gaps, averages=tuple(averages)))
    assert svg(figure(bare_board, "size"))


def test_a_line_is_drawn_only_where_size_has_a_word(board):
    points = tuple(Point(name, 10**6, None, Estimate(1.0)) for name in "ab")
    trend = Trend("gap", "single", "single", "non-embedding", points, word="narrower",
                  slope=Estimate(-2.0, -3.0, -1.0))  # fmt: skip
    lengths = [
        len(svg(figure(replace(board, gaps=replace(board.gaps, trends=trends)), "size")))
        for trends in ((), (replace(trend, word="open"),), (trend,))
    ]
    assert lengths[0] == lengths[1] < lengths[2] - 200


def test_one_size_makes_no_size_figure_and_no_gap_none_at_all(board):
    averages = tuple(average for average in board.gaps.averages if average.model != "mini-l")
    on_task = replace(board, gaps=replace(board.gaps, averages=averages))
    assert "gap on nli, points" in words(svg(figure(on_task, "size")))
    tasks = tuple(task_gap for task_gap in board.gaps.tasks if task_gap.model != "mini-l")
    gaps = replace(board.gaps, averages=averages, tasks=tasks)
    assert figure(replace(board, gaps=gaps), "size") is None
    empty_gaps = replace(
        board.gaps, pools=(), averages=(), tasks=(), changes=(), average_changes=()
    )
    assert figures(replace(board, gaps=empty_gaps)) == []


ARMS = [(f"model-{model}", f"strategy-{name}") for model in range(3) for name in range(12)]


@pytest.mark.parametrize("arms", [ARMS[:5], ARMS, [(f"m{index}", "multi") for index in range(60)]])
def test_every_row_carries_its_name_and_the_baseline_is_in_sight(arms):
    """With few arms, with many, and with so many models that strategies stand for them."""
    models = list(dict.fromkeys(model for model, _ in arms))
    sizes = {model: 10**7 * (index + 1) for index, model in enumerate(models)}
    lines = [handmade.headline(name, Verdict.OPEN, models) for name in {name for _, name in arms}]
    board_of_arms = handmade.board(dict.fromkeys(arms, Verdict.OPEN), lines, sizes=sizes)
    drawings = {picture.name: words(svg(picture)) for picture in figures(board_of_arms)}
    for name in ("changes", "tasks"):
        assert all(strategy in drawings[name] for _, strategy in arms)
        assert "single" in drawings[name]
    assert "single" in drawings["languages"]


def test_nothing_lies_outside_the_picture(board):
    """Text and marks of all figures, as matplotlib measures them, are inside the canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    names = [f"a-rather-long-strategy-{index}" for index in range(14)]
    strategies = {("minilm-l6-en", name): Verdict.OPEN for name in names}
    board_of_many = handmade.board(strategies, sizes={"minilm-l6-en": 10**7})
    for figure_drawn in (*figures(board), *figures(board_of_many)):
        canvas = Canvas(layout="constrained")
        FigureCanvasAgg(canvas)
        figure_drawn.draw(canvas, figure_drawn.data)
        canvas.draw_without_rendering()
        width, height = canvas.get_size_inches() * canvas.dpi
        box = canvas.get_tightbbox().transformed(canvas.dpi_scale_trans)
        assert box.x0 >= -1 and box.y0 >= -1, figure_drawn.name
        assert box.x1 <= width + 1 and box.y1 <= height + 1, figure_drawn.name


def test_another_release_of_matplotlib_is_compared_by_what_is_shown(board, drawings):
    picture = figure(board, "size")
    assert differs(drawings["size"], picture) is None
    assert differs(drawings["size"] + b"\n", picture) == "is not what would be drawn"
    drawing_of_another = drawings["size"].replace(b"Matplotlib v", b"Matplotlib v0.") + b"\n"
    assert differs(drawing_of_another, picture) is None
    assert differs(drawing_of_another, replace(picture, data=[])) == "shows other numbers"
    assert differs(b"<svg/>", picture) == "shows other numbers"


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first_colour: str, second_colour: str) -> float:
    high, low = sorted((luminance(first_colour), luminance(second_colour)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_from_the_ground_in_both_themes():
    for light, dark in COLOURS.items():
        assert contrast(light, GROUND) >= 3 and contrast(dark, DARK[GROUND]) >= 3
    for ink, on_dark in DARK.items():
        if ink not in (GROUND, "#d1d9e0"):
            assert contrast(ink, GROUND) >= 4.5 and contrast(on_dark, DARK[GROUND]) >= 4.5
    assert len({*COLOURS.values()}) == len(COLOURS)
