"""Formats there and back: what `write` writes, `read` reads, with the same statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xharness.errors import ConfigurationError
from xharness.spec.cards import TaskCard
from xharness.submission.files import SubmissionFile
from xharness.submission.formats import AnsweredItems, format_of
from xharness.submission.layout import SuiteTask, select_tasks
from xharness.task_types import BUILTIN
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.scoring import item_statistics
from xharness.task_types.tagging import TaggingExample

TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}
LABELS = {
    "classification": ("no", "yes"),
    "multiple_choice": ("a", "b"),
    "tagging": ("O", "B-X", "I-X"),
}
ABOUT = {"title": "t", "summary": "s", "license": "l", "citation": "c"}
words = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() or "\u2028" in text)
label_indexes = st.integers(0, 1)


def task(task_type: str, name: str = "t") -> SuiteTask:
    """A task of that type, with all its metrics."""
    card = TaskCard.model_validate(
        {
            "name": name, "task_type": task_type, "role": "target", "sources": [{"from": "mini"}],
            "languages": ["en"], "fields": {}, "labels": LABELS.get(task_type),
            "metrics": [*TASK_TYPES[task_type].metrics], "about": ABOUT,
        }
    )  # fmt: skip
    return SuiteTask(card)


def there_and_back(task_type: str, answered_items: AnsweredItems) -> None:
    """The sums of all statistics survive."""
    suite_task = task(task_type)
    form = format_of(suite_task)
    texts = form.write(answered_items, suite_task)
    read_items = form.read(
        SubmissionFile(Path("labels"), texts.labels),
        SubmissionFile(Path("given"), texts.predictions),
        suite_task,
    )
    for metric in TASK_TYPES[task_type].metrics.values():
        old_sums, new_sums = (
            item_statistics(metric, items.examples, items.predictions, suite_task.card, "en").sum(
                axis=0
            )
            for items in (answered_items, read_items)
        )
        assert old_sums.tolist() == new_sums.tolist(), metric.name


@given(st.lists(st.tuples(label_indexes, label_indexes), min_size=1))
def test_labels(pairs: list[tuple[int, int]]) -> None:
    examples = [ClassificationExample(str(n), "x", None, gold) for n, (gold, _) in enumerate(pairs)]
    there_and_back("classification", AnsweredItems(examples, [answer for _, answer in pairs]))


@given(st.lists(st.tuples(label_indexes, label_indexes), min_size=1))
def test_choices(pairs: list[tuple[int, int]]) -> None:
    examples = [
        MultipleChoiceExample(str(n), "x", ("y", "z"), gold) for n, (gold, _) in enumerate(pairs)
    ]
    there_and_back("multiple_choice", AnsweredItems(examples, [answer for _, answer in pairs]))


tags = st.integers(0, 2)


@given(st.lists(st.lists(st.tuples(tags, tags), max_size=6), min_size=1))
def test_tags_even_of_sentences_without_words(sentences: list[list[tuple[int, int]]]) -> None:
    examples = [
        TaggingExample(str(n), ("w",) * len(items), tuple(gold for gold, _ in items))
        for n, items in enumerate(sentences)
    ]
    given_tags = [[answer for _, answer in items] for items in sentences]
    there_and_back("tagging", AnsweredItems(examples, given_tags))


@settings(deadline=None)  # the first answer waits until what tells languages apart is loaded
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9), words), min_size=1))
def test_answers(rows: list[tuple[str, str, str]]) -> None:
    examples = [
        ExtractiveQAExample(str(n), word, word, (GoldAnswer(gold, 0), GoldAnswer(word, -1)))
        for n, (gold, _, word) in enumerate(rows)
    ]
    there_and_back("extractive_qa", AnsweredItems(examples, [answer for _, answer, _ in rows]))


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
    for task_type in ("retrieval", "entity_linking"):
        there_and_back(task_type, AnsweredItems(examples, rankings))


@given(st.lists(st.tuples(ids, st.sampled_from(["", *"abcdefgh"])), min_size=1))
def test_pairs(rows: list[tuple[list[str], str]]) -> None:
    examples = [
        BitextMiningExample(f"s{n}", "x", tuple(golds)) for n, (golds, _) in enumerate(rows)
    ]
    there_and_back("bitext_mining", AnsweredItems(examples, [answer for _, answer in rows]))


def read(task_type: str, labels: str, predictions: str) -> AnsweredItems:
    suite_task = task(task_type)
    return format_of(suite_task).read(
        SubmissionFile(Path("labels"), labels),
        SubmissionFile(Path("given"), predictions),
        suite_task,
    )


@pytest.mark.parametrize(
    ("task_type", "labels", "predictions", "message"),
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
        ("retrieval", '{"m": ["x"], "n": []}', '{"m": []}', "there is no answer to 'n'"),
    ],
)
def test_broken_files(task_type: str, labels: str, predictions: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(task_type, labels, predictions)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "predictions", "right"),
    [
        ("0\n1\n", "00\n1\n", [0, 1]),  # official code compares texts
        ("199\n37\n", "130\n37\n", [0, 1]),  # the labels of a part of the sentences
        ("1\n0\n", "1\n0\n", [1, 1]),
    ],
)
def test_places_of_tatoeba(labels: str, predictions: str, right: list[int]) -> None:
    items = read("bitext_retrieval", labels, predictions)
    metric = TASK_TYPES["bitext_retrieval"].metrics["accuracy"]
    card = task("bitext_retrieval").card
    statistics = item_statistics(metric, items.examples, items.predictions, card, "en")
    assert statistics[:, 0].tolist() == right


@pytest.mark.parametrize(("name", "value"), [("mewslix", 0.5), ("lareqa", (0.5 + 2 / 3) / 2)])
def test_of_several_right_ids_the_first_counts_in_mewsli_x(name: str, value: float) -> None:
    suite_task = task("entity_linking", name)
    labels = SubmissionFile(
        Path("labels"), '{"m": [" Q2", "Q3"]}' if name == "mewslix" else '{"m": ["Q2", "Q3"]}'
    )
    predictions = SubmissionFile(Path("given"), '{"m": ["Q1", "Q2", "Q3"]}')
    items = format_of(suite_task).read(labels, predictions, suite_task)
    metric = TASK_TYPES["entity_linking"].metrics["map_at_20"]
    sums = item_statistics(metric, items.examples, items.predictions, suite_task.card, "en")
    assert sums[:, 0].tolist() == [pytest.approx(value)]


def test_a_mention_without_a_right_id_is_refused() -> None:
    suite_task = task("entity_linking", "mewslix")
    labels = SubmissionFile(Path("labels"), '{"m":\n []}')
    with pytest.raises(ConfigurationError, match="labels:1: 'm' has no right id"):
        format_of(suite_task).read(labels, labels, suite_task)


def test_labels_are_spelt_as_the_official_files_spell_them() -> None:
    suite_task = task("classification", "pawsx")
    examples = [ClassificationExample("0", "", None, 1), ClassificationExample("1", "", None, 0)]
    texts = format_of(suite_task).write(AnsweredItems(examples, [0, 0]), suite_task)
    assert (texts.labels, texts.predictions) == ("1\n0\n", "0\n0\n")


def test_tasks_go_by_their_cards_or_their_folders() -> None:
    tasks = {name: task("tagging", name) for name in ("wikiann", "udpos")}
    assert [*select_tasks(["panx"], tasks)] == ["wikiann"]
    assert [*select_tasks(["PAN-X", "UD-POS"], tasks)] == [*select_tasks([], tasks)]
    assert [*select_tasks(["wikiann", "udpos"], tasks)] == [*select_tasks([], tasks)]


def test_a_task_type_without_a_format_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="no file format for tasks of the type 'checklist'"
    ):
        format_of(task("checklist"))
