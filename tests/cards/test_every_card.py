"""What every shipped card must keep; a new card is tested by being there."""

from __future__ import annotations

from pathlib import Path

import pytest

from xharness import documents
from xharness.cards import Groups, TaskCard
from xharness.kinds import SHIPPED
from xharness.languages import LANGUAGES

FOLDER = Path(__file__).parents[2] / "task_cards"
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "groups.yaml")
KINDS = {kind.name: kind for kind in SHIPPED}


def load(path: Path) -> TaskCard:
    return documents.validate(documents.load(path), TaskCard)


def cards() -> dict[str, TaskCard]:
    return {path.stem: load(path) for path in FILES}


def test_there_are_cards() -> None:
    assert len(FILES) >= 13


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_card(path: Path) -> None:
    card = load(path)
    kind = KINDS[card.kind]

    assert path.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../schema.json\n"
    )
    assert card.name == path.stem
    if path.parent.name in ("target", "intermediate"):
        assert card.role == path.parent.name

    assert set(card.metrics) <= set(kind.metrics)
    required = {name for name, needed in kind.fields.items() if needed}
    optional = set(kind.fields) if kind.whole else {*kind.fields, "id"}
    assert required <= set(card.fields) <= optional

    assert set(card.languages) <= set(LANGUAGES), "languages.py lacks a name for one"
    for language in card.languages:
        assert card.source(language, card.scored), f"nothing to score in {language}"
        assert card.expected_rows(language, card.scored), f"how many rows in {language}?"
    for split, rows in card.rows.items():
        for language in rows if isinstance(rows, dict) else card.languages:
            assert card.source(language, split), f"rows, but no source: {language} {split}"

    about = card.about
    assert about.title
    assert about.licence
    assert about.citation
    assert about.summary.endswith((".", "?"))
    assert all(trap.endswith(".") for trap in about.traps)


@pytest.mark.parametrize("name", sorted(cards()))
def test_what_a_card_trains_on(name: str) -> None:
    known = cards()
    card = known[name]
    for other in card.train_on:
        assert known[other].kind == card.kind
        assert known[other].source(card.source_language or "en", "train")
    if card.train_on:
        assert known[card.train_on[-1]].head_name == card.head_name


def test_cards_that_share_a_head_agree_on_its_labels() -> None:
    by_head: dict[str, list[TaskCard]] = {}
    for card in cards().values():
        by_head.setdefault(card.head_name, []).append(card)
    for sharing in by_head.values():
        assert len({card.kind for card in sharing}) == 1
        # A choice head scores one choice at a time: how many there are is not its business.
        if sharing[0].kind != "choice":
            assert len({card.labels for card in sharing}) == 1, [card.name for card in sharing]


def test_groups_name_cards_and_hide_none() -> None:
    groups = documents.validate(documents.load(FOLDER / "groups.yaml"), Groups).groups
    known = cards()
    assert {one.task for suite in groups.values() for one in suite.tasks} <= set(known)
    assert not set(groups) & set(known), "a name must stand for a card or for a group"


def test_every_target_is_in_one_family() -> None:
    groups = documents.validate(documents.load(FOLDER / "groups.yaml"), Groups).groups
    targets = {path.stem for path in FILES if path.parent.name == "target"}
    assert {one.task for one in groups["xtreme-r"].tasks} <= targets
    families = ("classification", "structured", "qa", "retrieval")
    assert sorted(one.task for name in families for one in groups[name].tasks) == sorted(targets)


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("xnli", 15), ("xcopa", 11), ("udpos", 38), ("wikiann", 48),
        ("xquad", 12), ("mlqa", 7), ("tydiqa", 9), ("tatoeba", 41),
    ],
)  # fmt: skip
def test_languages_of_xtreme_r(name: str, languages: int) -> None:
    assert len(cards()[name].languages) == languages


@pytest.mark.parametrize(
    ("name", "split", "total"),
    [("tydiqa", "train", 49_881), ("tydiqa", "validation", 5_077), ("tatoeba", "test", 36_692)],
)
def test_rows_sum_to_the_published_total(name: str, split: str, total: int) -> None:
    rows = {str(key): value for key, value in cards()[name].rows.items()}[split]
    assert isinstance(rows, dict)
    assert sum(rows.values()) == total
