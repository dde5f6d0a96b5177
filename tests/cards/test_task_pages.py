"""The pages of docs/tasks are what the cards give, and their links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.cards.test_every_card import cards, catalogue
from tests.conftest import REPOSITORY
from xharness.session import card_pages

FOLDER = REPOSITORY / "docs" / "tasks"
TEXTS = card_pages.pages(catalogue())
SHIPPED = {f"{name}.md" for name in cards()} | {"README.md"}
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def test_every_card_has_a_page_and_every_page_a_card() -> None:
    """If not: rm -r docs/tasks && xharness cards docs docs/tasks."""
    assert {path.name for path in FOLDER.iterdir()} == SHIPPED <= set(TEXTS)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_page_says_what_the_card_says(name: str) -> None:
    """If not: xharness cards docs docs/tasks."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == TEXTS[name]
    for target in _LINK.findall(text):
        assert (FOLDER / target).is_file(), target


@pytest.mark.parametrize("name", sorted(cards()))
def test_a_page_answers_the_usual_questions(name: str) -> None:
    card, text = cards()[name], TEXTS[f"{name}.md"]
    assert card.about.summary in text
    assert card.about.license in text
    for heading in ("Languages and rows", "Citation"):
        assert f"## {heading}\n" in text
    for metric in card.metrics:
        assert f"- `{metric}`: " in text
    for recipe in card.recipes:
        assert f"`recipe: {recipe}`" in text
    for other in card.train_on:
        assert f"[{other}]({other}.md)" in text
    if card.role != "corpus" and not name.startswith("mini"):
        assert card.about.example
        assert card.about.example in text
