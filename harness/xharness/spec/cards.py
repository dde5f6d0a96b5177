"""Task cards: what a task is, where its rows come from, and which split is scored.

One YAML file is one card. Prose lives under `about`; the expected row counts under `rows`; neither
can change an answer, and neither enters a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from xharness.errors import suggestion
from xharness.spec import languages as _languages
from xharness.spec.documents import Strict

Role = Literal["target", "intermediate", "corpus"]
Split = Literal["train", "validation", "test"]
Size = Literal["base", "large"]
"""The two columns of published hyperparameters: as for mBERT, or as for XLM-R large."""


def refuse_truth_value(value: Any) -> Any:
    """Norwegian's code, unquoted, is a truth value to YAML 1.1."""
    if isinstance(value, bool):
        word = "no" if value is False else "yes"
        raise ValueError(
            f"a language code, not a truth value: YAML 1.1 reads a bare '{word}' as "
            f"{str(value).lower()}; put the code in quotes"
        )
    return value


def _language(value: Any) -> Any:
    refuse_truth_value(value)
    if isinstance(value, str) and not _languages.is_code(value):
        raise ValueError(f"'{value}' is not a language code such as 'en', 'sw' or 'zh'")
    return value


def _name(value: str) -> str:
    inner = value.replace("_", "").replace("-", "").replace(".", "")
    if not value.isascii() or not inner.isalnum() or value[0] == "." or value[-1] == ".":
        raise ValueError(
            f"'{value}' must be made of ASCII letters, digits, '_', '-' and, within it, '.'"
        )
    return value


LanguageCode = Annotated[str, BeforeValidator(_language)]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_name)]
"""A name that is safe as a file name on any system."""


class About(Strict):
    """What people want to know of a task; never part of a digest."""

    title: str
    summary: str
    license: str = Field(description="SPDX identifier, or what the publisher says")
    citation: str = Field(description="authors, year, title; the paper to cite")
    homepage: str | None = None
    example: str | None = Field(default=None, description="one short item, made up")
    caveats: tuple[str, ...] = Field(default=(), description="what changes numbers when overlooked")


