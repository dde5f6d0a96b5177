"""What every card of the project must keep; a new one is tested by being there.

A failing test says what to write into the card.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from tests.conftest import REPOSITORY
from xharness.errors import ConfigurationError
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.examination import validate
from xharness.spec.groups import TaskGroup
from xharness.spec.languages import LANGUAGES
from xharness.spec.published import Size
from xharness.spec.recipe import Recipe
from xharness.spec.sources import Split
from xharness.task_types import BUILTIN

FOLDER = REPOSITORY / "task_cards"
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "groups.yaml")
PATHS = {path.stem: path for path in FILES}
TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}
HEADER = "# yaml-language-server: $schema=../schema.json\n"
PROSE = {
    "title": "XNLI",
    "summary": "Does a premise entail a hypothesis?",
    "license": "CC-BY-NC-4.0",
    "citation": "Conneau et al. 2018, XNLI",
}
FAMILIES = ("classification", "structured", "qa", "retrieval", "multichecklist")
MANY = "mul"
"""ISO 639-2 for several languages in one."""


def load(path: Path) -> TaskCard:
    return validate(documents.load(path), TaskCard)


@cache
def cards() -> dict[str, TaskCard]:
    return {path.stem: load(path) for path in FILES}


@cache
def catalogue() -> Catalogue:
    return Catalogue(manager.load(installed=True))


@cache
def groups() -> dict[str, TaskGroup]:
    return {name: catalogue().groups[name] for name in catalogue().groups}


def languages_of(group: str) -> dict[str, tuple[str, ...]]:
    return {
        member.task: member.languages or cards()[member.task].languages
        for member in groups()[group].tasks
    }


def expect(condition: object, card: TaskCard, advice: str) -> None:
    """Fail with what to write into the card."""
    assert condition, f"\n\n{PATHS[card.name].relative_to(REPOSITORY)}: {advice}\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_card(path: Path) -> None:
    card = load(path)
    try:
        assert catalogue().card(card.name) == card
    except ConfigurationError as error:
        pytest.fail(f"\n\n{error}\n", pytrace=False)

    expect(
        path.read_text(encoding="utf-8").startswith(HEADER),
        card,
        f"editors check a card that begins with the line\n\n    {HEADER}\n"
        "`xharness cards docs` writes it",
    )
    expect(
        path.parent.name in (card.role, "mini"),
        card,
        f"its role is {card.role}: move it to task_cards/{card.role}/, or change `role`",
    )
    for code in set(card.languages) - {MANY, *LANGUAGES}:
        advice = (
            f"'{code}' has no name yet: add a line such as `{code} Kinyarwanda Niger-Congo Latn`"
        )
        expect(False, card, f"{advice} to the table in harness/xharness/spec/languages.py")


@pytest.mark.parametrize("name", sorted(cards()))
def test_card_tells_people_what_it_is(name: str) -> None:
    card = cards()[name]
    for key, example in PROSE.items():
        expect(getattr(card.about, key), card, f"`about.{key}` is empty; write `{key}: {example}`")
    expect(
        card.about.summary.endswith((".", "?")),
        card,
        "`about.summary` is a sentence: end it with .",
    )
    for caveat in card.about.caveats:
        expect(caveat.endswith("."), card, f"each of `about.caveats` ends with .: {caveat!r}")


@pytest.mark.parametrize("name", sorted(cards()))
def test_rows_are_expected_where_rows_are_read(name: str) -> None:
    card = cards()[name]
    is_training_set = card.role == "corpus" and "train" in card.rows
    split: Split = "train" if is_training_set else card.eval_split
    for language in card.languages:
        expect(
            card.sources_of(language, split),
            card,
            f"no source has a {split} split in '{language}': add it to `splits` and `languages` "
            "of one, name the split that is scored under `eval_split`, or take the language out",
        )
        expect(
            card.expected_rows(language, split),
            card,
            f"how many {split} rows has the publisher in '{language}'? Write "
            f"`rows: {{{split}: 1000}}`, or `rows: {{{split}: {{{language}: 1000, …}}}}` where "
            "languages differ; partial data is then marked on the board",
        )
    for split, rows in card.rows.items():
        for language in rows if isinstance(rows, dict) else card.languages:
            expect(
                card.sources_of(language, split),
                card,
                f"`rows.{split}` counts rows in '{language}', which no source has: take them out, "
                "or add the split to a source's `splits`",
            )


@pytest.mark.parametrize("name", sorted(cards()))
def test_what_a_card_trains_on(name: str) -> None:
    card = cards()[name]
    language = card.source_language or "en"
    answered_type = TASK_TYPES[card.task_type].predicted.name
    for training_set in map(cards().__getitem__, card.train_on):
        expect(
            training_set.task_type == answered_type,
            card,
            f"`train_on` names '{training_set.name}', of the task type {training_set.task_type}; "
            f"only training sets of {answered_type} teach this task",
        )
        expect(
            training_set.expected_rows(language, "train"),
            training_set,
            f"'{card.name}' trains on it: write how many rows its train split has in '{language}', "
            "`rows: {train: 1000}`",
        )
    if card.train_on:
        head = cards()[card.train_on[-1]].head_name
        expect(
            card.head_name == head,
            card,
            f"it is answered by the head '{card.head_name}', which '{card.train_on[-1]}' does not "
            f"train; write `head: {head}`",
        )


def test_cards_that_share_a_head_agree_on_its_labels() -> None:
    by_head: dict[str, list[TaskCard]] = {}
    for card in cards().values():
        if TASK_TYPES[card.task_type].part is None:  # items made of parts have no head of their own
            by_head.setdefault(card.head_name, []).append(card)
    for head, (first, *further_cards) in by_head.items():
        for card in further_cards:
            expect(
                card.task_type == first.task_type,
                card,
                f"it shares the head '{head}' with '{first.name}' of another task type; "
                f"write `head: {card.name}`",
            )
            # A choice head scores one choice at a time: how many there are is not its business.
            expect(
                card.task_type == "multiple_choice" or card.labels == first.labels,
                card,
                f"it shares the head '{head}' with '{first.name}', whose labels are "
                f"{first.labels}; write the same `labels` in the same order, or another `head`",
            )


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
    for result in card.published_results:
        assert result.score is not None or result.scores
        assert set(result.scores) <= set(card.languages)
        if result.score is not None and set(result.scores) == set(card.languages):
            mean = sum(result.scores.values()) / len(result.scores)
            assert abs(mean - result.score) < 0.11, (result.model, mean)


@pytest.mark.parametrize("size", ["base", "large"])
@pytest.mark.parametrize("name", ["tatoeba", "bucc", "lareqa", "mewslix"])
def test_retrieval_says_how_texts_become_vectors(name: str, size: Size) -> None:
    fields = cards()[name].recipes["xtreme"].fields(size)
    assert {"pooling", "layer", "max_length"} <= set(fields)


def test_groups_name_cards_and_hide_none() -> None:
    for group in groups().values():
        for member in group.tasks:
            assert set(member.languages or ()) <= set(cards()[member.task].languages)
    assert not set(groups()) & set(cards()), "a name must stand for a card or for a group"


@pytest.mark.parametrize("name", sorted(cards()))
def test_every_task_is_in_a_group(name: str) -> None:
    card = cards()[name]
    if PATHS[name].parent.name == "mini" or card.role == "corpus":
        return
    families = FAMILIES if card.role == "target" else ("intermediate", "auxiliary")
    expect(
        len({*card.groups} & {*families}) == 1,
        card,
        f"name one of {', '.join(families)} under `groups`, so that it is found: "
        f"`groups: [{families[0]}]`",
    )


@pytest.mark.parametrize(
    ("group", "tasks"),
    [("xtreme-r", 10), ("xtreme", 9), ("intermediate", 9), ("multichecklist", 6)],
)
def test_a_benchmark_has_all_its_tasks(group: str, tasks: int) -> None:
    benchmark = groups()[group]
    assert len(benchmark.tasks) == tasks
    if benchmark.families:
        in_families = [task for family in benchmark.families.values() for task in family]
        assert sorted(in_families) == sorted(member.task for member in benchmark.tasks), "each once"


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
        assert sum(row or 0 for row in rows) == cards()["anli_plus"].expected_rows("en", split)
        assert len(cards()["anli_plus"].sources_of("en", split)) == 5
