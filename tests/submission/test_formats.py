"""Formats there and back: what `write` writes, `read` reads, with the same statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xharness.errors import ConfigurationError
from xharness.executor.score import item_statistics
from xharness.spec.cards import TaskCard
from xharness.submission.files import SubmissionFile
from xharness.submission.formats import AnsweredItems, format_of
from xharness.submission.layout import SuiteTask, select_tasks
from xharness.task_types import (
    BUILTIN,
    BitextExample,
    BitextMiningExample,
    ClassificationExample,
    ExtractiveQAExample,
    GoldAnswer,
    MultipleChoiceExample,
    RetrievalExample,
    TaggingExample,
)

KINDS = {kind.name: kind for kind in BUILTIN}
LABELS = {
    "classification": ("no", "yes"),
    "multiple_choice": ("a", "b"),
    "tagging": ("O", "B-X", "I-X"),
}
ABOUT = {"title": "t", "summary": "s", "license": "l", "citation": "c"}
words = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() or "\u2028" in text)
places = st.integers(0, 1)


def task(kind: str, name: str = "t") -> SuiteTask:
    """A task of that kind, with all its metrics."""
    card = TaskCard.model_validate(
        {
            "name": name, "task_type": kind, "role": "target", "sources": [{"from": "mini"}],
            "languages": ["en"], "fields": {}, "labels": LABELS.get(kind),
            "metrics": [*KINDS[kind].metrics], "about": ABOUT,
        }
    )  # fmt: skip
    return SuiteTask(card)


def there_and_back(kind: str, answered: AnsweredItems) -> None:
    """The sums of all statistics survive."""
    one = task(kind)
    form = format_of(one)
    written = form.write(answered, one)
    read = form.read(
        SubmissionFile(Path("labels"), written.labels),
        SubmissionFile(Path("given"), written.predictions),
        one,
    )
    for metric in KINDS[kind].metrics.values():
        before, after = (
            item_statistics(metric, some.examples, some.predictions, one.card, "en").sum(axis=0)
            for some in (answered, read)
        )
        assert before.tolist() == after.tolist(), metric.name


@given(st.lists(st.tuples(places, places), min_size=1))
def test_labels(pairs: list[tuple[int, int]]) -> None:
    examples = [ClassificationExample(str(n), "x", None, gold) for n, (gold, _) in enumerate(pairs)]
    there_and_back("classification", AnsweredItems(examples, [given for _, given in pairs]))


@given(st.lists(st.tuples(places, places), min_size=1))
def test_choices(pairs: list[tuple[int, int]]) -> None:
    examples = [
        MultipleChoiceExample(str(n), "x", ("y", "z"), gold) for n, (gold, _) in enumerate(pairs)
    ]
    there_and_back("multiple_choice", AnsweredItems(examples, [given for _, given in pairs]))


tags = st.integers(0, 2)


@given(st.lists(st.lists(st.tuples(tags, tags), max_size=6), min_size=1))
def test_tags_even_of_sentences_without_words(sentences: list[list[tuple[int, int]]]) -> None:
    examples = [
        TaggingExample(str(n), ("w",) * len(some), tuple(gold for gold, _ in some))
        for n, some in enumerate(sentences)
    ]
    given_tags = [[given for _, given in some] for some in sentences]
    there_and_back("tagging", AnsweredItems(examples, given_tags))


@settings(deadline=None)  # the first answer waits until what tells languages apart is loaded
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9), words), min_size=1))
def test_answers(rows: list[tuple[str, str, str]]) -> None:
    examples = [
        ExtractiveQAExample(str(n), word, word, (GoldAnswer(gold, 0), GoldAnswer(word, -1)))
        for n, (gold, _, word) in enumerate(rows)
    ]
    there_and_back("extractive_qa", AnsweredItems(examples, [given for _, given, _ in rows]))


@given(st.data(), st.lists(st.text(max_size=3), min_size=1, max_size=8))
def test_places(data: Any, sources: list[str]) -> None:
    count = len(sources)
    examples = [BitextExample(str(n), text, "", n) for n, text in enumerate(sources)]
    answers = st.lists(st.integers(0, count - 1), min_size=count, max_size=count)
    there_and_back("bitext_retrieval", AnsweredItems(examples, data.draw(answers)))


ids = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=5)


@given(st.lists(st.tuples(ids, ids), min_size=1))
def test_rankings(rows: list[tuple[list[str], list[str]]]) -> None:
    examples = [RetrievalExample(str(n), "q", "w", None) for n in range(len(rows))]
    rankings = [{"ranked": ranked, "relevant": relevant} for ranked, relevant in rows]
    for kind in ("retrieval", "entity_linking"):
        there_and_back(kind, AnsweredItems(examples, rankings))


@given(st.lists(st.tuples(ids, st.sampled_from(["", *"abcdefgh"])), min_size=1))
def test_pairs(rows: list[tuple[list[str], str]]) -> None:
    examples = [
        BitextMiningExample(f"s{n}", "x", tuple(golds)) for n, (golds, _) in enumerate(rows)
    ]
    there_and_back("bitext_mining", AnsweredItems(examples, [given for _, given in rows]))


def read(kind: str, labels: str, predictions: str) -> AnsweredItems:
    one = task(kind)
    return format_of(one).read(
        SubmissionFile(Path("labels"), labels), SubmissionFile(Path("given"), predictions), one
    )


@pytest.mark.parametrize(
    ("kind", "labels", "predictions", "told"),
    [
        ("bitext_mining", "a\tb\n", "a b\n", "given:1: no pair stands here"),
        ("bitext_mining", "a\tb\n", "a\tb\tc\n", "given:1: no pair"),
        (
            "bitext_mining",
            "a\tb\n",
            "a\tb\nc\td\na\tb\n",
            "given:3: this pair stands on line 1 already",
        ),
        (
            "entity_linking",
            '{"m": ["Q1"]}',
            '{"m": "Q1"}',
            "given:1: the answer to 'm' has the wrong sha",
        ),
        ("entity_linking", '{"m": ["Q1"]}', '{"m": ["Q1", "Q1"]}', "a list of ids, each once"),
        ("entity_linking", '["Q1"]', "{}", "labels:1: not a mapping from items to answers"),
        ("retrieval", '{"m": ["x"], "n": []}', '{"m": []}', "item 'n' is not answered"),
    ],
)
def test_broken_files(kind: str, labels: str, predictions: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(kind, labels, predictions)
    assert told in str(caught.value)


def test_labels_are_spelt_as_the_official_files_spell_them() -> None:
    one = task("classification", "pawsx")
    examples = [ClassificationExample("0", "", None, 1), ClassificationExample("1", "", None, 0)]
    written = format_of(one).write(AnsweredItems(examples, [0, 0]), one)
    assert (written.labels, written.predictions) == ("1\n0\n", "0\n0\n")


def test_tasks_go_by_their_cards_or_their_folders() -> None:
    tasks = {name: task("tagging", name) for name in ("wikiann", "udpos")}
    assert [*select_tasks(["panx"], tasks)] == ["wikiann"]
    assert [*select_tasks(["wikiann", "udpos"], tasks)] == [*select_tasks([], tasks)]


def test_a_kind_without_a_format_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="no file format for tasks of the kind 'checklist'"
    ):
        format_of(task("checklist"))
