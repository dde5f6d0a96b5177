"""The pages of docs/tasks are what the cards give, and their links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.cards.test_every_card import cards, catalogue, expect
from tests.conftest import REPOSITORY
from xharness.session import card_pages

FOLDER = REPOSITORY / "docs" / "tasks"
TEXTS = card_pages.pages(catalogue())
BUILTIN_PAGES = {f"{name}.md" for name in cards()} | {"README.md"}
ADVICE = (
    "\n\na card changed: run `xharness cards docs` in the repository, and commit what it wrote\n"
)
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def test_every_card_has_a_page_and_every_page_a_card() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == BUILTIN_PAGES <= set(TEXTS), ADVICE


@pytest.mark.parametrize("name", sorted(BUILTIN_PAGES))
def test_a_page_says_what_the_card_says(name: str) -> None:
    assert (FOLDER / name).is_file(), ADVICE
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == TEXTS[name], ADVICE
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
    for training_card in card.train_on:
        assert f"[{training_card}]({training_card}.md)" in text
    if card.role != "corpus" and not name.startswith("mini"):
        advice = "`about.example` is empty; write one short item, made up, as `example: ...`"
        expect(card.about.example, card, advice)
        assert (card.about.example or "") in text
