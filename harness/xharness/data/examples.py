"""Examples that are read while somebody asks for them, once or as often as they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator

from xharness.data.counts import RowCount
from xharness.task_types.base import Example

MOST_HELD = 65_536
"""Examples that are held so as not to be read again."""


class ExampleStream:
    """Examples one by one; when all have been read, `count` says what was counted on the way."""

    count: RowCount

    def __init__(self, examples: Generator[Example, None, RowCount]) -> None:
        self._examples = examples

    def __iter__(self) -> Iterator[Example]:
        self.count = yield from self._examples


class RereadExamples(Collection[Example]):
    """Examples for several passes: few are held, more are read again for each, so memory is flat.

    `open_stream` begins to read them.
    """

    def __init__(self, open_stream: Callable[[], Iterable[Example]]) -> None:
        self._open_stream = open_stream
        self._held: list[Example] | None = None
        self._count: int | None = None

    def __iter__(self) -> Iterator[Example]:
        if self._held is not None:
            yield from self._held
            return
        held: list[Example] = []
        count = 0
        for count, example in enumerate(self._open_stream(), 1):
            if count <= MOST_HELD:
                held.append(example)
            elif held:
                held = []
            yield example
        self._count = count
        if count <= MOST_HELD:
            self._held = held

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __contains__(self, example: object) -> bool:
        return any(example == candidate for candidate in self)
