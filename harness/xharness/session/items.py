"""From a number to its items: what a stage was asked, what is right, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, StageError, UnavailableError, suggestion
from xharness.phrases import listed
from xharness.session.catalogue import open_catalogue
from xharness.session.environment import run_environment
from xharness.session.options import RunOptions
from xharness.spec.cards import TaskCard
from xharness.spec.languages import select_languages
from xharness.store import PREDICTIONS, Store
from xharness.store.tables import read_table
from xharness.task_types.base import Example, Prediction, TaskType
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.checklist import ChecklistExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQAExample
from xharness.task_types.multiple_choice import MultipleChoiceExample
from xharness.task_types.retrieval import RetrievalExample
from xharness.task_types.scoring import item_statistics
from xharness.task_types.tagging import TaggingExample

_RANKED = 3  # of a ranking, as many are told
NO_ANSWER = "(no answer)"
_AS_THE_RUN = "name what the run had with"


@dataclass(frozen=True)
class AnsweredItem:
    """One item and its answer, as people read them."""

    item: str
    language: str
    texts: Mapping[str, str]
    """What was asked, by the names that the task type has for it."""
    gold: str
    answer: str
    is_right: bool
    prompt: str | None = None
    """What a model that writes was given, before it is cut to what the model reads."""


@dataclass(frozen=True)
class StageItems:
    """The items of stages in a store, read again from the data that they were made from."""

    store: Store
    data: DataReader
    task_types: Mapping[str, TaskType]

    def languages(self, key: str) -> tuple[str, ...]:
        """The languages that the stage answered, in the order of its task's card.

        Raises:
            ConfigurationError: a stage without items.
        """
        folder = self.store.folder(self._predictions(key)) / PREDICTIONS
        # By the files: a language of the card that had no rows was never answered.
        answered = {path.stem for path in folder.glob("*.parquet")}
        card = self.task(key)
        return tuple(code for code in card.languages if code in answered)

    def chosen_languages(self, key: str, words: Sequence[str]) -> tuple[str, ...]:
        """The languages of the stage that `words` choose; all where there are no words.

        Raises:
            ConfigurationError: a word that chooses none.
        """
        languages = self.languages(key)
        for word in words:
            if not select_languages([word], languages):
                hint = suggestion(word, languages)
                raise ConfigurationError(f"this stage did not answer '{word}'", hint=hint)
        return select_languages(words, languages) if words else languages

    def task(self, key: str) -> TaskCard:
        """The card of the task that the stage answers.

        Raises:
            ConfigurationError: a stage without items, or no such card is known here.
        """
        label = self.store.receipt(self._predictions(key)).facts["label"]
        try:
            return self.data.card(label["task"])
        except ConfigurationError as error:
            hint = f"{_AS_THE_RUN} --cards" + (f"; {error.hint}" if error.hint else "")
            raise ConfigurationError(error.what, where=error.where, hint=hint) from None

    def items(self, key: str, language: str) -> list[AnsweredItem]:
        """The items in one language, in the order of the data.

        Raises:
            ConfigurationError: a stage without items, or a language that it did not answer.
            StageError: the data has changed since, or the stored answers have.
            UnavailableError: the data cannot be had.
        """
        languages, card = self.languages(key), self.task(key)
        if language not in languages:
            hint = suggestion(language, languages)
            raise ConfigurationError(f"this stage did not answer '{language}'", hint=hint)
        predictions_key = self._predictions(key)
        file = self.store.open(predictions_key) / PREDICTIONS / f"{language}.parquet"
        table = read_table(file)
        ids, answers = table.column("item").to_pylist(), table.column("prediction").to_pylist()
        facts = self.store.receipt(predictions_key).facts
        examples = self._examples(card, language, facts, ids)
        rightness = _rightness(self.task_types[card.task_type], card, language, examples, answers)
        prompted = bool(facts.get("prompted"))
        wording = ItemWording(card.in_language(language), examples)
        return [
            wording.item(example, answer, language, is_right=is_right, prompted=prompted)
            for example, answer, is_right in zip(examples, answers, rightness, strict=True)
        ]

    def _predictions(self, key: str) -> str:
        facts = self.store.receipt(key).facts
        if facts["stage"] == "score":
            return str(facts["predictions"])
        if facts["stage"] != "predict":
            raise ConfigurationError(
                f"a stage that does '{facts['stage']}' answers no items",
                where=key[:12],
                hint="name one that predicts or scores: xharness show FOLDER lists them",
            )
        return key

    def _examples(
        self, card: TaskCard, language: str, facts: Mapping[str, Any], ids: list[str]
    ) -> list[Example]:
        count = next(
            count
            for count in facts["data"]
            if (count["card"], count["language"]) == (card.name, language)
        )
        try:
            data_slice = self.data.data_slice(card, language, count["split"], None)
        except UnavailableError as error:
            hint = f"{_AS_THE_RUN} --data-root" + (f"\n  or {error.hint}" if error.hint else "")
            raise UnavailableError(error.what, where=error.where, hint=hint) from None
        # By their ids: what the run limited or drew need not be known.
        missing, examples = {*ids}, {}
        for example in self.data.stream(data_slice):
            examples[example.id] = example
            missing.discard(example.id)
            if not missing:
                break
        if missing:
            raise StageError(
                f"item '{min(missing)}' is no longer in the data",
                where=f"{card.name} {language} {count['split']}",
                hint=f"{_AS_THE_RUN} --data-root",
            )
        return [examples[item] for item in ids]


def _rightness(
    task_type: TaskType,
    card: TaskCard,
    language: str,
    examples: list[Example],
    answers: list[Prediction],
) -> list[bool]:
    """Whether each item is answered perfectly under the task's score."""
    metric = task_type.metrics[card.metrics[0]]
    statistics = item_statistics(metric, examples, answers, card, language)
    # An item's statistics are the sums over that item alone, so this is the score of each.
    values = metric.value(statistics)
    # An item that holds nothing to find, and in which nothing was, has a score of 0 on its own.
    return [
        bool(score >= 1 or not row.any()) for score, row in zip(values, statistics, strict=True)
    ]


