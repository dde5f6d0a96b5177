"""What can be learnt beside the English training sets: options that all strategies share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from xharness import (
    Changes,
    Checkpoint,
    ConfigurationError,
    DataSlice,
    Heads,
    LanguageCode,
    Mixture,
    Name,
    Route,
    Split,
    Strategy,
    Strict,
    TaskCard,
    TrainingFeed,
    TranslateTest,
    UnavailableError,
)

Languages = tuple[LanguageCode, ...]


class MlmOptions(Strict):
    """Masked-language-model batches between the supervised ones (Phang et al. 2020, section 4)."""

    corpus: Name = Field(description="a card whose texts are masked, of any task type")
    ratio: float = Field(gt=0, lt=1, description="share of all steps")
    languages: Languages | None = Field(
        default=None, min_length=1, description="default: all of the corpus"
    )


def _with_options(value: Any) -> Any:
    return {value: {}} if isinstance(value, str) else value


def _single_translator(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(value) != 1:
        raise ValueError("'published', or one translator with its options")
    return value


TranslatorChoice = Annotated[
    dict[str, dict[str, Any]], BeforeValidator(_with_options), AfterValidator(_single_translator)
]


class TranslationOptions(Strict):
    """Translated training sets, or test items that are translated before they are answered."""

    mode: Literal["train", "test"] = "train"
    languages: Languages | None = Field(
        default=None, min_length=1, description="into which; default: all the target is scored in"
    )
    using: TranslatorChoice = Field(
        alias="with",
        description="published: the cards' own training sets in those languages; else a "
        "translator, and its options",
    )

    @property
    def translator(self) -> str:
        """Its name; `published` where the translations are there already."""
        return next(iter(self.using))

    @property
    def options(self) -> dict[str, Any]:
        return self.using[self.translator]


class FewShotOptions(Strict):
    """A last stage on some examples in the target's languages (Lauscher et al. 2020)."""

    num_shots: int = Field(gt=0, description="examples a language, drawn by the seed")
    languages: Languages | None = Field(
        default=None,
        min_length=1,
        description="default: the target's, the source language left out",
    )
    split: Split = Field(default="validation", description="where they are drawn from")
    recipe: Changes = Field(default={}, description="recipe fields that differ for that stage")


