"""Extractive question answering: a span of the context, or, as in SQuAD 2.0, that there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    AnswerRepairs,
    ConstantAnswer,
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    ratio,
)
from xharness.task_types.qa_metrics import METRICS, SQUAD2_METRICS


class _QuestionInContext(Protocol):
    @property
    def question(self) -> str: ...

    @property
    def context(self) -> str: ...


def _wrong_language(
    example: _QuestionInContext, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    """(wrong, n); an answer without letters, or in a language nobody can tell, does not count."""
    answer = str(prediction).strip()
    if not any(letter.isalpha() for letter in answer) or language not in _known_languages():
        return 0.0, 0.0
    # A span of the item is in its language, whatever a name or a number looks like.
    if answer in example.context or answer in example.question:
        return 0.0, 1.0
    # English in any case: models that were tuned on it drift into it (Chirkova et al. 2310.09917).
    candidates = frozenset({language, "en", *card.languages} & _known_languages())
    return float(identified(answer, candidates) != language), 1.0


@lru_cache(maxsize=4096)
def identified(text: str, candidates: frozenset[str]) -> str:
    """The likeliest of the candidate languages (langid.py, by py3langid)."""
    identifier = _identifier()
    # Among the card's languages alone: short answers look like anything among a hundred.
    identifier.set_languages(sorted(candidates))
    language, _ = identifier.classify(text)
    return str(language)


@cache
def _identifier() -> Any:
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)


@cache
def _known_languages() -> frozenset[str]:
    # The one identifier may still be narrowed to the candidates of an answer.
    identifier = _identifier()
    identifier.set_languages(None)
    return frozenset(identifier.nb_classes)


WRONG_LANGUAGE = Metric(
    "wrong_language",
    ("wrong", "n"),
    _wrong_language,
    ratio,
    "share of written answers in another language than the question's",
    lower_is_better=True,
    generated_only=True,
)


class GoldAnswer(NamedTuple):
    """A gold answer and the character it starts at; -1 where the context does not hold it."""

    text: str
    start: int
    moved: bool = False
    """Whether the data says that it starts elsewhere."""


@dataclass(frozen=True, slots=True)
class ExtractiveQAExample:
    """A question, the context that answers it, and the gold answers."""

    id: str
    question: str
    context: str
    answers: tuple[GoldAnswer, ...]


class ExtractiveQA(TaskType):
    """Which span of the context answers the question?"""

    name = "extractive_qa"
    fields: Mapping[str, bool] = MappingProxyType(
        {"question": True, "context": True, "answers": True}
    )
    prediction: PredictionShape = "text"
    metrics: Mapping[str, Metric] = MappingProxyType({**METRICS, "wrong_language": WRONG_LANGUAGE})

    def example(self, row: Row, item: str, card: TaskCard) -> ExtractiveQAExample:
        reader = Reader(card, row, item)
        context = reader.text("context")
        answers = gold_answers(reader.value("answers"), context, card, item)
        return ExtractiveQAExample(item, reader.text("question"), context, answers)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, ExtractiveQAExample) and any(
            answer.start >= 0 for answer in example.answers
        )

    def repairs(self, example: Example) -> AnswerRepairs:
        answers = example.answers if isinstance(example, ExtractiveQAExample) else ()
        return AnswerRepairs(sum(answer.moved for answer in answers), len(answers))

    def constant_answers(
        self, examples: Collection[ExtractiveQAExample]
    ) -> Iterable[ConstantAnswer]:
        return [lambda example: "", lambda example: example.context]


class ExtractiveQAUnanswerable(ExtractiveQA):
    """Which span of the context answers the question, if any? The prediction "" says: none.

    An empty list of answers means that there is none, and is learnt from; answers that the context
    does not hold are a fault of the data, and are not (Rajpurkar et al. 2018).
    """

    name = "extractive_qa_unanswerable"
    metrics: Mapping[str, Metric] = SQUAD2_METRICS

    def learnable(self, example: Example) -> bool:
        return super().learnable(example) or (
            isinstance(example, ExtractiveQAExample)
            and not any(answer.text for answer in example.answers)
        )


def gold_answers(value: Any, context: str, card: TaskCard, item: str) -> tuple[GoldAnswer, ...]:
    """The answers that a row lists, each where it really stands in the context.

    Raises:
        UnavailableError: these are not answers.
    """
    return tuple(_located(text, start, context) for text, start in _answers(value, card, item))


def _answers(value: Any, card: TaskCard, item: str) -> list[tuple[str, int]]:
    """Both public shapes: a mapping of lists, or a list of mappings."""
    try:
        # `datasets` makes a mapping of lists of what SQuAD's files hold as a list of mappings.
        if isinstance(value, Mapping):
            texts: Sequence[str] = value["text"]
            return [(str(t), int(s)) for t, s in zip(texts, value["answer_start"], strict=True)]
        return [(str(answer["text"]), int(answer["answer_start"])) for answer in value]
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(
            "these are not answers",
            where=f"card '{card.name}', item {item}",
            expected="{text: [...], answer_start: [...]}",
        ) from None


def _located(text: str, start: int, context: str) -> GoldAnswer:
    """The answer where it really stands: public copies strip contexts and keep old offsets.

    Of several occurrences the nearest is taken: what was stripped is short.
    """
    if not text:
        return GoldAnswer(text, -1)
    if start >= 0 and context.startswith(text, start):
        return GoldAnswer(text, start)
    offsets = (offset for offset in range(len(context)) if context.startswith(text, offset))
    nearest = min(offsets, key=lambda offset: abs(offset - start), default=-1)
    return GoldAnswer(text, nearest, moved=nearest >= 0)
