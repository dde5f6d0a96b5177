"""Shards: items that are answered in one flow over all languages, and stored a few at a time.

The shards that nobody has answered yet are handed to the model as it asks for them, which may be
ahead of its answers and in another thread; what is stored is stored here, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.executor.ask_model import ask_each
from xharness.executor.context import ProgressCounter
from xharness.executor.language_batches import LanguageBatch, cut
from xharness.files import make_folder
from xharness.plugin.api import Example, Model, Prediction, Recipe, TaskCard, TaskType
from xharness.store.parts import Parts
from xharness.store.tables import read_table, save_table

if TYPE_CHECKING:
    import pyarrow as pa

Tabulate = Callable[[TaskCard, Sequence[Example], Sequence[Prediction]], Any]
"""A table with one row for each item."""
KeepTables = Callable[[LanguageBatch, Iterator[Any]], None]
"""Keeps the tables of a batch of languages, one a shard."""


@dataclass(frozen=True)
class Shard:
    """Some items of a batch of languages, and where their answers are kept until it is whole."""

    batch: LanguageBatch
    first: int
    """The index of its first item."""
    count: int
    examples: Sequence[Example]
    """Its items; none where an earlier attempt answered them."""
    path: Path
    last: bool
    """Whether the batch ends here."""

    @property
    def stored(self) -> bool:
        """Whether an earlier attempt answered them."""
        return not self.examples


@dataclass(frozen=True)
class ShardedPrediction:
    """Answers batches of languages shard by shard with one model and recipe."""

    model: Callable[[], Model]
    task_type: TaskType
    recipe: Recipe
    size: int
    folder: Path
    parts: Parts
    counter: ProgressCounter

    def run(self, batches: Iterable[LanguageBatch], tabulate: Tabulate, keep: KeepTables) -> None:
        """Answer all batches; neighbours with the same card in one flow."""
        for _, neighbours in groupby(batches, key=lambda batch: batch.card):
            self._flow(neighbours, tabulate, keep)

    def _flow(self, batches: Iterable[LanguageBatch], tabulate: Tabulate, keep: KeepTables) -> None:
        pending: deque[Shard] = deque()
        # Closed even on an error: a model that reads ahead in a thread lets go of the data.
        with closing(self._unanswered(batches, pending)) as unanswered:
            first = next(unanswered, None)
            if first is not None:
                card = pending[-1].batch.card
                requests = chain([first], unanswered)
                answers = ask_each(self.model(), card, self.task_type, requests, self.recipe)
                for predictions in answers:
                    shard = self._stored_before(pending, keep)
                    # Written before the next answer: an interruption costs one shard at most.
                    with self.parts.write(shard.path) as partial:
                        save_table(partial, tabulate(card, shard.examples, predictions))
                    self._finish(shard, keep)
        for shard in pending:
            self._finish(shard, keep)

    def _unanswered(
        self, batches: Iterable[LanguageBatch], pending: deque[Shard]
    ) -> Generator[Sequence[Example], None, None]:
        """The items of each shard that is not stored; all shards are noted in `pending`."""
        for batch in batches:
            for shard in self._shards(batch):
                pending.append(shard)
                # Stored ones join the queue: a batch is whole only with all its shards.
                if not shard.stored:
                    yield shard.examples

    def _shards(self, batch: LanguageBatch) -> Iterator[Shard]:
        scratch = self.folder / batch.languages[0].data_slice.language
        make_folder(scratch)
        first = 0
        for examples, last in cut(batch.examples(), self.size):
            path, count = scratch / f"{first:09d}-{self.size}.parquet", len(examples)
            if self.parts.has(path) and _is_of(path, examples):
                examples = ()
            yield Shard(batch, first, count, examples, path, last)
            first += count

    def _stored_before(self, pending: deque[Shard], keep: KeepTables) -> Shard:
        """The shard that was just answered; those before it, which were stored, are finished."""
        while (shard := pending.popleft()).stored:
            self._finish(shard, keep)
        return shard

    def _finish(self, shard: Shard, keep: KeepTables) -> None:
        self.counter.add(shard.count)
        if shard.last:
            keep(shard.batch, self._tables(shard))

    def _tables(self, last_shard: Shard) -> Iterator[pa.Table]:
        """The batch's answers shard by shard, in the order of its items."""
        for first in range(0, last_shard.first + last_shard.count, self.size):
            yield read_table(last_shard.path.with_name(f"{first:09d}-{self.size}.parquet"))


def _is_of(path: Path, examples: Sequence[Example]) -> bool:
    """Whether the answers at `path` are to these items: a store may have been put together."""
    items = read_table(path, ["item"]).column("item").to_pylist()
    return bool(items == [example.id for example in examples])
