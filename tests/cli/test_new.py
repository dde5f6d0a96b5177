"""What `xharness new` writes works as it is, and never takes the place of what is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.cli.project import RUN, invoke
from tests.conftest import REPOSITORY
from xharness.spec.languages import LANGUAGES
from xharness.spec.study import Study
from xharness.task_types import BUILTIN


def test_a_study_can_be_planned(tmp_path: Path) -> None:
    assert invoke(tmp_path, "new", "study", "my-question").exit_code == 0
    study = tmp_path / "my-question" / "study.yaml"
    Study.model_validate(yaml.safe_load(study.read_text(encoding="utf-8")))
    result = invoke(tmp_path, "plan", str(study), "--store", str(tmp_path / "store"))
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("task_type", ["classification", "tagging", "extractive_qa"])
def test_a_card_passes_the_check(task_type: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", "card", "mine", "--task-type", task_type, "--to", "cards")
    assert result.exit_code == 0, result.stderr
    result = invoke(tmp_path, "cards", "validate", "cards/mine.yaml")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("task_type", [task_type.name for task_type in BUILTIN])
def test_a_card_of_every_task_type_has_its_fields(task_type: str, tmp_path: Path) -> None:
    invoke(tmp_path, "new", "card", "mine", "--task-type", task_type)
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    (offer,) = [offer for offer in BUILTIN if offer.name == task_type]
    assert {*(card["fields"] or ())} == {name for name, needed in offer.fields.items() if needed}


@pytest.mark.slow
@pytest.mark.parametrize("offer", ["backend", "strategy", "source", "task"])
def test_a_plugin_passes_its_own_tests(offer: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", "plugin", "my-plugin", "--offer", offer)
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "my-plugin"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = os.environ | {"PYTHONPATH": str(folder)}
    process = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    for words in (["check", "--select", "E,F,I,UP"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "100", "."]
        if subprocess.run([*ruff[:3], "--version"], capture_output=True).returncode == 0:
            process = subprocess.run(ruff, cwd=folder, capture_output=True, text=True)
            assert process.returncode == 0, process.stdout


def test_a_plugin_names_its_module_in_the_entry_point(tmp_path: Path) -> None:
    invoke(tmp_path, "new", "plugin", "My-Plugin")
    folder = tmp_path / "My-Plugin"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    (module,) = project["project"]["entry-points"]["xharness"].values()
    assert (folder / Path(*module.split("."))).with_suffix(".py").is_file()
    workflow = yaml.safe_load((folder / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert steps[1]["with"]["python-version"] == "${{ matrix.python }}"


@pytest.mark.parametrize("name", ["my-backend", "my"])
def test_the_class_of_a_backend_is_called_so_once(name: str, tmp_path: Path) -> None:
    invoke(tmp_path, "new", "plugin", name)
    text = (tmp_path / name / name.replace("-", "_") / "plugin.py").read_text(encoding="utf-8")
    assert "class MyBackend(Backend):" in text and "class MyModel(Model):" in text


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["study", "mine"], "mine/study.yaml"),
        (["plugin", "mine"], "mine/README.md"),
        (["card", "mine"], "mine.yaml"),
    ],
)
def test_what_is_there_stays_as_it_is(words: list[str], path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious", encoding="utf-8")
    paths = set(tmp_path.rglob("*"))
    result = invoke(tmp_path, "new", *words)
    assert result.exit_code == 2
    assert "it is there already" in result.stderr
    assert file.read_text(encoding="utf-8") == "precious"
    assert set(tmp_path.rglob("*")) == paths


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["stduy", "x"], "Did you mean 'study'"),
        (["card", "x", "--task-type", "taging"], "did you mean 'tagging'?"),
        (["plugin", "9lives"], "'9lives' is not a name here"),
        (["plugin", "class"], "a package cannot be called 'class'"),
        (["study", "../x"], "'../x' is not a name here"),
    ],
)
def test_bad_input_is_told(words: list[str], answer: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", *words)
    assert result.exit_code == 2
    assert answer in result.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "completion", shell)
    assert result.exit_code == 0
    assert "_XHARNESS_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("line", "completed"), [("xharness ne", "new"), ("xharness run --track", "--trackers")]
)
def test_commands_and_flags_are_completed(line: str, completed: str, tmp_path: Path) -> None:
    request = {"_XHARNESS_COMPLETE": "complete_bash", "COMP_WORDS": line}
    env = os.environ | request | {"COMP_CWORD": str(line.count(" "))}
    process = subprocess.run(RUN, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert process.stdout.split() == [completed]


_FROM_HUB = ("--from-hub", "org/name", "--data-root", "data", "--offline")

CHOICES: tuple[dict[str, Any], ...] = (
    {"premise": "Rain.", "choice1": "wet", "choice2": "dry"},
    {"question": "Rain?", "choices": ["wet", "dry"]},
)

ROWS: dict[str, list[dict[str, Any]]] = {
    "classification": [{"idx": 7, "premise": "a", "hypothesis": "b", "label": 1}] * 2,
    "tagging": [{"tokens": ["Ann", "ran"], "ner_tags": [1, 0]}],
    "extractive_qa": [
        {"id": "q", "question": "Who?", "context": "Ann.",
         "answers": {"text": ["Ann"], "answer_start": [0]}}
    ],
    "multiple_choice": [
        {"context": "Rain.", "question": "So?", "answerA": "wet", "answerB": "dry", "label": "1"},
        {"context": "Sun.", "question": "So?", "answerA": "wet", "answerB": "dry", "label": "2"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("task_type", ROWS)
def test_a_data_set_of_the_hub_proposes_its_card(task_type: str, tmp_path: Path) -> None:
    clone = tmp_path / "data" / "org" / "name"
    clone.mkdir(parents=True)
    front = "configs:\n- config_name: default\n  data_files:\n"
    splits = [{"split": name, "path": f"{name}.jsonl"} for name in ("train", "dev")]
    files = "".join(f"  - {json.dumps(split)}\n" for split in splits)
    (clone / "README.md").write_text(f"---\n{front}{files}---\n", encoding="utf-8")
    for name in ("train", "dev"):
        rows = [json.dumps({**row, "split": name}) for row in ROWS[task_type]]
        (clone / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    options = ("--data-root", "data", "--offline")
    result = invoke(tmp_path, "new", "card", "mine", "--from-hub", "org/name", *options)
    assert result.exit_code == 0, result.stderr
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    assert card["task_type"] == task_type
    assert card["sources"][0]["splits"] == {"train": "train", "validation": "dev"}
    assert card["eval_split"] == "validation"
    result = invoke(tmp_path, "cards", "validate", "mine.yaml", "--rows", "1", *options)
    assert result.exit_code == 0, result.stderr
    gold = {
        "classification": "label_1",
        "tagging": "Ann/label_1 ran/label_0",
        "extractive_qa": "Ann",
        "multiple_choice": "wet",
    }
    assert f"gold     {gold[task_type]}" in result.stdout


@pytest.mark.parametrize("row", CHOICES)
def test_positions_of_choices_have_names(row: dict[str, Any], tmp_path: Path) -> None:
    clone = tmp_path / "data" / "org" / "name"
    clone.mkdir(parents=True)
    rows = [json.dumps({**row, "label": number % 2}) for number in range(8)]
    (clone / "test.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert invoke(tmp_path, "new", "card", "mine", *_FROM_HUB).exit_code == 0
    words = ("--rows", "2", "--data-root", "data", "--offline")
    result = invoke(tmp_path, "cards", "validate", "mine.yaml", *words)
    assert result.exit_code == 0, result.stderr
    assert "gold     wet" in result.stdout and "gold     dry" in result.stdout


def _multilingual(folder: Path, *names: str, splits: Sequence[str] = ("train", "test")) -> None:
    """A data set with one configuration for each of `names`."""
    clone = folder / "data" / "org" / "name"
    clone.mkdir(parents=True)
    configs: list[dict[str, Any]] = []
    for name in names:
        files = {split: f"{name}.{split}.jsonl" for split in splits}
        data_files = [{"split": split, "path": file} for split, file in files.items()]
        configs.append({"config_name": name, "data_files": data_files})
        for split, file in files.items():
            row = json.dumps({"text": f"{name} {split}", "label": 1})
            (clone / file).write_text(row, encoding="utf-8")
    front = yaml.safe_dump({"configs": configs})
    (clone / "README.md").write_text(f"---\n{front}---\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "words", "config", "languages"),
    [
        (("de", "en", "no", "all"), (), "{language}", ["en", "de", "no"]),
        (("de", "sw", "all"), ("--config", "sw"), "{language}", ["de", "sw"]),
        (("X.en", "X.de", "Y"), ("--config", "X.de"), "X.{language}", ["en", "de"]),
        (("a.en.en", "a.de.de", "a.en.de"), (), "a.{language}.{language}", ["en", "de"]),
        (("eng_Latn", "swh_Latn", "arz_Arab"), (), "{code}", ["en", "arz", "sw"]),
        (("en-US", "zh-CN", "zh-TW"), (), "{code}", ["en", "zh-CN", "zh-TW"]),
        (("english", "swahili"), (), "{code}", ["en", "sw"]),
        (("default",), (), None, ["en"]),
        (("plain", "rte"), ("--config", "plain"), "plain", ["en"]),
    ],
)
def test_configs_that_are_languages_are_read_by_one_card(
    names: Sequence[str],
    words: Sequence[str],
    config: str | None,
    languages: list[str],
    tmp_path: Path,
) -> None:
    _multilingual(tmp_path, *names)
    result = invoke(tmp_path, "new", "card", "mine", *_FROM_HUB, *words)
    assert result.exit_code == 0, result.stderr
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    assert card["sources"][0].get("config") == config
    assert card["languages"] == languages
    if "en" not in languages:
        assert "train_on" not in card
        return
    options = ("--cards", ".", "--data-root", "data", "--offline")
    result = invoke(tmp_path, "eval", "--model", "majority", "--tasks", "mine", *options)
    assert result.exit_code == 0, result.stderr
    # In every language that it names there are rows.
    assert "missing" not in result.stdout


def test_the_only_split_of_many_languages_is_there_to_be_scored(tmp_path: Path) -> None:
    _multilingual(tmp_path, "en", "sw", splits=["train"])
    assert invoke(tmp_path, "new", "card", "mine", *_FROM_HUB).exit_code == 0
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    assert card["sources"][0]["splits"] == {"test": "train"} and "train_on" not in card
    words = ("--rows", "1", "--data-root", "data", "--offline")
    result = invoke(tmp_path, "cards", "validate", "mine.yaml", *words)
    assert result.exit_code == 0 and "en train" in result.stdout, result.stderr


def test_which_of_several_tasks_is_meant_is_asked(tmp_path: Path) -> None:
    _multilingual(tmp_path, "X.en", "X.de", "Y", "Z", "sst2", "rte")
    result = invoke(tmp_path, "new", "card", "mine", *_FROM_HUB)
    assert result.exit_code == 3 and "name one as `config`" in result.stderr
    assert not (tmp_path / "mine.yaml").exists()


def test_a_card_of_many_languages_has_no_endless_line(tmp_path: Path) -> None:
    _multilingual(tmp_path, *(code for code in LANGUAGES if "-" not in code))
    assert invoke(tmp_path, "new", "card", "mine", *_FROM_HUB).exit_code == 0
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 100
    assert len(yaml.safe_load(text)["languages"]) > 40


@pytest.mark.parametrize("is_list", [False, True])
def test_names_of_classes_in_the_files_are_the_labels(is_list: bool, tmp_path: Path) -> None:
    clone = tmp_path / "data" / "org" / "name"
    clone.mkdir(parents=True)
    labels = {"names": ["sad", "glad"], "_type": "ClassLabel"}
    column, feature = "label", labels
    values: dict[str, Any] = {"text": ["a", "b"], "label": [0, 1]}
    if is_list:
        column, feature = "ner_tags", {"feature": labels, "_type": "List"}
        values = {"tokens": [["a"], ["b", "c"]], "ner_tags": [[0], [1, 0]]}
    note = {"info": {"features": {column: feature}}}
    table = pa.table(values).replace_schema_metadata({"huggingface": json.dumps(note)})
    pq.write_table(table, clone / "train.parquet")
    options = ("--from-hub", "org/name", "--data-root", "data", "--offline")
    result = invoke(tmp_path, "new", "card", "mine", *options)
    assert result.exit_code == 0, result.stderr
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    assert card["labels"] == ["sad", "glad"]


def _films(folder: Path, *names: str) -> None:
    for name in names:
        rows = [f"{name} {number},{'good' if number % 2 else 'bad'}" for number in range(12)]
        (folder / name).write_text("\n".join(["review,sentiment", *rows]) + "\n", encoding="utf-8")


def test_files_propose_their_card(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    _films(tmp_path / "data", "f.sw.test.csv", "f.en.train.csv", "f.en.test.csv", "f.no.test.csv")
    (tmp_path / "data" / "f.README.test.csv").write_text("no language", encoding="utf-8")
    words = ("--from-file", "data/f.{language}.{split}.csv")
    result = invoke(tmp_path, "new", "card", "films", *words)
    assert result.exit_code == 0, result.stderr
    card = yaml.safe_load((tmp_path / "films.yaml").read_text(encoding="utf-8"))
    assert card["languages"] == ["en", "no", "sw"] and card["labels"] == ["bad", "good"]
    assert card["fields"] == {"text": "review", "label": "sentiment"}
    assert card["train_on"] == ["films"]
    result = invoke(tmp_path, "eval", "--model", "majority", "--tasks", "films", "--cards", ".")
    assert result.exit_code == 0 and "50.0" in result.stdout, result.stderr


def test_files_without_a_training_set_or_english(tmp_path: Path) -> None:
    _films(tmp_path, "f_sw_dev.csv")
    result = invoke(tmp_path, "new", "card", "films", "--from-file", "f_{language}_{split}.csv")
    assert result.exit_code == 0, result.stderr
    card = yaml.safe_load((tmp_path / "films.yaml").read_text(encoding="utf-8"))
    assert card["source_language"] is None and "train_on" not in card
    assert card["eval_split"] == "validation"
    result = invoke(tmp_path, "cards", "validate", "films.yaml", "--rows", "1")
    assert result.exit_code == 0 and "f_sw_dev.csv 0" in result.stdout, result.stderr


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("g_{language}_{split}.csv", "known: f_sw_dev.csv"),
        ("f_{language}_dev.csv", "does not say which split a file holds"),
        ("f_{language}_{split}.xlsx", "its ending names no format of rows"),
        ("f_{language}_{split}.xlsx", "its 'reader' has more formats"),
    ],
)
def test_a_pattern_that_fits_no_file_is_told(pattern: str, message: str, tmp_path: Path) -> None:
    _films(tmp_path, "f_sw_dev.csv", "f_sw_dev.xlsx")
    result = invoke(tmp_path, "new", "card", "films", "--from-file", pattern)
    assert result.exit_code in (2, 3) and message in result.stderr
    assert not (tmp_path / "films.yaml").exists()


@pytest.mark.parametrize("path", ["cards", "cards/mine.yaml"])
def test_a_new_group_has_its_title_beside_the_cards(path: str, tmp_path: Path) -> None:
    invoke(tmp_path, "new", "card", "mine", "--to", "cards")
    card = tmp_path / "cards" / "mine.yaml"
    text = card.read_text(encoding="utf-8")
    card.write_text(f"{text}groups: [my-group]\n", encoding="utf-8")
    result = invoke(tmp_path, "cards", "validate", path)
    assert result.exit_code == 2 and "a new group needs a title" in result.stderr
    groups = tmp_path / "cards" / "groups.yaml"
    groups.write_text("groups: {my-group: {title: Mine}}\n", encoding="utf-8")
    result = invoke(tmp_path, "cards", "validate", path)
    assert result.exit_code == 0, result.stderr


def test_what_fits_no_task_type_says_its_columns(tmp_path: Path) -> None:
    (tmp_path / "data" / "org" / "name").mkdir(parents=True)
    (tmp_path / "data" / "org" / "name" / "train.jsonl").write_text('{"x": 1}\n', encoding="utf-8")
    options = ("--data-root", "data", "--offline")
    result = invoke(tmp_path, "new", "card", "mine", "--from-hub", "org/name", *options)
    assert result.exit_code == 2 and "no task type fits the columns: x" in result.stderr


def test_rows_show_the_prompt_of_a_card_that_has_one(data_root: Path) -> None:
    card = str(REPOSITORY / "task_cards" / "target" / "xcopa.yaml")
    result = invoke(data_root, "cards", "validate", card, "--rows", "1", "--data-root", ".")
    if result.exit_code == 3:
        pytest.skip(result.stderr)
    assert "prompted with" in result.stdout


def test_rows_stand_in_the_json(tmp_path: Path) -> None:
    _films(tmp_path, "f_en_test.csv")
    invoke(tmp_path, "new", "card", "films", "--from-file", "f_{language}_{split}.csv")
    words = ("cards", "validate", "films.yaml", "--json")
    (card,) = json.loads(invoke(tmp_path, *words).stdout)
    assert card == {"card": "films.yaml", "error": None}
    (card,) = json.loads(invoke(tmp_path, *words, "--rows", "2").stdout)
    assert card["rows"] == [
        {"item": "0", "language": "en", "text": "f_en_test.csv 0", "gold": "bad"},
        {"item": "1", "language": "en", "text": "f_en_test.csv 1", "gold": "good"},
    ]
    (tmp_path / "f_en_test.csv").unlink()
    assert invoke(tmp_path, *words, "--rows", "2").exit_code == 3


def test_rows_that_are_not_there_end_with_3(tmp_path: Path) -> None:
    invoke(tmp_path, "new", "card", "mine")
    result = invoke(tmp_path, "cards", "validate", "mine.yaml", "--rows", "2")
    assert result.exit_code == 3 and "there is no such file" in result.stderr
