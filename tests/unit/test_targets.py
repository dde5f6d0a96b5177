"""Groups are spelt out, and languages are chosen in each of their tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.toy import card, toy_catalogue
from xharness.errors import ConfigurationError
from xharness.planning.targets import expanded_targets, targets_in_languages
from xharness.spec.study import Study
from xharness.spec.study_document import StudyDocument

GROUPS = """\
groups:
  both:
    title: t
    tasks: [red, {task: green, languages: [en, de]}]
"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    card(folder, "red")
    card(folder, "green")
    text = card(folder, "blue").read_text().replace("[en, de, sw]", "[en, ru]")
    (folder / "blue.yaml").write_text(text)
    (folder / "groups.yaml").write_text(GROUPS)
    return folder


def _study(*targets: Any) -> Study:
    models, strategies = [{"name": "m", "backend": "counting"}], ["single"]
    return Study.model_validate(
        {"name": "s", "models": models, "strategies": strategies, "targets": targets}
    )


def _spelt(cards: Path, *targets: Any) -> dict[str, tuple[str, ...] | None]:
    found = expanded_targets(_study(*targets), toy_catalogue(cards), StudyDocument())
    return {target.task: target.languages for target in found}


def test_a_group_keeps_the_languages_of_its_members(cards: Path) -> None:
    assert _spelt(cards, "both") == {"red": None, "green": ("en", "de")}


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["sw", "de"], {"red": ("de", "sw"), "green": ("de",)}),
        (["sw"], {"red": ("sw",)}),
        (["family:Germanic"], {"red": ("en", "de"), "green": ("en", "de")}),
        (["family:Niger-Congo", "en"], {"red": ("en", "sw"), "green": ("en",)}),
    ],
)
def test_members_keep_what_they_have(cards: Path, languages: list[str], expected: Any) -> None:
    assert _spelt(cards, {"task": "both", "languages": languages}) == expected


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"task": "both", "languages": ["en", "ru"]}, "group 'both' has no language 'ru'"),
        ({"task": "red", "languages": ["script:Thai"]}, "task 'red' has no language 'script:Thai'"),
        ({"task": "red", "languages": ["dee"]}, "did you mean 'de'?"),
    ],
)
def test_what_no_member_has_is_refused(cards: Path, target: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _spelt(cards, target)
    assert message in str(caught.value)


def test_impossible_choices_are_refused_with_the_study() -> None:
    with pytest.raises(ValueError, match="did you mean 'Cyrl'"):
        _study({"task": "red", "languages": ["script:Cyrll"]})
    with pytest.raises(ValueError, match="not a truth value"):
        _study({"task": "red", "languages": [False]})


def test_flags_narrow_what_the_study_says(cards: Path) -> None:
    study = _study({"task": "both", "languages": ["en", "sw"]}, "blue")
    catalogue = toy_catalogue(cards)

    def task_and_languages(*words: str) -> dict[str, tuple[str, ...] | None]:
        return {
            target.task: target.languages
            for target in targets_in_languages(study, words, catalogue)
        }

    assert task_and_languages("sw", "script:Cyrl") == {"red": ("sw",), "blue": ("ru",)}
    with pytest.raises(ConfigurationError, match="no target has the language 'de'"):
        task_and_languages("de")
