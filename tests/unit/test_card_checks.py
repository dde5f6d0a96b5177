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
