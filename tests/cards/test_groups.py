"""A card says which groups it is in: adding a task to one takes no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import card, toy_catalogue
from xharness.errors import ConfigurationError

GROUPS = """\
groups:
  warm: {title: Warm colours}
  all:
    title: All colours
    tasks: [{task: red, languages: [en, de]}]
    families: {cold: [green], warm: [red]}
"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "groups.yaml").write_text(GROUPS)
    return folder


def _add(cards: Path, name: str, *groups: str) -> None:
    path = card(cards, name)
    line = f"role: target\ngroups: [{', '.join(groups)}]"
    path.write_text(path.read_text().replace("role: target", line))


def test_a_card_adds_itself_to_its_groups(cards: Path) -> None:
    _add(cards, "red", "warm")
    _add(cards, "green", "all")
    _add(cards, "blue", "all")
    catalogue = toy_catalogue(cards)
    assert [(member.task, member.languages) for member in catalogue.members("all")] == [
        ("green", None), ("red", ("en", "de")), ("blue", None),
    ]  # fmt: skip
    assert [member.task for member in catalogue.members("warm")] == ["red"]
    assert catalogue.card("blue").groups == ("all",)


def test_a_group_without_tasks_says_how_to_fill_it(cards: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"groups\.yaml:2:3: groups\.warm: no card names"):
        toy_catalogue(cards).members("warm")


def test_a_family_of_strangers_is_refused(cards: Path) -> None:
    _add(cards, "red", "all")
    with pytest.raises(ConfigurationError, match="a family names 'green', which is no member"):
        toy_catalogue(cards).members("all")


def test_an_unknown_group_is_refused_where_it_stands(cards: Path) -> None:
    _add(cards, "red", "wram")
    with pytest.raises(ConfigurationError) as caught:
        toy_catalogue(cards).card("red")
    assert "red.yaml:4:10: groups.0: there is no group 'wram'" in str(caught.value)
    assert "did you mean 'warm'?; a new group needs a title in groups.yaml" in str(caught.value)


def test_a_card_that_cannot_be_read_may_be_a_member(cards: Path) -> None:
    _add(cards, "red", "warm")
    (cards / "blue.yaml").write_text("name: blue\ngroups: [warm\n")
    with pytest.raises(ConfigurationError, match=r"blue\.yaml:3:1: not valid YAML"):
        toy_catalogue(cards).members("warm")


def test_two_files_of_one_card_are_both_named(cards: Path) -> None:
    for folder in ("mine", "theirs"):
        (cards / folder).mkdir()
        card(cards / folder, "red")
    with pytest.raises(ConfigurationError) as caught:
        toy_catalogue(cards).card("red")
    assert "task card 'red' stands in two files: " in str(caught.value)
    for folder in ("mine", "theirs"):
        assert str(cards / folder / "red.yaml") in str(caught.value)
    assert "rename one of them" in str(caught.value)
    assert "uninstall" not in str(caught.value)


def test_a_study_in_a_folder_of_cards_is_no_card(cards: Path) -> None:
    card(cards, "red")
    (cards / "study.yaml").write_text("name: study\nstrategies: [single]\ntargets: [red]\n")
    assert list(toy_catalogue(cards).card_files) == ["red"]
