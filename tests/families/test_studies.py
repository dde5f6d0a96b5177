"""Studies with models that answer in words: planned, refused, run, and labelled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.conftest import REPOSITORY
from tests.families.conftest import Folder
from xharness.cli import app
from xharness.spec.study import Study

_BASE: dict[str, Any] = {"name": "words", "strategies": ["single"], "targets": ["xnli"]}


def _study(folder: Path, **changes: Any) -> Path:
    values = {
        "name": "words",
        "targets": [
            {"task": name, "languages": ["en", "de"], "limit": 6}
            for name in ("mini_choice", "mini_qa", "mini_ner")
        ],
        "train_limit": 16,
        "recipe": {"steps": 2, "max_length": 256, "max_answer_length": 6},
    } | changes
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def _run(study: Path) -> list[dict[str, Any]]:
    words = ["run", str(study), "--store", str(study.parent / "store"), "--output"]
    result = CliRunner().invoke(app, [*words, str(study.parent / "out")])
    assert result.exit_code in (0, 1), result.output
    (scores,) = (study.parent / "out").rglob("scores.jsonl")
    return [json.loads(line) for line in scores.read_text(encoding="utf-8").splitlines()]


def test_prompted_and_fine_tuned_rows_stand_side_by_side(folder: Folder, tmp_path: Path) -> None:
    model_folder = str(folder("gemma"))
    rows = _run(
        _study(
            tmp_path,
            models=[
                {"name": "heads", "path": model_folder},
                {"name": "asked", "path": model_folder, "mode": "loglikelihood"},
                {"name": "writes", "path": model_folder, "mode": "generate"},
            ],
            strategies=["single", "prompt", {"name": "shown", "strategy": "prompt", "shots": 1}],
        )
    )
    scores = [row for row in rows if "value" in row]
    protocols = {
        (row["model"], row["strategy"], row["task"]): row.get("protocol") for row in scores
    }
    zero, single_shot, text = "prompted, 0-shot", "prompted, 1-shot", "fine-tuned, text-to-text"
    assert protocols == {
        ("heads", "single", "mini_choice"): None,
        ("heads", "single", "mini_qa"): None,
        ("heads", "single", "mini_ner"): None,
        ("asked", "prompt", "mini_choice"): zero,
        ("asked", "shown", "mini_choice"): single_shot,
        ("writes", "single", "mini_choice"): text,
        ("writes", "single", "mini_qa"): text,
        ("writes", "prompt", "mini_choice"): zero,
        ("writes", "prompt", "mini_qa"): zero,
        ("writes", "shown", "mini_choice"): single_shot,
        ("writes", "shown", "mini_qa"): single_shot,
    }
    rates = {(row["model"], row["task"]) for row in scores if row["metric"] == "wrong_language"}
    assert rates == {("writes", "mini_qa")}
    reasons = {
        (row["model"], row["strategy"], row["task"]): row["reason"]
        for row in rows
        if "reason" in row
    }
    assert "answers by heads, which must be trained" in reasons["heads", "prompt", "mini_qa"]
    assert "is not trained" in reasons["asked", "single", "mini_choice"]
    assert "cannot answer tasks of type 'extractive_qa'" in reasons["asked", "prompt", "mini_qa"]
    assert "cannot answer tasks of type 'tagging'" in reasons["writes", "single", "mini_ner"]


def test_a_task_without_words_is_refused_before_anything_runs(
    folder: Folder, tmp_path: Path
) -> None:
    study = _study(
        tmp_path,
        models=[{"name": "asked", "path": str(folder("gemma")), "mode": "loglikelihood"}],
        strategies=["prompt"],
        targets=[{"task": "silent", "languages": ["en"]}],
    )
    card = yaml.safe_load((REPOSITORY / "task_cards" / "mini" / "mini_choice.yaml").read_text())
    card |= {"name": "silent", "train_on": ["silent"]}
    del card["verbalizer"]
    (tmp_path / "silent.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(study), "--cards", str(tmp_path / "silent.yaml")])
    assert "has no verbalizer" in result.output


def test_examples_are_shown_once_however_many_rates_there_are(
    folder: Folder, tmp_path: Path
) -> None:
    study = _study(
        tmp_path,
        models=[{"name": "asked", "path": str(folder("gemma")), "mode": "loglikelihood"}],
        strategies=[{"prompt": {"shots": 2}}],
        targets=[{"task": "mini_choice", "languages": ["en"], "limit": 2}],
        recipe={"learning_rate": [1e-5, 2e-5], "max_length": 256},
    )
    (row,) = _run(study)
    assert row["protocol"] == "prompted, 2-shot"
    assert row["notes"] == [
        "limited: first 2 items", "shown 2 sampled examples of mini_choice in English"
    ]  # fmt: skip


def test_queries_of_the_registry_are_spelt_out() -> None:
    study = Study(**_BASE, models={"max_total": "1e9", "family": "mmbert"})
    assert [(model.name, model.backend_options["hub"]) for model in study.models] == [
        ("mmbert-small", "jhu-clsp/mmBERT-small"),
        ("mmbert-base", "jhu-clsp/mmBERT-base"),
    ]
    names = [
        {"name": "small", "hub": "jhu-clsp/mmBERT-small"},
        {"family": "mmBERT", "num_layers": 3},
    ]
    (small, base) = Study(**_BASE, models=names).models
    assert (small.name, base.backend_options["num_layers"]) == ("small", 3)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"family": "mmBRET"}, "of family 'mmBRET'; did you mean"),
        ({"max_total": 1000}, "no model of the registry fits"),
        ({"max_total": -1}, "max_total"),
        ({"family": "mmBERT", "max_totl": 3}, "fits|max_totl"),
    ],
)
def test_a_query_that_matches_nothing_is_an_error(query: dict[str, Any], message: str) -> None:
    if "max_totl" in query:
        study = Study(**_BASE, models=query)  # the backend refuses the option when it is planned
        assert study.models[0].backend_options["max_totl"] == 3
        return
    with pytest.raises(ValueError, match=message):
        Study(**_BASE, models=query)


@pytest.mark.parametrize(
    ("verbalizer", "message"),
    [
        ({"prompt": "{prompt} {label}"}, "'{label}' is no field that a prompt of 'odd' can show"),
        ({"prompt": "{prompt}", "replace": {"(": ""}}, "no regular expression"),
        ({"prompt": "{prompt}", "answers": {"choise1": "a"}}, "'choise1', no label"),
        ({"prompt": "{prompt}", "languages": {"xx": {"promt": "a"}}}, "promt"),
    ],
)
def test_a_verbalizer_that_cannot_work_is_an_error_in_its_card(
    verbalizer: dict[str, Any], message: str, tmp_path: Path
) -> None:
    card = yaml.safe_load((REPOSITORY / "task_cards" / "mini" / "mini_choice.yaml").read_text())
    card |= {"name": "odd", "train_on": ["odd"], "verbalizer": verbalizer}
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    result = CliRunner().invoke(app, ["cards", "validate", str(tmp_path / "odd.yaml")])
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())
