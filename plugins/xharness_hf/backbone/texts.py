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
            parts = [example.source, example.target]
        case ClassificationExample():
            parts = [example.text, example.pair or ""]
        case MultipleChoiceExample():
            parts = [example.prompt, *example.choices]
        case TaggingExample():
            parts = [" ".join(example.tokens)]
        case RetrievalExample():
            parts = [example.query, example.positive or ""]
        case PassageExample() | BitextMiningExample():
            parts = [example.text]
        case ExtractiveQAExample():
            parts = [example.question, example.context]
        case _:
            parts = []
    return [text for text in parts if text.strip()]
