"""The source `numbers`: sentences of number words."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, Field

from xharness import Row, Source, SourceRequest, Strict, UnavailableError

_WORDS = {
    "en": ("one", "two", "three", "four", "five"),
    "de": ("eins", "zwei", "drei", "vier", "fünf"),
    "eo": ("unu", "du", "tri", "kvar", "kvin"),
}


class NumberOptions(Strict):
    count: int = Field(default=20, gt=0, description="rows in each split")


class NumberSource(Source):
    """Rows `{text, label}`; the label says whether there are more than four words."""

    name = "numbers"
    options: type[BaseModel] = NumberOptions

    def fingerprint(self, request: SourceRequest) -> str:
        if request.language not in _WORDS:
            raise UnavailableError(f"nobody here counts in '{request.language}'")
        return f"numbers-1-{request.language}-{request.split}-{request.options.count}"

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        shift = {"train": 0, "validation": 1, "test": 2}[request.split]
        words = _WORDS[request.language]
        for number in range(request.options.count):
            size = 1 + (number * 3 + shift) % 8
            text = " ".join(words[(number + index) % 5] for index in range(size))
            yield {"text": text, "label": int(size > 4)}
