"""Checklists: read safely, asked question by question, passed case by case, and told."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.project import Project, invoke
from tests.conftest import REPOSITORY
from xharness.executor.ask_model import ask_model
from xharness.plugin.api import Recipe, StageError, UnavailableError
from xharness.task_types.checklist import Checklist, ChecklistExample
from xharness.task_types.extractive_qa import ExtractiveQAExample
from xharness.testing import toy_card, toy_examples

CARD = toy_card("checklist").model_copy(update={"fields": {"items": "items"}})
ABOUT = {"title": "t", "summary": "s", "license": "CC0-1.0", "citation": "c"}
PART = {"context": "Ann is older than Bo.", "question": "Who is younger?", "answers": ["Bo"]}


class _Echo:
    """Answers every question with the second-last word of its context."""

    def __init__(self, extra: Any = None) -> None:
        self.asked: list[str] = []
        self.extra = extra

    def predict(self, card: Any, task_type: Any, examples: Any, recipe: Any) -> list[Any]:
        assert task_type.name == "extractive_qa"
        assert all(isinstance(example, ExtractiveQAExample) for example in examples)
        self.asked += [example.id for example in examples]
        return [*(example.context.split()[-2] for example in examples), *(self.extra or [])]


def test_a_case_is_asked_part_by_part_and_joined() -> None:
    cases = toy_examples("checklist", 7)
    model = _Echo()
    given = ask_model(model, CARD, Checklist(), cases, Recipe())  # type: ignore[arg-type]
    for case, answers in zip(cases, given, strict=True):
        assert isinstance(case, ChecklistExample)
        assert answers == [part.context.split()[-2] for part in case.parts]
    assert len(model.asked) == len(set(model.asked)) == 14
    assert ask_model(_Echo(), CARD, Checklist(), [], Recipe()) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("extra", [["one too many"], [None]])
def test_a_model_that_miscounts_is_told(extra: list[Any]) -> None:
    with pytest.raises(StageError, match="15 predictions for 14 items of 'toy_checklist'"):
        ask_model(_Echo(extra), CARD, Checklist(), toy_examples("checklist", 7), Recipe())  # type: ignore[arg-type]


def test_a_backend_that_answers_spans_answers_checklists() -> None:
    assert Checklist().predicted.name == "extractive_qa"
    assert Checklist().predicted.predicted.name == "extractive_qa"


def _read(items: Any) -> ChecklistExample:
    return Checklist().example({"items": items}, "7", CARD)


def test_a_row_is_a_case() -> None:
    case = _read([PART, PART | {"answers": "Bo"}])
    assert [part.id for part in case.parts] == ["7.0", "7.1"]
    assert case.parts[0].answers == case.parts[1].answers


@pytest.mark.parametrize(
    "items",
    [
        [], "text", None, [3], [{}], [{**PART, "answers": []}], [{**PART, "answers": [3]}],
        [{**PART, "question": None}], {"context": "c"},
    ],
)  # fmt: skip
def test_what_is_no_case_is_refused(items: Any) -> None:
    with pytest.raises(UnavailableError, match=r"toy_checklist', item 7(\.0)?: .*expected"):
        _read(items)


def test_the_documented_export_writes_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    questions = [(PART["context"], PART["question"])] * 2
    test = SimpleNamespace(data=[questions, questions], labels=[["Bo", "Ann"], ["Bo", "Bo"]])
    suite = SimpleNamespace(tests={"size, shape, age, color": test, "Animal vs Vehicle": test})
    module = SimpleNamespace(TestSuite=SimpleNamespace(from_file=lambda path: suite))
    monkeypatch.setitem(sys.modules, "checklist", SimpleNamespace(test_suite=module))
    monkeypatch.setitem(sys.modules, "checklist.test_suite", module)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "multichecklist").mkdir()
    exec(code, {})
    lines = (tmp_path / "multichecklist" / "de.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["test"] for row in rows] == ["properties"] * 2 + ["animal_vs_vehicle"] * 2
    assert len({row["case"] for row in rows}) == 4
    case = _read(rows[0]["items"])
    assert [part.answers[0].text for part in case.parts] == ["Bo", "Ann"]


# --- from files to a board ----------------------------------------------------------------------


def _card(name: str, **changes: Any) -> dict[str, Any]:
    source = {"from": "file", "reader": "jsonl", "path": f"data/{name}.{{language}}.jsonl"}
    return {
        "name": name, "task_type": "extractive_qa", "role": "intermediate", "languages": ["en"],
        "sources": [source | {"splits": {"train": "train"}}],
        "fields": {"question": "question", "context": "context", "answers": "answers"},
        "metrics": ["squad_mean"], "about": ABOUT,
    } | changes  # fmt: skip


def _questions() -> list[dict[str, Any]]:
    """Training rows, of which one has a wrong offset and one an answer that is nowhere."""
    rows = []
    for index, name in enumerate(["Ann", "Bo", "Cleo", "Dan"] * 5):
        start = 12 if index == 3 else 11
        answers = {"text": ["Eve" if index == 4 else name], "answer_start": [start]}
        context = f"The winner {name} smiles"
        rows.append({"question": "Who?", "context": context, "answers": answers})
    return rows


def _cases(language: str) -> list[dict[str, Any]]:
    context = {"en": "The winner Ann smiles", "de": "Die Siegerin Bo lacht"}[language]
    right, wrong = {"en": ("Ann", "a cat"), "de": ("Bo", "eine Katze")}[language]
    question = {"context": context, "question": "Who?", "answers": [f"{right}."]}
    cases = [[question, question], [question, question | {"answers": [wrong]}], [question]]
    rows = [{"case": str(n), "test": "names", "items": case} for n, case in enumerate(cases)]
    return [*rows, {"case": "x", "test": "other", "items": [question]}]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "data").mkdir()
    files = {"quiz.en": _questions(), "names.en": _cases("en"), "names.de": _cases("de")}
    for name, rows in files.items():
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (tmp_path / "data" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    names = _card(
        "names", task_type="checklist", role="target", languages=["en", "de", "sw"],
        fields={"id": "case", "items": "items"}, metrics=["pass_rate", "error_rate"],
        train_on=["quiz"],
    )  # fmt: skip
    names["sources"][0] |= {"splits": {"test": "test"}, "filter": {"test": "names"}}
    study = {
        "name": "checks",
        "models": [{"name": "grams", "backend": "ngrams"}, {"name": "most", "backend": "majority"}],
        "strategies": ["single"],
        "targets": ["names"],
    }
    return Project(tmp_path, study, {"quiz": _card("quiz"), "names": names}).write()


def test_a_suite_beside_the_study_is_run_and_scored(project: Project) -> None:
    result = project.run()
    assert result.exit_code in (0, 3), result.output
    rows = [json.loads(line) for line in project.scores.splitlines()]
    score_rows = [row for row in rows if "metric" in row]
    for language in ("en", "de"):
        row_of_metric = {row["metric"]: row for row in score_rows if row["language"] == language}
        assert row_of_metric["pass_rate"]["n"] == 3, "the other test's case is no part of it"
        values = [row_of_metric[metric]["value"] for metric in ("pass_rate", "error_rate")]
        assert sum(values) == pytest.approx(100)
        assert row_of_metric["pass_rate"]["main"]
        assert not row_of_metric["error_rate"]["main"]
    english = [row["value"] for row in score_rows if row["language"] == "en"]
    assert english[0] == pytest.approx(200 / 3), "a case with one wrong answer does not pass"
    reasons = [row["reason"] for row in rows if "reason" in row]
    assert any("names.sw.jsonl" in reason for reason in reasons)
    assert any("cannot answer tasks of type 'checklist'" in reason for reason in reasons)


def test_repaired_and_refused_answers_are_told(project: Project) -> None:
    project.run()
    notes = [
        "1 of 19 answers of quiz stood elsewhere than the data says and were repaired",
        "1 rows of quiz have nothing to learn from and were left out",
    ]
    rows = [json.loads(line) for line in project.scores.splitlines()]
    assert all(row["notes"] == notes for row in rows if "metric" in row)
    output = invoke(project.folder, "show", ".").output
    assert all(note in output for note in notes)
    (trained,) = [
        receipt["facts"]
        for receipt in project.receipts().values()
        if receipt["facts"]["stage"] == "train"
    ]
    (count,) = trained["data"]
    assert {count["answers"], count["repaired"], count["unlearnable"]} == {19, 1}


@pytest.mark.parametrize("name", ["suite.pkl", "a/{language}.pickle", "en.PKL.gz"])
def test_a_pickle_is_refused_by_name_with_a_way_out(project: Project, name: str) -> None:
    project.cards["names"]["sources"][0]["path"] = name
    project.write()
    result = invoke(project.folder, "cards", "validate", "cards/names.yaml")
    assert result.exit_code == 2
    assert f"'{name}' is a pickle" in result.output
    assert "names.yaml:" in result.output
    assert "JSON lines" in result.output


def test_an_error_rate_is_no_score_of_a_task(project: Project) -> None:
    project.cards["names"]["metrics"] = ["error_rate", "pass_rate"]
    project.write()
    result = invoke(project.folder, "cards", "validate", "cards/names.yaml")
    assert result.exit_code == 2
    assert "'error_rate' is lower where a model is better" in result.output
    assert "first one of: pass_rate" in result.output
