"""The built-in study, run for real: what it shows must mean something.

English ends well above chance, and so do several other languages; margins are wide enough to hold
on another machine, and none of them holds where training does nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pytest

from xharness.gaps.scores import ScoreRow, read

Scores = Mapping[tuple[str, str, str], Mapping[str, float]]

ABOVE = {  # points that English, and five other languages at least, must reach
    "mini_topic": (60.0, 45.0),  # chance is 17
    "mini_choice": (62.0, 53.0),  # chance is 50
    "mini_ner": (70.0, 55.0),
    "mini_qa": (28.0, 12.0),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    # One of its three seeds: what must hold of each arm holds of each seed.
    command = [sys.executable, "-m", "xharness", "run", "--seed", "1"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return folder / "runs" / "demo"


@pytest.fixture(scope="module")
def scores(demo: Path) -> Scores:
    """Each arm's scores on each task, by language."""
    scores: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for row in read(demo / "scores.jsonl"):
        assert isinstance(row, ScoreRow), row
        if row.main:
            scores[row.model, row.strategy, row.task][row.language] = row.value
    return scores


@pytest.mark.slow
@pytest.mark.parametrize("task", ABOVE)
@pytest.mark.parametrize("model", ["small", "large"])
def test_english_and_others_are_well_above_chance(scores: Scores, model: str, task: str) -> None:
    english_minimum, minimum = ABOVE[task]
    values = scores[model, "single", task]
    assert values["en"] > english_minimum
    assert sum(value > minimum for language, value in values.items() if language != "en") >= 5


@pytest.mark.slow
def test_aligned_words_find_translations(scores: Scores) -> None:
    for model in ("small", "large"):
        assert mean(scores[model, "single", "mini_bitext"].values()) > 90


@pytest.mark.slow
def test_the_larger_model_answers_more_english_questions(scores: Scores) -> None:
    large, small = (scores[model, "single", "mini_qa"]["en"] for model in ("large", "small"))
    assert large > 60.0 and large > small


@pytest.mark.slow
def test_every_cell_is_there_and_the_board_tells_gaps(demo: Path, scores: Scores) -> None:
    assert len(scores) == 2 * 3 * 5
    board = (demo / "leaderboard.md").read_text(encoding="utf-8")
    for words in ("1 seed", "| multitask |", "| intermediate |", "100 to 200 steps a task"):
        assert words in board
