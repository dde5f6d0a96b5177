"""SQuAD-shaped JSON: articles with paragraphs with questions, as one row for each question.

XQuAD-R (Roy et al. 2020, LAReQA) marks the sentences of each paragraph too; they become rows of
their own, the candidates that its questions are answered from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xharness import Row, UnavailableError


def questions(data: Any, path: Path) -> Iterator[Row]:
    """Rows {id, title, context, question, answers}, `answers` a list of {text, answer_start}.

    Raises:
        UnavailableError: the file has another shape.
    """
    return _of_right_shape(_questions(data), path, "data, paragraphs, qas")


def sentences(data: Any, path: Path) -> Iterator[Row]:
    """Rows {id, text, sentence, context, answers}, one for each sentence that XQuAD-R marks.

    `id` is `<paragraph>.<sentence>`; `text` is the sentence and, right behind it, its whole
    paragraph, without line breaks, as the official code makes candidates; `answers` lists the ids
    of the questions whose first answer starts in it.

    Raises:
        UnavailableError: the file has another shape, or marks no sentences.
    """
    return _of_right_shape(_sentences(data), path, "data, paragraphs, qas, sentence_breaks")


def _questions(data: Any) -> Iterator[Row]:
    for title, paragraph in _paragraphs(data):
        for question in paragraph["qas"]:
            yield {
                "id": question["id"],
                "title": title,
                "context": paragraph["context"],
                "question": question["question"],
                "answers": question["answers"],
            }


def _sentences(data: Any) -> Iterator[Row]:
    for number, (_, paragraph) in enumerate(_paragraphs(data)):
        context = paragraph["context"]
        # LAReQA goes by the first answer alone, though development sets of SQuAD give several.
        starts = [
            (question["id"], question["answers"][0]["answer_start"])
            for question in paragraph["qas"]
        ]
        for index, (first, end) in enumerate(paragraph["sentence_breaks"]):
            sentence = context[first:end]
            yield {
                "id": f"{number}.{index}",
                # No blank between the two, as in the official code; the numbers hang on it.
                "text": (sentence + context).replace("\n", ""),
                "sentence": sentence,
                "context": context,
                "answers": [item for item, start in starts if first <= start < end],
            }


def _paragraphs(data: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each paragraph with the title of its article."""
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            yield article.get("title", ""), paragraph


def _of_right_shape(rows: Iterator[Row], path: Path, shape: str) -> Iterator[Row]:
    try:
        yield from rows
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UnavailableError(
            f"not SQuAD's shape ({type(error).__name__}: {error})",
            where=str(path),
            expected=f"nested {shape}",
        ) from None