class SourceSpec(BaseModel):
    """Where rows come from: the name of a source, its own options, and how splits are called.

    `{language}` expands to the language's code, `{code}` to what `codes` calls that language,
    everywhere in the source's own options, in `splits`, in `where` and in `unless`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    source: str = Field(alias="from", description="a source by name: hub, url, file, mini, …")
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="the languages served here; all of the card's when absent"
    )
    codes: dict[LanguageCode, str] = Field(
        default={}, description="what the source calls a language, where it is not its code"
    )
    splits: dict[Split, str] = Field(
        default={"train": "train", "validation": "validation", "test": "test"},
        description="what the source calls each split that it has",
    )
    filter: dict[str, str] = Field(
        default={}, description="keep the rows whose column matches this pattern (* and ?)"
    )
    exclude: dict[str, str] = Field(
        default={}, description="drop the rows whose column matches this pattern: {label: '-1'}"
    )
    join: bool = Field(
        default=False, description="its rows come after those of the source above, as one data set"
    )
    download_instructions: str | None = Field(
        default=None, description="for data that no address gives: what to put there, and how"
    )
    explode: str | None = Field(
        default=None,
        description="a column that lists things: one row for each, its columns beside the row's",
    )

    @property
    def source_options(self) -> dict[str, Any]:
        """What is left for the source itself to read."""
        return dict(self.model_extra or {})

    def serves(self, language: str, split: Split) -> bool:
        """Whether rows of `language` and `split` are looked for here."""
        return split in self.splits and (self.languages is None or language in self.languages)

    def expand(self, value: Any, language: str) -> Any:
        """`value` with `{language}` and `{code}` filled in, inside lists and mappings too."""
        if isinstance(value, str):
            code = self.codes.get(language, language)
            return value.replace("{language}", language).replace("{code}", code)
        if isinstance(value, list | tuple):
            return [self.expand(item, language) for item in value]
        if isinstance(value, dict):
            return {key: self.expand(item, language) for key, item in value.items()}
        return value


Rows = int | dict[LanguageCode, int]


class IndexSpec(Strict):
    """The candidates that the items of a retrieval task are answered from."""

    card: Name = Field(description="a card of the kind passage")
    languages: Literal["own", "all"] = Field(
        default="own",
        description="own: each language has candidates of its own; all: one pool of all of them",
    )


class PublishedRecipe(Strict):
    """How a published study trained on, or read, this task; recipe fields as in a study."""

    source: str = Field(description="the script or paper, with its commit or section")
    base: dict[str, Any] = Field(default={}, description="recipe fields, for models of any size")
    large: dict[str, Any] = Field(default={}, description="what differs for models of size large")

    def fields(self, size: Size) -> dict[str, Any]:
        """The recipe fields for a model of that size."""
        return {**self.base, **(self.large if size == "large" else {})}


class PromptWording(Strict):
    """What of a verbaliser differs in one language."""

    prompt: str | None = Field(default=None, description="a template over the kind's fields")
    answers: dict[str, str] = Field(default={}, description="words for each label")
    replace: dict[str, str] = Field(
        default={}, description="regular expressions, put in place in the prompt one after another"
    )

    @model_validator(mode="after")
    def _patterns_are_such(self) -> PromptWording:
        for pattern in self.replace:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
        return self


class Verbalizer(PromptWording):
    """How items are put into words, for models that read and write text and have no head.

    The answer follows the prompt and the separator. Classification answers with `answers`, choice
    with its choices, span questions with what the model writes.
    """

    prompt: str = Field(description="a template over the kind's fields: '{question} Answer:'")
    target_delimiter: str = Field(default=" ", description="between prompt and answer")
    fewshot_delimiter: str = Field(default="\n\n", description="between examples and what is asked")
    lowercase: bool = Field(default=False, description="answers begin with a small letter")
    languages: dict[LanguageCode, PromptWording] = Field(
        default={}, description="what differs in a language"
    )
    _language: str | None = PrivateAttr(default=None)

    @property
    def language(self) -> str | None:
        """What the items are in, whatever the words around them; None before `spoken`."""
        return self._language

    def in_language(self, language: str) -> Verbalizer:
        """The verbaliser of one language, in which nothing differs any more."""
        own = self.languages.get(language, PromptWording())
        found = self.model_copy(
            update={
                "prompt": own.prompt if own.prompt is not None else self.prompt,
                "answers": {**self.answers, **own.answers},
                "replace": {**self.replace, **own.replace},
                "languages": {},
            }
        )
        found._language = language
        return found

    @property
    def wordings(self) -> tuple[PromptWording, ...]:
        """Its own and that of each language."""
        return (self, *self.languages.values())


class PublishedResult(Strict):
    """A published result on this task, in points; what a reader compares a new number with."""

    model: str
    metric: str = Field(description="the metric as this harness calls it")
    score: float | None = Field(
        default=None, ge=0, le=100, description="the published mean over the languages"
    )
    scores: dict[LanguageCode, float] = Field(default={}, description="language by language")
    source: str = Field(description="where it is published")
    note: str | None = Field(default=None, description="what makes it hard to compare")


class TaskCard(Strict):
    """Everything the harness knows about one task."""

    name: Name
    task_type: str = Field(
        description="what the task asks: classification, choice, tagging, span, …"
    )
    role: Role
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    source_language: LanguageCode | None = Field(
        default="en",
        description="the language the gap is measured from; null where no test set of it exists",
    )
    fields: dict[str, str | tuple[str, ...]] = Field(
        description="each field of the kind: a column, or a template such as '{premise} Why?'"
    )
    labels: tuple[str, ...] | Literal["from_data"] | None = Field(
        default=None,
        description="label names; an integer in the data is an index into this list. from_data: "
        "those that the data holds, sorted",
    )
    metrics: tuple[str, ...] = Field(
        default=(), description="the first one is the task's score; a corpus needs none"
    )
    eval_split: Split = Field(default="test", description="the split that is scored")
    train_on: tuple[Name, ...] = Field(
        default=(), description="the cards whose English training sets come before this target"
    )
    head: Name | None = Field(
        default=None, description="cards that name one head share it; the card's own name if absent"
    )
    parallel: bool = Field(
        default=False, description="whether item i asks the same in every language"
    )
    index: IndexSpec | None = Field(
        default=None, description="retrieval, linking, mining: where the candidates are"
    )
    threshold_split: Split | None = Field(
        default=None, description="mining: the split that the threshold is chosen on"
    )
    rows: dict[Split, Rows] = Field(
        default={}, description="how many rows each split has, for all languages or for each"
    )
    verbalizer: Verbalizer | None = Field(
        default=None, description="how items are put into words for models without heads"
    )
    recipes: dict[Name, PublishedRecipe] = Field(
        default={}, description="published hyperparameters, for `recipe: NAME` in a study"
    )
    published_results: tuple[PublishedResult, ...] = ()
    about: About

    @model_validator(mode="after")
    def _labels_are_unique(self) -> TaskCard:
        labels = self.label_names
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"the label '{twice}' stands twice in 'labels'")
        return self

    @model_validator(mode="after")
    def _what_is_scored_has_a_metric(self) -> TaskCard:
        if self.role != "corpus" and not self.metrics:
            raise ValueError("'metrics' names none; only a corpus needs none")
        return self

    @model_validator(mode="after")
    def _every_label_has_words(self) -> TaskCard:
        spoken = self.verbalizer
        for name in (*spoken.answers, *self._other_words()) if spoken else ():
            if name not in self.label_names:
                hint = suggestion(name, self.label_names)
                raise ValueError(f"'verbaliser' has words for '{name}', no label; {hint}")
        if spoken and self.task_type == "classification":
            silent = next((one for one in self.label_names if one not in spoken.answers), None)
            if silent is not None:
                raise ValueError(f"'verbaliser.answers' has no words for '{silent}'")
        return self

    def _other_words(self) -> Iterable[str]:
        assert self.verbalizer is not None
        return (name for one in self.verbalizer.languages.values() for name in one.answers)

    @model_validator(mode="after")
    def _first_source_joins_none(self) -> TaskCard:
        if self.sources[0].join:
            raise ValueError("the first of 'sources' has none above that it could 'join'")
        return self

    @model_validator(mode="after")
    def _languages_agree(self) -> TaskCard:
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("a language stands twice in 'languages'")
        named: Iterable[str] = [
            code for source in self.sources for code in (*source.codes, *(source.languages or ()))
        ]
        for code in named:
            if code not in (*self.languages, self.source_language):
                hint = suggestion(code, self.languages)
                raise ValueError(f"'{code}' is not among the card's languages; {hint}")
        if self.role == "target" and self.source_language not in (None, *self.languages):
            raise ValueError("'source_language' must be among 'languages', or null")
        return self

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels in their order; none before those of `from_data` are known."""
        return self.labels if isinstance(self.labels, tuple) else ()

    @property
    def head_name(self) -> str:
        """The head that answers this task."""
        return self.head or (self.train_on[-1] if self.train_on else self.name)

    def in_language(self, language: str) -> TaskCard:
        """This card with the words of one language: what a model that writes is handed."""
        if self.verbalizer is None:
            return self
        return self.model_copy(update={"verbalizer": self.verbalizer.in_language(language)})

    def sources_of(self, language: str, split: Split) -> tuple[SourceSpec, ...]:
        """The first source that serves `language` and `split`, and those that join it."""
        found: list[SourceSpec] = []
        for one in self.sources:
            if found and not one.join:
                break
            if one.serves(language, split):
                found.append(one)
        return tuple(found)

    def has(self, language: str, split: Split) -> bool:
        """Whether the card says that there are rows of `language` in `split`."""
        known = (*self.languages, self.source_language)
        return language in known and bool(self.sources_of(language, split))

    def expected_rows(self, language: str, split: Split) -> int | None:
        """How many rows the publisher's data has, or None where the card does not say."""
        counts = self.rows.get(split)
        return counts.get(language) if isinstance(counts, dict) else counts

    def meaning(self) -> dict[str, Any]:
        """What, beside the rows themselves, decides how an example reads: part of every key."""
        return {
            "task_type": self.task_type,
            "fields": {name: _plain(value) for name, value in self.fields.items()},
            "labels": _plain(self.labels),
            "head": self.head_name,
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _member(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


class GroupMember(Strict):
    """A task of a group, in some of its languages."""

    task: Name
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="default: all of the card's"
    )


class TaskGroup(Strict):
    """A named group of tasks; a benchmark with an official score has families."""

    title: str
    tasks: tuple[Annotated[GroupMember, BeforeValidator(_member)], ...] = Field(min_length=1)
    families: dict[Name, tuple[Name, ...]] = Field(
        default={}, description="the task groups that a benchmark's official score averages"
    )

    @model_validator(mode="after")
    def _families_name_members(self) -> TaskGroup:
        members = {member.task for member in self.tasks}
        for family, tasks in self.families.items():
            for task in tasks:
                if task not in members:
                    hint = suggestion(task, members)
                    raise ValueError(f"family '{family}' names '{task}', no member; {hint}")
        return self


class TaskGroups(Strict):
    """The groups a study may name in place of a task (`task_cards/groups.yaml`)."""

    groups: dict[Name, TaskGroup]
