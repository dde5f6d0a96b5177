"""Task cards: what a task is, where its rows come from, and which split is scored.

One YAML file is one card. Prose lives under `about`; the expected row counts under `rows`; neither
can change an answer, and neither enters a digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from xharness.errors import suggestion
from xharness.spec.documents import Document
from xharness.spec.examination import Examination, validate
from xharness.spec.fields import Name, Prose, Strict, WebAddress
from xharness.spec.languages import LanguageCode
from xharness.spec.published import PublishedRecipe, PublishedResult
from xharness.spec.sound_parts import sound_document
from xharness.spec.sources import SourceSpec, Split, SplitName
from xharness.spec.verbalizer import Verbalizer

Role = Literal["target", "intermediate", "corpus"]


class About(Strict):
    """What people want to know of a task; never part of a digest."""

    title: Prose
    summary: Prose
    license: Prose = Field(description="SPDX identifier, or what the publisher says")
    citation: Prose = Field(description="authors, year, title; the paper to cite")
    homepage: WebAddress | None = None
    example: Prose | None = Field(default=None, description="one short item, made up")
    caveats: tuple[Prose, ...] = Field(
        default=(), description="what changes numbers when overlooked"
    )


class IndexSpec(Strict):
    """The candidates that the items of a retrieval task are answered from."""

    card: Name = Field(description="a card of the task type corpus")
    languages: Literal["own", "all"] = Field(
        default="own",
        description="own: each language has candidates of its own; all: one index of all of them",
    )


class TaskCard(Strict):
    """Everything the harness knows about one task."""

    name: Name
    aliases: tuple[Name, ...] = Field(
        default=(),
        description="what others call the task; case, '-', '_' and '.' make no difference",
    )
    task_type: str = Field(
        description="what the task asks: classification, multiple_choice, tagging, …"
    )
    role: Role
    groups: tuple[Name, ...] = Field(
        default=(), description="the groups it is in: [xtreme-r]; groups.yaml has their titles"
    )
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    source_language: LanguageCode | None = Field(
        default="en",
        description="the language the gap is measured from; null where no test set of it exists",
    )
    source_score_from: Name | None = Field(
        default=None,
        description="a card that asks the same in the source language and lends its score, for a "
        "task without a test set in it",
    )
    fields: dict[str, str | tuple[str, ...]] = Field(
        description="each field of the task type: a column, or a template such as '{premise} Why?'"
    )
    labels: tuple[str, ...] | Literal["from_data"] | None = Field(
        default=None,
        description="label names; an integer in the data is an index into this list. from_data: "
        "those that the data holds, sorted",
    )
    metrics: tuple[str, ...] = Field(
        default=(), description="the first one is the task's score; a corpus needs none"
    )
    eval_split: SplitName = Field(default="test", description="the split that is scored")
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
    threshold_split: SplitName | None = Field(
        default=None, description="mining: the split that the threshold is chosen on"
    )
    rows: dict[SplitName, int | dict[LanguageCode, int]] = Field(
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
    def _parts_fit(self) -> Self:
        self._check_unique_names()
        self._check_metrics()
        self._check_words_of_labels()
        self._check_joins()
        self._check_languages()
        return self

    def _check_unique_names(self) -> None:
        lists = {"labels": self.label_names, "languages": self.languages}
        lists |= {"groups": self.groups, "aliases": self.aliases}
        for key, names in lists.items():
            duplicate = next((name for name in names if names.count(name) > 1), None)
            if duplicate is not None:
                raise ValueError(f"'{duplicate}' stands twice in '{key}'")

    def _check_metrics(self) -> None:
        if self.role != "corpus" and not self.metrics:
            raise ValueError("'metrics' names none; only a corpus needs none")

    def _check_words_of_labels(self) -> None:
        verbalizer = self.verbalizer
        if verbalizer is None:
            return
        for name in (name for wording in verbalizer.wordings for name in wording.answers):
            if name not in self.label_names:
                hint = suggestion(name, self.label_names)
                raise ValueError(f"'verbalizer' has words for '{name}', no label; {hint}")
        # Only a classifier chooses among the words of all labels, so each needs some.
        if self.task_type == "classification":
            wordless = [label for label in self.label_names if label not in verbalizer.answers]
            if wordless:
                raise ValueError(f"'verbalizer.answers' has no words for '{wordless[0]}'")

    def _check_joins(self) -> None:
        if self.sources[0].join:
            raise ValueError("the first of 'sources' has none above that it could 'join'")

    def _check_languages(self) -> None:
        codes: Iterable[str] = [
            code for source in self.sources for code in (*source.codes, *(source.languages or ()))
        ]
        for code in codes:
            if code not in (*self.languages, self.source_language):
                hint = suggestion(code, self.languages)
                raise ValueError(f"'{code}' is not among the card's languages; {hint}")
        # Only a target has a gap; an intermediate task or a corpus leaves the key at its default.
        if self.role == "target" and self.source_language not in (None, *self.languages):
            raise ValueError("'source_language' must be among 'languages', or null")

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels in their order; none before those of `from_data` are read."""
        return self.labels if isinstance(self.labels, tuple) else ()

    @property
    def head_name(self) -> str:
        """The head that answers this task."""
        # XCOPA trains on SIQA, then on COPA, and is answered by the head that was trained last.
        return self.head or (self.train_on[-1] if self.train_on else self.name)

    def in_language(self, language: str) -> TaskCard:
        """This card with the words of one language: what a model that writes is handed."""
        if self.verbalizer is None:
            return self
        return self.model_copy(update={"verbalizer": self.verbalizer.in_language(language)})

    def sources_of(self, language: str, split: Split) -> tuple[SourceSpec, ...]:
        """The first source that serves `language` and `split`, and those that join it."""
        sources: list[SourceSpec] = []
        for source in self.sources:
            # Alternatives: the first that serves wins, with those marked `join` below it.
            if sources and not source.join:
                break
            if source.serves(language, split):
                sources.append(source)
        return tuple(sources)

    def has(self, language: str, split: Split) -> bool:
        """Whether the card says that there are rows of `language` in `split`."""
        languages = (*self.languages, self.source_language)
        return language in languages and bool(self.sources_of(language, split))

    def expected_rows(self, language: str, split: Split) -> int | None:
        """How many rows the publisher's data has, or None where the card does not say."""
        counts = self.rows.get(split)
        return counts.get(language) if isinstance(counts, dict) else counts

    def meaning(self) -> dict[str, Any]:
        """What, apart from the rows themselves, decides how an example reads: part of each key."""
        # Languages, metrics and prose stay out: an example reads the same whatever they say.
        return {
            "task_type": self.task_type,
            "fields": self.fields,
            "labels": self.labels,
            "head": self.head_name,
        }


class _Parts(TaskCard):
    """A card of which parts may be missing, and need not fit each other."""

    name: Name = "card"
    task_type: str = ""
    role: Role = "target"
    sources: tuple[SourceSpec, ...] = ()
    languages: tuple[LanguageCode, ...] = ()
    fields: dict[str, str | tuple[str, ...]] = Field(default={})
    about: About = About(title="", summary="", license="", citation="")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        return self


def sound_parts(
    document: Document, examination: Examination[TaskCard]
) -> tuple[TaskCard, Document]:
    """What of a card is right in itself, and the document of that alone."""
    sound = sound_document(document, examination)
    return validate(sound, _Parts), sound
