"""A mistake in a study's file is told with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import Plan, PlanningContext, checked_study, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.spec import documents
from xharness.spec.examination import validate
from xharness.spec.study import Study
from xharness.spec.study_document import StudyDocument

STUDY = """\
name: colours
models:
  - {name: m, backend: counting}
strategies:
  - single
targets:
  - red
  - task: green
source_language: en
recipe:
  tasks:
    red: {epochs: 1}
"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green"):
        card(folder, name)
    card(folder, "warm", role="intermediate")
    (folder / "groups.yaml").write_text("groups: {both: {title: t, tasks: [red, green]}}")
    return folder


def _plan(cards: Path, text: str) -> Plan:
    document = documents.parse(text, "study.yaml")
    study = validate(document, Study)
    catalogue, environment = toy_catalogue(cards), RunEnvironment()
    return compile_plan(
        PlanningContext(
            study,
            catalogue,
            DataReader(catalogue, environment).data_slice,
            environment,
            StudyDocument(document),
        )
    )


@pytest.mark.parametrize(
    ("old_text", "new_text", "message"),
    [
        ("- red", "- redd", "study.yaml:7:5: targets.0: there is no task card or group 'redd'"),
        ("task: green", "task: gren", "study.yaml:8:5: targets.1.task: there is no task card"),
        ("- task: green", "- red", "study.yaml:8:5: targets.1: target 'red' stands twice"),
        (
            "task: green",
            "task: green\n    languages: [en, fr]",
            "study.yaml:9:21: targets.1.languages.1: task 'green' has no language 'fr'",
        ),
        (
            "- single",
            "- singel",
            "study.yaml:5:5: strategies.0.strategy: there is no strategy 'singel'",
        ),
        (
            "- single",
            "- {name: a, strategy: singel}",
            "study.yaml:5:15: strategies.0.strategy: there is no strategy 'singel'",
        ),
        (
            "- single",
            "- intermediate: {taks: [warm]}",
            "study.yaml:5:20: strategy 'intermediate', taks: unknown key 'taks'",
        ),
        (
            "- single",
            "- {name: a, strategy: intermediate, taks: [warm]}",
            "study.yaml:5:39: strategy 'a', taks: unknown key 'taks'",
        ),
        (
            "- single",
            "- intermediate: {tasks: [wram]}",
            "study.yaml:5:28: strategy 'intermediate', tasks.0: there is no task card 'wram'",
        ),
        (
            "- single",
            "- multitask: {targets: [warm]}",
            "study.yaml:5:5: strategy 'multitask', targets: 'warm' is not a target",
        ),
        ("- single", "- multitask: 3", "the options of 'multitask' must be keys with values"),
        ("counting", "countin", "study.yaml:3:15: models.0.backend: there is no backend"),
        ("counting}", "counting, recpie: {}}", "study.yaml:3:34: models.0.recpie: unknown key"),
        ("counting}", "counting, sed: 1}", "study.yaml:3:34: model 'm', sed: unknown key 'sed'"),
        (
            "counting}",
            "counting, pretrain: {corpus: red}}",
            "study.yaml:3:45: model 'm', pretrain.corpus: 'red' is not a corpus",
        ),
        ("red: {", "rde: {", "study.yaml:12:5: recipe.tasks.rde: there is no task card 'rde'"),
        ("red: {", "rde: {", "did you mean 'red'?"),
        (": en\n", ": ec\n", "study.yaml:9:1: source_language: no target has the language 'ec'"),
        (": en\n", ": dee\n", "did you mean 'de'?"),
    ],
)
def test_mistakes_are_told_with_their_line(
    cards: Path, old_text: str, new_text: str, message: str
) -> None:
    assert old_text in STUDY
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, STUDY.replace(old_text, new_text, 1))
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_study_without_mistakes_compiles(cards: Path) -> None:
    assert len(_plan(cards, STUDY).arms) == 2
    assert len(_plan(cards, STUDY.replace("- red", "- both").replace("  - task: green\n", "")).arms)