@dataclass(frozen=True)
class ItemWording:
    """How a card's items and answers read."""

    card: TaskCard
    examples: list[Example]
    """All of the language: what is answered by a position is found among them."""

    def item(
        self, example: Example, answer: Prediction, language: str, *, is_right: bool, prompted: bool
    ) -> AnsweredItem:
        """One item with its answer."""
        texts = self.texts(example)
        verbalizer = self.card.verbalizer if prompted else None
        return AnsweredItem(
            example.id,
            language,
            texts,
            self.gold(example),
            NO_ANSWER if answer is None else self.answer(example, answer),
            is_right,
            None if verbalizer is None else verbalizer.prompt_text(texts),
        )

    def texts(self, example: Any) -> dict[str, str]:
        """What is asked."""
        match example:
            case ClassificationExample():
                texts = {"text": example.text, "pair": example.pair or ""}
            case MultipleChoiceExample():
                texts = {"prompt": example.prompt, "choices": " | ".join(example.choices)}
            case TaggingExample():
                texts = {"tokens": " ".join(example.tokens)}
            case ExtractiveQAExample():
                texts = {"question": example.question, "context": example.context}
            case ChecklistExample():
                texts = {
                    f"{name} {number}": text
                    for number, part in enumerate(example.parts, 1)
                    for name, text in self.texts(part).items()
                }
            case _:
                values = {name: getattr(example, name, None) for name in _field_names(example)}
                texts = {name: text for name, text in values.items() if isinstance(text, str)}
        return {name: text for name, text in texts.items() if text}

    def gold(self, example: Any) -> str:
        """What is right."""
        match example:
            case ClassificationExample() | MultipleChoiceExample() | TaggingExample():
                gold = example.tags if isinstance(example, TaggingExample) else example.label
                return self.answer(example, gold)
            case ExtractiveQAExample():
                answers = dict.fromkeys(gold.text for gold in example.answers)
                return " | ".join(answers) or NO_ANSWER
            case BitextExample():
                return example.target
            case BitextMiningExample():
                return " | ".join(example.matches) or NO_ANSWER
            case RetrievalExample():
                return example.relevant
            case ChecklistExample():
                return " / ".join(map(self.gold, example.parts))
        return ""

    def answer(self, example: Any, prediction: Prediction) -> str:
        """What was answered."""
        match example:
            case ClassificationExample():
                return self._label(prediction)
            case MultipleChoiceExample() if 0 <= prediction < len(example.choices):
                return example.choices[prediction]
            case TaggingExample():
                return " ".join(
                    token if self._label(tag) == "O" else f"{token}/{self._label(tag)}"
                    for token, tag in zip(example.tokens, prediction, strict=False)
                )
            case BitextExample():
                return self._targets.get(prediction, f"line {prediction}")
            case ChecklistExample():
                return " / ".join(text or NO_ANSWER for text in prediction)
        if isinstance(prediction, Mapping):
            return ", ".join(prediction["ranked"][:_RANKED])
        return str(prediction) or NO_ANSWER

    @cached_property
    def _targets(self) -> dict[int, str]:
        """Line to translation, gathered once for all items."""
        return {
            example.label: example.target
            for example in self.examples
            if isinstance(example, BitextExample)
        }

    def _label(self, index: int) -> str:
        names = self.card.label_names
        return names[index] if 0 <= index < len(names) else f"label {index}"


def _field_names(example: Any) -> list[str]:
    return [name for name in getattr(example, "__dataclass_fields__", ()) if name != "id"]


def open_items(options: RunOptions, store: Store, base: Path | None = None) -> StageItems:
    """The items of the stages in `store`, of which `options` say where cards and data are.

    Raises:
        ConfigurationError: a plugin, a folder of cards or a data root that is not there.
    """
    catalogue = open_catalogue(options.plugins, options.cards)
    environment = run_environment(options.data_root, base or Path.cwd(), offline=options.offline)
    task_types = {name: catalogue.task_types[name] for name in catalogue.task_types}
    return StageItems(store, DataReader(catalogue, environment), task_types)


def paired(stage_items: StageItems, keys: Sequence[str], language: str) -> list[dict[str, Any]]:
    """One row an item of the first stage, the answers of the others beside its own.

    Raises:
        ConfigurationError: the stages answer different tasks.
    """
    tasks = [stage_items.task(key).name for key in keys]
    if len({*tasks}) > 1:
        raise ConfigurationError(f"stages of one task have items in common, not of {listed(tasks)}")
    first, *others = [stage_items.items(key, language) for key in keys]
    answers = [{answered.item: answered for answered in items} for items in others]
    rows = []
    for answered in first:
        row = {"item": answered.item, "language": language, "right": answered.is_right}
        row |= {**answered.texts, "gold": answered.gold}
        if answered.prompt is not None:
            row["prompted with"] = answered.prompt
        row["answer"] = answered.answer
        for items in answers:
            if (other := items.get(answered.item)) is not None:
                row["against"] = f"{other.answer} ({'right' if other.is_right else 'wrong'})"
        rows.append(row)
    return rows