class LearningOptions(Strict):
    """What is learnt beside the source-language training sets, and in which languages."""

    source_languages: Languages | None = Field(
        default=None,
        min_length=1,
        description="train on these; the study's `source_language` is still where the gap begins",
    )
    mlm: MlmOptions | None = None
    translate: TranslationOptions | None = None
    few_shot: FewShotOptions | None = None

    @property
    def card_names(self) -> tuple[str, ...]:
        """The cards that they name."""
        return () if self.mlm is None else (self.mlm.corpus,)

    def train(
        self,
        route: Route,
        start: Checkpoint,
        cards: Sequence[TaskCard],
        *,
        heads: Heads = "drop",
        mixture: Mixture | None = None,
        targets: Sequence[TaskCard] | None = None,
        dev_targets: Sequence[TaskCard] | None = None,
        selection: str | None = None,
    ) -> Checkpoint:
        """One stage on all of `cards`, with what the options put beside them.

        `targets`: in whose languages translations are wanted, by default the route's;
        `dev_targets` and `selection` as `Route.train` has them.
        """
        feeds = [self._feed(route, card, targets or [route.target]) for card in cards]
        return route.train(
            start,
            feeds,
            heads=heads,
            mixture=mixture,
            auxiliary=self._mlm_feeds(route),
            dev_targets=dev_targets,
            selection=selection,
        )

    def finish(
        self, route: Route, model: Checkpoint, *, heads: Heads = "drop"
    ) -> Checkpoint | TranslateTest:
        """`model` trained on the target's sets, one after the other, and what comes at the end."""
        for card in route.training_sets():
            model = self.train(route, model, [card], heads=heads)
            # The first set may drop the head; the next ones go on with it (XCOPA after Social IQa).
            heads = "keep"
        return self.end(route, model, [route.target])

    def end(
        self, route: Route, model: Checkpoint, targets: Sequence[TaskCard]
    ) -> Checkpoint | TranslateTest:
        """The last examples, and the language in which the model is asked."""
        # Last, so that nothing that is learnt after them covers the few examples.
        if self.few_shot is not None:
            model = self._train_on_shots(route, model, targets, self.few_shot)
        if self.translate is not None and self.translate.mode == "test":
            return TranslateTest(model, self._test_translator(), self.translate.options)
        return model

    def _feed(self, route: Route, card: TaskCard, targets: Sequence[TaskCard]) -> TrainingFeed:
        rows = tuple(route.rows(card, self.source_languages))
        # Test items are translated when the model is asked, not when it learns.
        if self.translate is None or self.translate.mode == "test":
            return route.feed(card, rows)
        return route.feed(card, (*rows, *self._translations(route, card, rows, targets)))

    def _translations(
        self,
        route: Route,
        card: TaskCard,
        rows: Sequence[DataSlice],
        targets: Sequence[TaskCard],
    ) -> Sequence[DataSlice]:
        translation = self.translate
        assert translation is not None
        row_languages = {data_slice.language for data_slice in rows}
        # The languages of all targets, so that one joint stage serves each of them.
        languages = [
            language
            for language in translation.languages or _scored_languages(route, targets)
            if language not in row_languages
        ]
        if translation.translator == "published":
            return _published_rows(
                route, card, languages, languages_named=translation.languages is not None
            )
        # Only rows of one language are translated; with several source languages the first.
        source_rows = [data_slice for data_slice in rows if data_slice.language == rows[0].language]
        return [
            data_slice
            for language in languages
            for data_slice in route.translated(
                source_rows, language, translation.translator, translation.options
            )
        ]

    def _test_translator(self) -> str:
        assert self.translate is not None
        if self.translate.translator == "published":
            raise ConfigurationError(
                "translate.with: test items are translated by a translator, not 'published'"
            )
        if self.translate.languages is not None:
            raise ConfigurationError(
                "translate.languages: test items are translated into the source language",
                hint="leave it out",
            )
        return self.translate.translator

    def _mlm_feeds(self, route: Route) -> list[tuple[TrainingFeed, float]]:
        if self.mlm is None:
            return []
        return [(route.corpus(self.mlm.corpus, self.mlm.languages), self.mlm.ratio)]

    def _train_on_shots(
        self, route: Route, model: Checkpoint, targets: Sequence[TaskCard], few_shot: FewShotOptions
    ) -> Checkpoint:
        """Trained further on a few examples of each target in its own languages."""
        feeds = []
        for card in targets:
            # A target that nothing is trained for is judged on the model as it is.
            if not route.training_sets(card):
                continue
            target_languages = (
                language for language in route.languages(card) if language != route.source_language
            )
            languages = few_shot.languages or tuple(target_languages)
            if not languages:
                continue
            rows = route.rows(card, languages, split=few_shot.split, sample=few_shot.num_shots)
            feeds.append(route.feed(card, rows))
        if not feeds:
            return model
        return route.train(
            model,
            feeds,
            heads="keep",
            # Proportional mixing would only follow how many languages a target has.
            mixture=Mixture("uniform"),
            dev_targets=targets,
            recipe=few_shot.recipe,
        )


class LearningStrategy(Strategy):
    """A strategy with these options."""

    options: type[BaseModel] = LearningOptions

    def card_names(self, options: Any) -> Sequence[str]:
        learning: LearningOptions = options
        return learning.card_names


def _published_rows(
    route: Route, card: TaskCard, languages: Sequence[str], *, languages_named: bool
) -> Sequence[DataSlice]:
    """The card's own rows in those of the languages that it has, in all that a study names."""
    # A language that the study names must be there; those it did not name may be missing.
    languages_at_hand = [
        language for language in languages if languages_named or card.has(language, "train")
    ]
    if languages and not languages_at_hand:
        raise UnavailableError(f"task '{card.name}' has no training set in another language")
    return route.rows(card, languages_at_hand) if languages_at_hand else ()


def _scored_languages(route: Route, targets: Sequence[TaskCard]) -> list[str]:
    """All languages that the targets are scored in."""
    return list(dict.fromkeys(language for card in targets for language in route.languages(card)))
