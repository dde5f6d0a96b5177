"""A card is right only together with the cards it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import card, toy_catalogue
from xharness.errors import ConfigurationError


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    card(folder, "red")
    return folder


def test_what_a_card_trains_on_is_known(cards: Path) -> None:
    file = card(cards, "blue", train_on="red, rde")
    catalogue = toy_catalogue(cards)
    for check in (lambda: catalogue.card("blue"), lambda: catalogue.check_file(file)):
        with pytest.raises(ConfigurationError) as caught:
            check()
        assert "blue.yaml:11:17: train_on.1: there is no task card 'rde'" in str(caught.value)
        assert "did you mean 'red'?" in str(caught.value)


def test_cards_that_are_on_no_shelf_know_themselves_and_their_neighbours(
    cards: Path, tmp_path: Path
) -> None:
    for folder in ("mine/target", "mine/intermediate"):
        (tmp_path / folder).mkdir(parents=True)
    card(tmp_path / "mine" / "target", "other")
    card(tmp_path / "mine" / "intermediate", "warm", role="intermediate")
    file = card(tmp_path / "mine" / "target", "blue", train_on="blue, red, other, warm")
    assert toy_catalogue(cards).check_file(file).name == "blue"


def test_labels_are_unique(cards: Path) -> None:
    text = (cards / "red.yaml").read_text().replace("labels: [a, b]", "labels: [a, b, a]")
    (cards / "red.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match="'a' stands twice in 'labels'"):
        toy_catalogue(cards).card("red")


def test_all_mistakes_of_a_card_are_told_in_one_pass(cards: Path) -> None:
    text = card(cards, "blue", train_on="rde").read_text()
    for before, after in (
        ("name: blue", "name: bleu"),
        ("role: target", "role: a"),
        ("task_type: classification", "task_type: clasification"),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    file = cards / "blue.yaml"
    file.write_text(f"{text}eval_split: tset\ngroups: [warm]\nlicence: MIT\n")
    told = _told(cards, file)
    for message in (
        "unknown key 'licence'",
        "'a' is not one of",
        "'tset' is not one of",
        "must equal the file's name",
        "no task type 'clasification'",
        "no task card 'rde'",
        "no group 'warm'",
    ):
        assert told.count(message) == 1, told
    # Fields and metrics are those of a task type that nobody knows yet.
    assert "fields:" not in told and "has no metric" not in told


def test_the_card_that_lends_a_score_is_known(cards: Path) -> None:
    file = card(cards, "blue", train_on="red")
    file.write_text(f"{file.read_text()}source_score_from: rde\n")
    assert "source_score_from: there is no task card 'rde'" in _told(cards, file)


def test_what_is_right_of_a_broken_card_is_looked_at(cards: Path) -> None:
    file = card(cards, "blue", train_on="red")
    text = file.read_text().replace("metrics: [", "metrics: [acuracy, ")
    file.write_text(f"{text}eval_split: tset\n")
    assert _told(cards, file).count("blue.yaml:") == 2
    file.write_text(text.replace("labels: [a, b]", "labels: 3"))
    assert "no metric 'acuracy'" in _told(cards, file)


def test_a_misspelt_field_is_told_once(cards: Path) -> None:
    file = card(cards, "blue", train_on="red")
    file.write_text(file.read_text().replace("label:", "lable:", 1))
    assert _told(cards, file).count("blue.yaml:") == 1


def test_what_no_card_can_be_is_told_once(cards: Path) -> None:
    (cards / "blue.yaml").write_text("[1]\n")
    assert _told(cards, cards / "blue.yaml").count("blue.yaml:") == 1


def _told(cards: Path, file: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        toy_catalogue(cards).check_file(file)
    return str(caught.value)
