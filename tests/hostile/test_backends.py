"""A backend is not believed: what it answers and how large it says it is are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.project import fresh, invoke
from tests.toy import CountingModel
from tests.unit.test_executor import _run, cards
from xharness.errors import BackendError
from xharness.executor.ask_model import checked
from xharness.gaps.scores import MissingRow
from xharness.plugin.api import Sizes
from xharness.task_types import BUILTIN

__all__ = ["cards"]

TAGGING = next(task_type for task_type in BUILTIN if task_type.name == "tagging")
CHOICE = next(task_type for task_type in BUILTIN if task_type.name == "multiple_choice")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (lambda count: [0.7] * count, "0.7; expected a whole number"),
        (lambda count: np.zeros(count), "0.0"),
        (lambda count: dict.fromkeys(range(count), 0), "a dict in place of a list"),
        (lambda count: [99] * count, "answered by 99; expected a number from 0 to 1"),
        (lambda count: [-1] * count, "answered by -1"),
        (lambda count: [True] * count, "answered by True"),
        (lambda count: ["a"] * count, "answered by 'a'"),
        (lambda count: "0" * count, "a str in place"),
        (lambda count: [None] * count, "answered by None"),
        (lambda count: [[0]] * count, "a whole number"),
        (lambda count: [0] * (count + 1), "31 predictions for 30 items"),
    ],
)
def test_wrong_answers_name_the_backend_and_are_not_scored(
    cards: Path, monkeypatch: pytest.MonkeyPatch, answers: Any, reason: str
) -> None:
    monkeypatch.setattr(CountingModel, "predict", lambda *values: answers(len(values[3])))
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 1
    (failure,) = report.failed
    assert "backend 'counting': " in str(failure.reason)
    assert reason in str(failure.reason)
    assert all(isinstance(row, MissingRow) for row in rows)


def test_whole_numbers_of_numpy_are_numbers(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        CountingModel, "predict", lambda *values: np.ones(len(values[3]), dtype=np.int64)
    )
    *_, report, _ = _run(cards, targets=["red"], strategies=["single"])
    assert not report.failed


@pytest.mark.parametrize("sizes", [(-1, 0), (float("nan"), 0), (10, 11), (1.5, 1), ("9", 1)])
def test_sizes_that_cannot_be_are_refused(
    cards: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[Any, Any]
) -> None:
    with pytest.raises(BackendError, match="sizes that cannot be"):
        Sizes(*sizes)
    monkeypatch.setattr(CountingModel, "sizes", lambda self: Sizes(*sizes))
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 1
    assert "backend 'counting': sizes that cannot be" in str(report.failed[0].reason)
    assert all(isinstance(row, MissingRow) for row in rows)


class _Item:
    id, tokens, choices = "7", ("a", "b"), ("x", "y", "z")


class _Card:
    name, label_names = "card", ("O", "B")


@pytest.mark.parametrize(
    ("task_type", "answer", "expected"),
    [
        (TAGGING, [0], "a list of 2"),
        (TAGGING, [0, 2], "a number from 0 to 1"),
        (TAGGING, 5, "a list"),
        (CHOICE, 3, "a number from 0 to 2"),
    ],
)
def test_each_task_type_says_what_can_be_answered(
    task_type: Any, answer: Any, expected: str
) -> None:
    card: Any = _Card
    with pytest.raises(BackendError) as caught:
        checked([answer], card, task_type, [_Item])  # type: ignore[list-item]
    assert caught.value.expected == expected


def test_sound_answers_pass() -> None:
    card: Any = _Card
    assert checked([np.array([0, 1])], card, TAGGING, [_Item])  # type: ignore[list-item]
    assert checked([2], card, CHOICE, [_Item]) == [2]  # type: ignore[list-item]


PLUGIN = """
import sys
from xharness import Backend, NoOptions, hookimpl

class Odd(Backend):
    name, options, task_types = "odd", NoOptions, frozenset({"classification"})

    def fingerprint(self, options, environment):
        return "x"

    def start(self, options, environment, device):
        raise ValueError("not started")

    def load(self, folder, device):
        raise ValueError("not loaded")

@hookimpl
def xharness_backends():
    return [Odd()]

def fail(*arguments):
    FAILURE

Odd.METHOD = fail
"""


@pytest.mark.parametrize(
    ("method", "failure", "reason"),
    [
        ("fingerprint", "1 / 0", "backend 'odd' failed: ZeroDivisionError: division by zero"),
        ("fingerprint", "sys.exit(0)", "backend 'odd' failed: SystemExit: 0"),
        ("fingerprint", "return None", "backend 'odd' gives None for a fingerprint"),
        ("fingerprint", "return b'x'", "backend 'odd' gives b'x' for a fingerprint"),
        ("unsupported", "1 / 0", "backend 'odd' failed: ZeroDivisionError"),
        ("sizes", "1 / 0", "backend 'odd' failed: ZeroDivisionError"),
    ],
)
def test_a_backend_that_breaks_down_costs_its_own_arms(
    tmp_path: Path, method: str, failure: str, reason: str
) -> None:
    project = fresh(tmp_path)
    models = [{"name": "m", "backend": "odd"}, {"name": "most", "backend": "majority"}]
    project.study["models"] = models
    project.write()
    text = PLUGIN.replace("METHOD", method).replace("FAILURE", failure)
    (tmp_path / f"odd_{method}.py").write_text(text)
    plugin = ("--plugin", f"odd_{method}.py", "--offline")
    list_words = ("models", "list", "study.yaml", "--cards", "cards", *plugin)
    for words in (project.words("plan", *plugin), list_words, project.words("run", *plugin)):
        result = invoke(tmp_path, *words)
        text = result.stdout + result.stderr
        assert result.exit_code in (0, 1, 3), text
        assert "run with --debug" not in text
    if method != "sizes":  # those are asked for where they are shown alone
        assert reason in result.stderr
        assert result.exit_code == 3
    assert "most" in project.scores
