"""Tasks, splits and models are understood by the names that their users know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.toy import card, toy_catalogue
from xharness.errors import ConfigurationError
from xharness.planning import PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.session.catalogue import open_catalogue
from xharness.session.options import RunOptions
from xharness.spec import documents, study
from xharness.spec.cards import TaskCard
from xharness.spec.examination import validate
from xharness.spec.study import Study


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("panx", "wikiann"),  # XTREME
        ("PAN-X", "wikiann"),
        ("pos", "udpos"),
        ("UD-POS", "udpos"),
        ("tydiqa-goldp", "tydiqa"),
        ("bucc2018", "bucc"),
        ("Mewsli-X", "mewslix"),
        ("XQuAD-R", "lareqa"),
        ("XTREME-R", "xtreme-r"),
        ("xtreme_r", "xtreme-r"),
        ("pawsx", "pawsx"),  # lm-evaluation-harness: lm_eval/tasks/paws-x
        ("social_iqa", "siqa"),  # lm_eval/tasks/siqa
        ("squadv2", "squad_v2"),  # lm_eval/tasks/squadv2
        ("Tatoeba", "tatoeba"),  # mteb
        ("BUCC.v2", "bucc"),
        ("PawsXPairClassification", "pawsx"),
        ("xnlii", None),
    ],
)
def test_names_that_users_know(name: str, expected: str | None) -> None:
    assert open_catalogue().task_name(name) == expected


@pytest.mark.parametrize(
    ("name", "task", "languages"),
    [
        ("xnli_de", "xnli", ("de",)),
        ("paws_fr", "pawsx", ("fr",)),
        ("mlqa_de_de", "mlqa", ("de",)),
        ("xcopa", "xcopa", None),
    ],
)
def test_a_task_in_one_language(name: str, task: str, languages: tuple[str, ...] | None) -> None:
    (member,) = open_catalogue().members(name)
    assert (member.task, member.languages) == (task, languages)


@pytest.mark.parametrize("name", ["mlqa_de_en", "xnli_pl", "xnli_r1"])
def test_another_question_or_language_is_no_task(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no task card or group '{name}'"):
        open_catalogue().members(name)


def test_an_own_card_comes_before_an_alias(tmp_path: Path) -> None:
    card(tmp_path, "pos")
    assert open_catalogue(cards=[tmp_path]).task_name("pos") == "pos"


def test_an_alias_of_two_cards_names_both(tmp_path: Path) -> None:
    for name in ("red", "blue"):
        path = card(tmp_path, name)
        path.write_text(f"aliases: [colour]\n{path.read_text()}")
    with pytest.raises(ConfigurationError, match="any of 2 cards: blue, red"):
        toy_catalogue(tmp_path).task_name("colour")


def _study(**values: Any) -> Study:
    question = {"models": [{"name": "m", "backend": "counting"}], "strategies": ["single"]}
    return Study.model_validate({"name": "s", "targets": ["red"], **question, **values})


def _compiled(folder: Path, question: Study) -> Any:
    catalogue = toy_catalogue(folder)
    from xharness.data.reader import DataReader

    environment = RunEnvironment(None, True, folder / "cache", False, folder)
    data = DataReader(catalogue, environment)
    return compile_plan(PlanningContext(question, catalogue, data.data_slice, environment))


def test_a_study_may_name_tasks_by_aliases(tmp_path: Path) -> None:
    path = card(tmp_path, "red")
    path.write_text(f"aliases: [colour]\n{path.read_text()}")
    keys = [
        {*_compiled(tmp_path, question).stages}
        for question in (
            _study(recipe={"tasks": {"red": {"epochs": 7}}}),
            _study(targets=["Colour"], recipe={"tasks": {"colour": {"epochs": 7}}}),
            _study(targets=["colour"]),
        )
    ]
    assert keys[0] == keys[1] != keys[2]


def test_borrower_and_lender_may_be_called_by_aliases(tmp_path: Path) -> None:
    for name, alias in (("red", "colour"), ("blue", "shade")):
        path = card(tmp_path, name)
        path.write_text(f"aliases: [{alias}]\nhead: red\n{path.read_text()}")
    question = _study(targets=["shade"], source_score_from={"Shade": "colour", "red": None})
    by_aliases = _compiled(tmp_path, question).study
    assert by_aliases.source_score_from == {"blue": "red", "red": None}
    assert [target.task for target in by_aliases.targets] == ["blue"]
    with pytest.raises(ConfigurationError, match="no task card 'colouur'"):
        _compiled(tmp_path, _study(source_score_from={"red": "colouur"}))


@pytest.mark.parametrize(
    "values",
    [
        {"source_score_from": {"red": None, "colour": "red"}},
        {"recipe": {"tasks": {"red": {"epochs": 2}, "colour": {"epochs": 3}}}},
    ],
)
def test_a_task_under_two_names_is_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    path = card(tmp_path, "red")
    path.write_text(f"aliases: [colour]\n{path.read_text()}")
    with pytest.raises(ConfigurationError, match="'colour' and 'red' are both the task 'red'"):
        _compiled(tmp_path, _study(**values))


def test_dev_is_validation(tmp_path: Path) -> None:
    assert _study(targets=[{"task": "red", "split": "dev"}]).targets[0].split == "validation"
    assert RunOptions.of(split="dev").split == "validation"
    text = card(tmp_path, "red").read_text() + "eval_split: dev\n"
    document = documents.parse(text.replace("eval_split: test\n", ""), "red.yaml")
    assert validate(document, TaskCard).eval_split == "validation"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("FacebookAI/xlm-roberta-base", {"hub": "FacebookAI/xlm-roberta-base"}),
        ({"name": "x", "model": "org/name", "num_layers": 3}, {"hub": "org/name", "num_layers": 3}),
        ({"model": "./tiny"}, {"path": "./tiny"}),
        ({"model": "models/tiny"}, {"path": "models/tiny"}),  # a folder that is there
        ({"model": "models/huge"}, {"hub": "models/huge"}),
        ({"model": "mBERT"}, {"hub": "google-bert/bert-base-multilingual-cased"}),
    ],
)
def test_a_model_is_an_id_or_a_folder(entry: Any, expected: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    file = tmp_path / "study.yaml"
    values = {"name": "s", "models": [entry], "strategies": ["single"], "targets": ["red"]}
    file.write_text(documents.dump(values), encoding="utf-8")
    (model,) = study.load(file)[0].models
    assert model.backend_options == expected


def test_two_places_of_a_model_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="'model' says what 'hub' says"):
        _study(models=[{"model": "a/b", "hub": "a/b"}])
