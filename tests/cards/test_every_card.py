"""What every shipped card must keep; a new card is tested by being there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from tests.conftest import REPOSITORY
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.groups import TaskGroup, TaskGroups
from xharness.spec.languages import LANGUAGES
from xharness.spec.published import Size
from xharness.spec.recipe import Recipe
from xharness.spec.sources import Split
from xharness.task_types import BUILTIN

FOLDER = REPOSITORY / "task_cards"
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "groups.yaml")
KINDS = {kind.name: kind for kind in BUILTIN}
FAMILIES = ("classification", "structured", "qa", "retrieval", "multichecklist")
MANY = "mul"
"""ISO 639-2 for several languages in one."""


def load(path: Path) -> TaskCard:
    return documents.validate(documents.load(path), TaskCard)


@cache
def cards() -> dict[str, TaskCard]:
    return {path.stem: load(path) for path in FILES}


@cache
def groups() -> dict[str, TaskGroup]:
    return documents.validate(documents.load(FOLDER / "groups.yaml"), TaskGroups).groups


@cache
def catalogue() -> Catalogue:
    return Catalogue(manager.load(installed=True))


def languages_of(group: str) -> dict[str, tuple[str, ...]]:
    return {one.task: one.languages or cards()[one.task].languages for one in groups()[group].tasks}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_card(path: Path) -> None:
    card = load(path)
    kind = KINDS[card.task_type]

    assert catalogue().card(card.name) == card  # kinds, sources, recipes and neighbours are right
    assert path.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../schema.json\n"
    )
    if path.parent.name != "mini":
        assert card.role == path.parent.name

    required = {name for name, needed in kind.fields.items() if needed}
    assert required <= set(card.fields)
    assert set(card.languages) - {MANY} <= set(LANGUAGES), "languages.py lacks a name for one"

    about = card.about
    assert about.title
    assert about.license
    assert about.citation
    assert about.summary.endswith((".", "?"))
    assert all(trap.endswith(".") for trap in about.caveats)


@pytest.mark.parametrize("name", sorted(cards()))
def test_rows_are_expected_where_rows_are_used(name: str) -> None:
    card = cards()[name]
    learnt = card.role == "corpus" and "train" in card.rows
    split: Split = "train" if learnt else card.eval_split
    for language in card.languages:
        assert card.sources_of(language, split), f"nothing in {language} {split}"
        assert card.expected_rows(language, split), f"how many rows in {language} {split}?"
    for split, rows in card.rows.items():
        for language in rows if isinstance(rows, dict) else card.languages:
            assert card.sources_of(language, split), f"rows, but no source: {language} {split}"


@pytest.mark.parametrize("name", sorted(cards()))
def test_what_a_card_trains_on(name: str) -> None:
    card = cards()[name]
    for other in card.train_on:
        taught = cards()[other]
        answered = getattr(KINDS[card.task_type], "part", KINDS[card.task_type])
        assert taught.task_type == answered.name
        assert taught.sources_of(card.source_language or "en", "train")
        assert taught.expected_rows(card.source_language or "en", "train")
    if card.train_on:
        assert cards()[card.train_on[-1]].head_name == card.head_name


def test_cards_that_share_a_head_agree_on_its_labels() -> None:
    by_head: dict[str, list[TaskCard]] = {}
    for card in cards().values():
        if not hasattr(
            KINDS[card.task_type], "part"
        ):  # what is asked in parts is answered by those
            by_head.setdefault(card.head_name, []).append(card)
    for sharing in by_head.values():
        assert len({card.task_type for card in sharing}) == 1, [card.name for card in sharing]
        # A choice head scores one choice at a time: how many there are is not its business.
        if sharing[0].task_type != "multiple_choice":
            assert len({card.labels for card in sharing}) == 1, [card.name for card in sharing]


@pytest.mark.parametrize("name", sorted(cards()))
def test_published_recipes(name: str) -> None:
    card = cards()[name]
    for recipe in card.recipes.values():
        assert recipe.source
        for size in get_args(Size):
            Recipe().changed(recipe.fields(size))
        for key, value in recipe.fields("base").items():
            assert type(value) in (int, float, str)
            assert not isinstance(value, str) or key == "pooling", "YAML 1.1 reads 2e-5 as text"


@pytest.mark.parametrize("name", sorted(cards()))
def test_published_results(name: str) -> None:
    card = cards()[name]
    for one in card.published_results:
        assert one.score is not None or one.scores
        assert set(one.scores) <= set(card.languages)
        if one.score is not None and set(one.scores) == set(card.languages):
            mean = sum(one.scores.values()) / len(one.scores)
            assert abs(mean - one.score) < 0.11, (one.model, mean)


@pytest.mark.parametrize("size", ["base", "large"])
@pytest.mark.parametrize("name", ["tatoeba", "bucc", "lareqa", "mewslix"])
def test_retrieval_says_how_texts_become_vectors(name: str, size: Size) -> None:
    fields = cards()[name].recipes["xtreme"].fields(size)
    assert {"pooling", "layer", "max_length"} <= set(fields)


def test_groups_name_cards_and_hide_none() -> None:
    known = cards()
    for suite in groups().values():
        for one in suite.tasks:
            assert set(one.languages or ()) <= set(known[one.task].languages)
    assert not set(groups()) & set(known), "a name must stand for a card or for a group"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_task_is_in_a_group(path: Path) -> None:
    if load(path).role == "target" and path.parent.name != "mini":
        assert sum(path.stem in languages_of(name) for name in FAMILIES) == 1
    elif path.parent.name == "intermediate":
        assert sum(path.stem in languages_of(name) for name in ("intermediate", "auxiliary")) == 1


@pytest.mark.parametrize(
    ("group", "tasks"),
    [("xtreme-r", 10), ("xtreme", 9), ("intermediate", 9), ("multichecklist", 6)],
)
def test_a_benchmark_has_all_its_tasks(group: str, tasks: int) -> None:
    suite = groups()[group]
    assert len(suite.tasks) == tasks
    if suite.families:
        counted = [task for family in suite.families.values() for task in family]
        assert sorted(counted) == sorted(one.task for one in suite.tasks), "each once"


def test_languages_of_xtreme_r() -> None:
    assert {task: len(codes) for task, codes in languages_of("xtreme-r").items()} == {
        "xnli": 15, "xcopa": 11, "udpos": 38, "wikiann": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9,
        "mewslix": 11, "lareqa": 11, "tatoeba": 41,
    }  # fmt: skip


def test_languages_of_xtreme() -> None:
    found = languages_of("xtreme")
    assert {task: len(codes) for task, codes in found.items()} == {
        "xnli": 15, "pawsx": 7, "udpos": 33, "wikiann": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9,
        "bucc": 4, "tatoeba": 36,
    }  # fmt: skip
    newer = {"lt", "pl", "uk", "wo", "ro", "az", "gu", "pa", "qu", "ht"}
    assert not newer & {code for codes in found.values() for code in codes}


def test_all_50_languages_are_known() -> None:
    codes = {code for codes in languages_of("xtreme-r").values() for code in codes}
    assert len(codes) == 50
    assert len(languages_of("multichecklist")["multichecklist_comparisons"]) == 50


@pytest.mark.parametrize(
    ("name", "split", "total"),
    [
        ("tydiqa", "train", 49_881),
        ("tydiqa", "validation", 5_077),
        ("tatoeba", "test", 36_692),
        ("lareqa_sentences", "test", 13_014),
        ("lareqa", "test", 13_090),
        ("mewslix", "validation", 2_991),
        ("mewslix", "test", 14_624),
        ("mewslix_entities", "test", 1_003_893),
        ("bucc_english", "test", 1_416_408),
        ("multichecklist_properties", "test", 10_000),
        ("anli_plus", "train", 1_104_934),
        ("anli_plus", "validation", 22_857),
        ("mnli", "train", 392_702),
        ("squad_v1", "train", 87_599),
        ("squad_v2", "train", 130_319),
    ],
)
def test_rows_sum_to_the_published_total(name: str, split: Split, total: int) -> None:
    card = cards()[name]
    assert sum(card.expected_rows(language, split) or 0 for language in card.languages) == total


def test_anli_plus_is_its_parts() -> None:
    splits: tuple[Split, ...] = ("train", "validation")
    for split in splits:
        rows = [cards()[name].expected_rows("en", split) for name in ("anli", "snli", "mnli")]
        assert sum(one or 0 for one in rows) == cards()["anli_plus"].expected_rows("en", split)
        assert len(cards()["anli_plus"].sources_of("en", split)) == 5
