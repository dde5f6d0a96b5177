"""The section of suite scores: there where a family is complete, absent elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from tests.leaderboard.synthetic import ACCURACY

from xharness.gaps.scores import Score
from xharness.gaps.suites import Benchmark
from xharness.leaderboard import assemble, render
from xharness.leaderboard.sections.suite_scores import section as suites
from xharness.spec.study import Study
from xharness.task_types.base import Metric, ratio

TINY = Benchmark(
    "tiny",
    "Tiny | suite",
    {"nli": ("en", "de"), "qa": ("en", "sw"), "far": ("zh",)},
    {"classification": ("nli",), "answers": ("qa",), "retrieval": ("far",)},
)
STUDY = Study.model_validate(
    {
        "name": "s",
        "models": [{"name": "m", "backend": "none"}],
        "strategies": ["single"],
        "targets": ["nli", "qa"],
        "seeds": [1, 2],
    }
)


def _unused(*_: Any) -> tuple[float, ...]:
    raise AssertionError("items are not asked")


MEAN, F1 = (Metric(name, ("sum", "n"), _unused, ratio, name) for name in ("squad_mean", "f1"))
METRICS = {
    "classification": {"accuracy": ACCURACY},
    "extractive_qa": {"squad_mean": MEAN, "f1": F1},
}


def row(task: str, language: str, value: float, seed: int = 1, **more: Any) -> Score:
    span = task == "qa"
    facts: dict[str, Any] = {
        "task_type": "extractive_qa" if span else "classification",
        "metric": "squad_mean" if span else "accuracy",
        "main": True,
    }
    return Score(
        model="m", strategy="single", seed=seed, task=task, language=language, value=value, n=10,
        source_language="en", split="test", **(facts | more),
    )  # fmt: skip


def nli(seed: int = 1, **more: Any) -> list[Score]:
    return [row("nli", "en", 80.0, seed, **more), row("nli", "de", 60.0 + seed, seed, **more)]


def answers(seed: int = 1) -> Iterator[Score]:
    for language, mean, f1 in (("en", 50.0, 60.0), ("sw", 30.0, 40.0)):
        yield row("qa", language, mean, seed)
        yield row("qa", language, f1, seed, metric="f1", main=False)


def section(rows: list[Score], *benchmarks: Benchmark) -> str:
    return "\n".join(suites(assemble(STUDY, rows, {}, METRICS, benchmarks)))


def test_a_complete_family_is_shown_and_the_rest_says_why_not() -> None:
    told = section([*nli(1), *nli(2)], TINY)
    assert "### Tiny \\| suite" in told
    mean = fmean([70.5, 71.0])
    line = next(line for line in told.splitlines() if line.startswith("| m | single"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:4] == ["2", f"{mean:.1f}"]
    assert cells[4] == "—<sup>1</sup>" and "<sup>1</sup> not scored: qa" in told
    assert "question answering" not in told.lower()


def test_the_two_ways_to_score_answers_never_share_a_table() -> None:
    told = section([*nli(), *answers()], TINY)
    official, f1 = told.split("Question answering as F1 only:")
    assert "mean of EM and F1, as the official evaluator has it" in official
    assert "| 40.0 |" in official and "| 50.0 |" not in official
    assert "| 50.0 |" in f1 and "| 40.0 |" not in f1


def test_a_missing_language_leaves_the_family_out() -> None:
    assert section(nli()[:1], TINY) == ""
    assert section([*nli(1), nli(2)[0]], TINY) == ""  # the second seed lacks one
    assert section([], TINY) == "" and section(nli()) == ""


def test_published_rows_make_no_suite_score() -> None:
    rows = nli(provenance="published", source="A paper")
    assert section(rows, TINY) == ""


def test_notes_are_pointed_at() -> None:
    assert "what is noted under its tasks" in section(nli(notes=("limited: first 10 items",)), TINY)
    assert "what is noted" not in section(nli(), TINY)


def test_the_page_has_the_section_only_then() -> None:
    with_one = assemble(STUDY, nli(), {}, METRICS, (TINY,))
    without = assemble(STUDY, nli(), {}, METRICS)
    assert "## Suites" in render(with_one)
    assert "## Suites" not in render(without)