def test_targets_that_flags_moved_are_found_by_name(cards: Path) -> None:
    document = documents.parse(STUDY, "study.yaml")
    study = validate(document, Study)
    (green,) = [target for target in study.targets if target.task == "green"]
    moved = study.model_copy(update={"targets": (green, green)})
    catalogue, environment = toy_catalogue(cards), RunEnvironment()
    with pytest.raises(ConfigurationError, match=r"study.yaml:8:5: targets.1.task: .* twice"):
        compile_plan(
            PlanningContext(
                moved,
                catalogue,
                DataReader(catalogue, environment).data_slice,
                environment,
                StudyDocument(document),
            )
        )


def test_all_unknown_names_are_told_at_once(cards: Path) -> None:
    text = STUDY.replace("- red", "- redd", 1).replace("task: green", "task: gren", 1)
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, text.replace("- single", "- singel", 1).replace("counting", "countin", 1))
    message = str(caught.value)
    for position in ("study.yaml:3:15", "study.yaml:5:5", "study.yaml:7:5", "study.yaml:8:5"):
        assert message.count(position) == 1


def test_mistakes_of_schema_and_of_names_are_told_in_one_pass(cards: Path) -> None:
    told = _told(
        cards,
        """\
name: colours
models:
  - {name: m, backend: 3}
  - {name: n, backend: countin}
strategies: [singel, {name: s, seeds: [one]}]
targets:
  - {task: redd, limit: -1}
  - {task: gren}
  - {task: green, languages: [xx], limt: 3}
seeds: 5
recipe: {tasks: {rred: {epochs: 1}}}
sedes: [1]
""",
    )
    positions = [line.split(": ")[0] for line in told if line.startswith("study.yaml")]
    # The target whose limit is wrong is not looked at again, whatever its name.
    expected = ["12:1", "3:15", "5:40", "7:18", "9:36", "10:1", "4:15", "5:14", "11:18", "8:6"]
    assert positions == [f"study.yaml:{position}" for position in [*expected, "9:31"]]
    # By the number that it has in the file, though one above it was left out.
    assert "study.yaml:9:31: targets.2.languages.0" in "\n".join(told)


@pytest.mark.parametrize(
    ("runtime", "messages"),
    [
        ("executor: rya", ["study.yaml:13:11: runtime.executor: there is no executor 'rya'"]),
        (
            "executor: {name: rya}, trackers: [mflow, mflow]",
            [
                "study.yaml:13:22: runtime.executor.name: there is no executor 'rya'",
                "study.yaml:13:45: runtime.trackers.0: there is no tracker 'mflow'",
            ],
        ),
    ],
)
def test_what_runs_and_watches_is_told_with_the_rest(
    runtime: str, messages: list[str], cards: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, f"{STUDY}runtime: {{{runtime}}}\n".replace("- red", "- redd", 1))
    for message in [*messages, "or group 'redd'"]:
        assert str(caught.value).count(message) == 1


def test_language_and_preset_are_told_together(cards: Path) -> None:
    text = STUDY.replace("recipe:\n", "recipe:\n  preset: xtrem\n").replace(": en\n", ": xx\n")
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, text)
    assert "source_language" in str(caught.value) and "recipe.preset" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("name: s\n", 3),
        ("[1]\n", 1),
        (STUDY.replace("- single", "- single\n  - single"), 1),
        (STUDY.replace("{name: m, backend: counting}", "{max_total: 9, backend: 1}"), 1),
        (STUDY.replace("backend: counting", "hub: [a/b], pretrain: 3"), 1),
    ],
)
def test_parts_that_are_missing_or_do_not_fit_make_no_further_mistakes(
    text: str, count: int, cards: Path
) -> None:
    assert len(_told(cards, text)) == count


def _told(cards: Path, text: str) -> list[str]:
    document = documents.parse(text, "study.yaml")
    with pytest.raises(ConfigurationError) as caught:
        checked_study(document, cards, toy_catalogue(cards), RunEnvironment())
    return str(caught.value).splitlines()
