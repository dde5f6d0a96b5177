"""Errors in YAML name file, line, column, key path, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from xharness.errors import ConfigurationError
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.examination import validate
from xharness.spec.study import Study

CARD = """\
name: toy
task_type: classification
role: target
sources:
  - from: file
    path: toy.jsonl
languages: [en, nb]
fields: {text: text, label: label}
labels: [a, b]
metrics: [accuracy]
about: {title: t, summary: s, license: CC0-1.0, citation: c}
"""


def _read(text: str) -> TaskCard:
    return validate(documents.parse(text, "card.yaml"), TaskCard)


def test_a_good_card_reads() -> None:
    card = _read(CARD)
    assert card.languages == ("en", "nb")
    assert card.sources[0].source_options == {"path": "toy.jsonl"}


@pytest.mark.parametrize(
    ("old_text", "new_text", "message"),
    [
        (
            "metrics:",
            "metrcs:",
            "card.yaml:10:1: metrcs: unknown key 'metrcs'; did you mean 'metrics'",
        ),
        ("task_type: classification\n", "", "card.yaml:1:1: task_type: this key is missing"),
        ("role: target", "role: targt", "card.yaml:3:1: role: 'targt' is not one of"),
        ("role: target", "role: targt", "did you mean 'target'?"),
        ("[en, nb]", "[en, no]", "card.yaml:7:17: languages.1: a language code, not a truth value"),
        ("[en, nb]", "[en, no]", "YAML 1.1 reads a bare 'no' as false"),
        ("[en, nb]", "[en, en]", "'en' stands twice in 'languages'"),
        ("[en, nb]", "[en, 'English!']", "is not a language code"),
        (
            "name: toy",
            "name: ../toy",
            "card.yaml:1:1: name: '../toy' must be made of ASCII letters",
        ),
        ("citation: c", "citation: c, licens: x", "about.licens: unknown key 'licens'"),
        (
            "role: target",
            "role: target\nrole: target",
            "card.yaml:4:1: key 'role' stands here a second",
        ),
        ("role: target", "role: [target", "card.yaml:"),
        ("role: target", "role: !!python/object:os.system x", "not valid YAML"),
        ("role: target", "no: target", "YAML 1.1 reads no as false"),
        (
            "metrics: [accuracy]",
            "metrics: 3",
            "card.yaml:10:1: metrics: a list is needed: [first, second], not 3",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(old_text: str, new_text: str, message: str) -> None:
    assert old_text in CARD
    with pytest.raises(ConfigurationError) as caught:
        _read(CARD.replace(old_text, new_text))
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_wrong_item_of_a_list_is_not_held_against_the_word_in_its_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        _read(CARD.replace("labels: [a, b]", "labels: [a, 0]"))
    location = "card.yaml:9:13: labels.1"
    assert str(caught.value) == f"{location}: a text is needed, not 0; in quotes it is one"
    with pytest.raises(ConfigurationError, match="did you mean 'from_data'"):
        _read(CARD.replace("labels: [a, b]", "labels: from_dat"))


def test_an_empty_file_and_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        documents.parse("", "x.yaml")
    with pytest.raises(ConfigurationError, match="no such file"):
        documents.load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        documents.load(tmp_path / "latin.yaml")


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    with pytest.raises(ConfigurationError, match="more than"):
        documents.parse("\n".join(lines))


def test_a_part_keeps_the_lines_of_the_whole() -> None:
    part = documents.parse(CARD, "card.yaml").part("sources", 0)
    assert str(part.position(("path",))) == "card.yaml:6:5"


@pytest.mark.parametrize(
    "text",
    ["name: &a [*a]", "name: &a {b: *a}", f"name: {'[' * 70}{']' * 70}", "name: " + "[" * 100_000],
)
def test_values_cannot_stand_endlessly_inside_each_other(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        documents.parse(text, "x.yaml")
    assert "x.yaml" in str(caught.value)


def test_a_merged_key_that_is_no_text_is_told() -> None:
    text = "a: &a {[1]: 2}\nb: {<<: *a, [x]: 1}"
    with pytest.raises(ConfigurationError, match="a key must be text or a whole number"):
        documents.parse(text)


def test_half_a_character_is_told_where_it_stands() -> None:
    with pytest.raises(ConfigurationError, match=r"^typed:2:5: half a character: \\udcff"):
        documents.parse("a: b\nc: x\udcff", "typed")


def test_an_impossible_date_is_no_crash() -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yaml:1:7: not valid YAML: month must"):
        documents.parse("name: 2024-13-01", "x.yaml")


STUDY = """\
name: small
models: [{name: m, backend: counting}]
strategies: [single]
targets: [red]
"""


def _refused(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        validate(documents.parse(text, "study.yaml"), Study)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_a_wrong_item_is_told_once() -> None:
    (message,) = _refused(STUDY.replace("[red]", "[{task: red, limt: 3}]"))
    assert "study.yaml:4:23: targets.0.limt: unknown key 'limt'" in message


def test_an_empty_list_is_too_short() -> None:
    (message,) = _refused(STUDY.replace("[red]", "[]"))
    assert message == "study.yaml:4:1: targets: needs at least one"


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize(
    ("keys", "location"),
    [
        ("recipe: {{learning_rate: {}}}", "recipe.learning_rate"),
        ("recipe: {{tasks: {{red: {{learning_rate: {}}}}}}}", "recipe.tasks.red"),
        ("runtime: {{checkpoint_seconds: {}}}", "runtime.checkpoint_seconds"),
    ],
)
def test_numbers_are_finite(keys: str, location: str, number: str) -> None:
    (message,) = _refused(f"{STUDY}{keys.format(number)}\n")
    assert f": {location}: " in message
    assert "finite number" in message


@pytest.mark.parametrize(
    ("old_text", "new_text", "message"),
    [
        ("seeds: [1]", "seeds: 1", "seeds: a list is needed: [first, second], not 1"),
        ("seeds: [1]", "seeds: [one]", "seeds.0: a whole number is needed, not 'one'"),
        ("seeds: [1]", "seeds: {a: 1}", "seeds: a list is needed: [first, second], not keys"),
        ("models: [{name: m, backend: counting}]", "models: [3]", "keys with values are needed"),
        ("seeds: [1]", "train_limit: 0", "train_limit: a number above 0 is needed, not 0"),
        ("seeds: [1]", "runtime: {deterministic: maybe}", "true or false is needed, not 'maybe'"),
        ("seeds: [1]", "title: [a]", "title: a text is needed, not a list"),
        ("seeds: [1]", "title:\n  a: 1", "title: a text is needed, not keys with values"),
        ("seeds: [1]", "seeds:", "seeds: a list is needed: [first, second], not nothing"),
    ],
)
def test_mistakes_are_told_in_words_of_this_project(
    old_text: str, new_text: str, message: str
) -> None:
    text = STUDY + "seeds: [1]\n"
    assert old_text in text
    messages = "\n".join(_refused(text.replace(old_text, new_text)))
    assert message in messages
    for word in ("tuple", "instance", "ModelSpec", "dictionary", "Input", "NoneType"):
        assert word not in messages


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    messages = _refused(
        "name: s\ntitel: t\nmodels: []\nstrategies: [single]\n"
        "targets: [{task: red, limt: 3, limit: none}]\nseeds: [one]\n"
    )
    text = "\n".join(messages)
    for message in ("titel", "did you mean 'title'", "models: needs at least one", "limt"):
        assert message in text
    assert "targets.0.limit: a whole number" in text and "seeds.0: a whole number" in text
    assert len({line.split(": ")[0] for line in messages}) == len(messages) == 5


def test_merge_keys_take_what_is_not_there_itself() -> None:
    document = documents.parse(
        "a: &a {x: 1, y: 2}\nb: &b {z: 3, y: 5}\nc: {<<: [*a, *b], x: 0}\nd:\n  <<: *a\n"
    )
    assert document.data["c"] == {"x": 0, "y": 2, "z": 3}
    assert document.data["d"] == {"x": 1, "y": 2}
    assert str(document.position(("d", "y"))) == "<text>:1:14"


@pytest.mark.parametrize("text", ["a: {<<: 3}", "a: {<<: [1]}", "a: &a {<<: *a}"])
def test_what_cannot_be_merged_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="'<<' merges"):
        documents.parse(text)
