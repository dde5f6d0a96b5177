"""The source `mini`, as cards name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from xharness import Row, Source, SourceRequest, Strict, UnavailableError, digest, hookimpl


class MiniOptions(Strict):
    """Which rows to make."""

    task: str = Field(description="nli, topic, choice, pos, ner, qa, bitext or parallel")
    seed: int = 0
    sizes: dict[str, int] = Field(
        default={"train": 1000, "validation": 200, "test": 200}, description="rows of each split"
    )


class MiniSource(Source):
    """Small tasks in ten real languages, made on the spot from templates, lexicons and CLDR."""

    name = "mini"
    options: type[BaseModel] = MiniOptions

    def fingerprint(self, request: SourceRequest) -> str:
        options = request.options
        _check(request)
        row_options = [options.task, options.seed, options.sizes[request.split]]
        return digest([_content(), *row_options, request.language, request.split])

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        from xharness_mini.tasks import rows

        options: Any = request.options
        size = options.sizes.get(request.split, 0)
        try:
            yield from rows(
                options.task, request.language, request.split, seed=options.seed, size=size
            )
        except ValueError as error:
            raise UnavailableError(str(error)) from None


def _check(request: SourceRequest) -> None:
    """Know at plan time what `rows` would refuse."""
    from xharness_mini.tasks import TASKS, languages, splits

    options: Any = request.options
    checks = {"task": (options.task, TASKS)}
    if options.task in TASKS:
        checks["language"] = (request.language, languages(options.task))
        checks["split"] = (request.split, splits(options.task))
    for noun, (value, valid) in checks.items():
        if value not in valid:
            raise UnavailableError(
                f"mini has no {noun} '{value}' of '{options.task}'", expected=", ".join(valid)
            )
    if request.split not in options.sizes:
        raise UnavailableError(
            f"'sizes' gives no size for the split '{request.split}'",
            expected=", ".join(options.sizes),
        )


@cache
def _content() -> str:
    """A digest of the templates and lexicons: other words are other data."""
    folder = Path(__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yaml"})
    # This file says nothing of what the rows contain.
    sources = [path for path in files if path != Path(__file__)]
    return digest([[path.name, path.read_text(encoding="utf-8")] for path in sources])


@hookimpl
def xharness_sources() -> Iterable[Source]:
    return (MiniSource(),)
