"""The texts in an example of any kind: what a tokenizer is learnt from and words are masked in."""

from __future__ import annotations

from typing import Any

from xharness import (
    BitextExample,
    BitextMiningExample,
    ClassificationExample,
    ExtractiveQAExample,
    MultipleChoiceExample,
    PassageExample,
    RetrievalExample,
    TaggingExample,
)


def texts(example: Any) -> list[str]:
    """All non-empty texts of `example`, in a fixed order; none for a kind not known here."""
    match example:
        case BitextExample():
            found = [example.source, example.target]
        case ClassificationExample():
            found = [example.text, example.pair or ""]
        case MultipleChoiceExample():
            found = [example.prompt, *example.choices]
        case TaggingExample():
            found = [" ".join(example.tokens)]
        case RetrievalExample():
            found = [example.query, example.positive or ""]
        case PassageExample() | BitextMiningExample():
            found = [example.text]
        case ExtractiveQAExample():
            found = [example.question, example.context]
        case _:
            found = []
    return [text for text in found if text.strip()]
