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
from xharness.executor.language_batches import LanguageItems, item_count
from xharness.files import make_folder
from xharness.plugin.api import Example, Model, Prediction, Recipe, TaskCard, TaskType
from xharness.store.parts import Parts
from xharness.store.tables import read_table, save_table

if TYPE_CHECKING:
    import pyarrow as pa

Batch = Sequence[LanguageItems]
Tabulate = Callable[[TaskCard, Sequence[Example], Sequence[Prediction]], Any]
"""A table with one row for each item."""
KeepTable = Callable[[Batch, Any], None]
"""Keeps the whole table of a batch of languages."""


@dataclass(frozen=True)
class Shard:
    """Some items of a batch of languages, and where their answers are kept until it is whole."""

    batch: Batch
    examples: Sequence[Example]
    path: Path
    stored: bool
    """Whether an earlier attempt answered them."""
    last: bool
    """Whether the batch ends here."""


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

    def run(self, batches: Iterable[Batch], tabulate: Tabulate, keep: KeepTable) -> None:
        """Answer all batches; neighbours with the same card in one flow."""
        for _, neighbours in groupby(batches, key=lambda batch: batch[0].card):
            self._flow(neighbours, tabulate, keep)

    def _flow(self, batches: Iterable[Batch], tabulate: Tabulate, keep: KeepTable) -> None:
        pending: deque[Shard] = deque()
        # Closed even on an error: a model that reads ahead in a thread lets go of the data.
        with closing(self._unanswered(batches, pending)) as unanswered:
            first = next(unanswered, None)
            if first is not None:
                card = pending[-1].batch[0].card
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
        self, batches: Iterable[Batch], pending: deque[Shard]
    ) -> Generator[Sequence[Example], None, None]:
        """The items of each shard that is not stored; all shards are noted in `pending`."""
        for batch in batches:
            for shard in self._shards(batch):
                pending.append(shard)
                # Stored ones join the queue: a batch is whole only with all its shards.
                if not shard.stored:
                    yield shard.examples

    def _shards(self, batch: Batch) -> Iterator[Shard]:
        scratch = self.folder / batch[0].data_slice.language
        make_folder(scratch)
        examples = [example for language in batch for example in language.examples]
        for first in range(0, len(examples), self.size):
            path = scratch / f"{first:09d}-{self.size}.parquet"
            shard_examples = examples[first : first + self.size]
            stored, last = self.parts.has(path), first + self.size >= len(examples)
            yield Shard(batch, shard_examples, path, stored, last)

    def _stored_before(self, pending: deque[Shard], keep: KeepTable) -> Shard:
        """The shard that was just answered; those before it, which were stored, are finished."""
        while (shard := pending.popleft()).stored:
            self._finish(shard, keep)
        return shard

    def _finish(self, shard: Shard, keep: KeepTable) -> None:
        self.counter.add(len(shard.examples))
        if shard.last:
            keep(shard.batch, self._table(shard))

    def _table(self, shard: Shard) -> pa.Table:
        """All of the batch's answers, in the order of its items."""
        import pyarrow as pa

        starts = range(0, item_count(shard.batch), self.size)
        paths = (shard.path.with_name(f"{start:09d}-{self.size}.parquet") for start in starts)
        return pa.concat_tables([read_table(path) for path in paths])
