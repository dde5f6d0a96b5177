"""Bars on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import time
from types import SimpleNamespace
from typing import Any, cast

from tests.cli.project import RUN, Project
from xharness.console.lines import SECONDS_BETWEEN_LINES, Lines
from xharness.console.run_clock import RunClock
from xharness.console.times import duration, rate
from xharness.stages import Stage

STAGE = cast(Stage, SimpleNamespace(key="a"))


def test_lines_come_now_and_then_with_rate_and_time_left() -> None:
    file, now = io.StringIO(), 0.0
    lines = Lines(file, lambda: now)
    lines.xharness_stage_started(STAGE, "a · train b", (3, 9))
    for second in range(61):
        now = float(second)
        lines.xharness_stage_progress(STAGE, 100 + 2 * second, 400, "steps")
    lines.xharness_stage_finished(STAGE, "a · train b", "ran", {})
    output = file.getvalue().splitlines()
    assert len(output) == 1 + 60 // SECONDS_BETWEEN_LINES
    assert output[0] == "[3/9] a · train b: 140 of 400 steps, 2.0/s, 2 min 10 s left"
    assert output[-1] == "[3/9] ran     a · train b  (1 min 00 s)"


def test_several_stages_at_once_have_a_line_each() -> None:
    file, now = io.StringIO(), 0.0
    lines = Lines(file, lambda: now)
    stages = {name: cast(Stage, SimpleNamespace(key=name)) for name in ("a", "b")}
    lines.xharness_stage_started(stages["a"], "train a", (3, 9))
    now = 10.0
    lines.xharness_stage_started(stages["b"], "train b", (4, 9))
    now = 30.0
    lines.xharness_stage_finished(stages["a"], "train a", "ran", {})
    lines.xharness_stage_finished(stages["b"], "train b", "failed", None)
    assert file.getvalue().splitlines() == [
        "[3/9] ran     train a  (30 s)",
        "[4/9] failed  train b  (20 s)",
    ]


def test_the_run_has_a_time_left_that_weighs_its_stages() -> None:
    now = 0.0
    run_clock = RunClock({"small": 10.0, "large": 90.0, "reused": 100.0}, lambda: now)
    assert run_clock.seconds_left == 200  # as expected, while nothing is known
    run_clock.finish("reused", "reused")
    assert (run_clock.completed, run_clock.seconds_left) == (100, 100)
    now = 40.0  # twice as slow as expected
    run_clock.finish("small", "ran")
    run_clock.progress("large", 1 / 9)
    assert (run_clock.completed, run_clock.seconds_left) == (120, 80 * 60 / 40)
    run_clock.progress("large", 0.0)  # its worker was lost
    assert run_clock.completed == 110
    run_clock.finish("large", "failed")
    assert run_clock.seconds_left == 0


def test_a_line_says_how_long_the_run_will_take() -> None:
    file, now = io.StringIO(), 0.0
    lines = Lines(file, lambda: now)
    lines.xharness_run_started({"a": 60.0, "b": 600.0})
    lines.xharness_stage_started(STAGE, "train a", (1, 2))
    now = 60.0
    lines.xharness_stage_finished(STAGE, "train a", "ran", {})
    assert file.getvalue() == "[1/2] ran     train a  (1 min 00 s); 10 min 00 s left of all\n"


def test_that_another_process_works_on_a_stage_is_told_once() -> None:
    file = io.StringIO()
    lines = Lines(file)
    for _ in range(2):
        lines.xharness_stage_started(STAGE, "a · train b", (3, 9))
        lines.xharness_stage_waiting(STAGE, "a · train b")
    assert file.getvalue() == "[3/9] another process works on a · train b\n"


def test_durations_and_rates_read_well() -> None:
    assert [duration(seconds) for seconds in (0.44, 59.6, 200, 7500)] == [
        "0.4 s", "1 min 00 s", "3 min 20 s", "2 h 05 min",
    ]  # fmt: skip
    assert [rate(speed) for speed in (812.3, 4.21, 0.5)] == ["812/s", "4.2/s", "2.0 s each"]


def test_without_a_terminal_there_are_plain_lines(project: Project) -> None:
    code, out, err = project.call(*project.words("run"))
    assert code == 0
    assert "[1/6] ran     most · train mood · seed 1" in err
    assert "\x1b" not in out + err


def test_quiet_says_nothing(project: Project) -> None:
    assert project.call(*project.words("run", "-q")) == (0, "", "")


def _on_a_terminal(project: Project, *words: str, **env: str) -> str:
    """What a terminal shows on standard error."""
    controller, terminal = pty.openpty()
    settings: dict[str, Any] = {"cwd": project.folder, "env": os.environ | {"TERM": "xterm"} | env}
    process = subprocess.Popen(
        [*RUN, *words], stdout=subprocess.DEVNULL, stderr=terminal, **settings
    )
    os.close(terminal)
    output, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            output += (block := os.read(controller, 4096))
        except OSError:  # the other end is closed
            break
        if not block:
            break
    os.close(controller)
    assert process.wait(timeout=60) == 0
    return output.decode()


def test_a_terminal_gets_bars(project: Project) -> None:
    output = _on_a_terminal(project, *project.words("run", "--verbose"))
    assert "stages" in output and "━" in output
    assert "ran     grams · train mood · seed 1" in output
    assert "0/6" in output and "left" in output


def test_no_color_is_honoured(project: Project) -> None:
    output = _on_a_terminal(project, *project.words("run"), NO_COLOR="1")
    assert "stages" in output
    assert "\x1b[3" not in output  # cursor movements may stay, colours may not
