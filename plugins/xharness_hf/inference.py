"""Features through a backbone without learning, by length, in batches of so many sub-words.

Sorted by length, features are read in batches of as much as memory or cache should hold. Where
padding is computed, they are cut into buckets first, so that it and the batches' own cost are
least together.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from xharness import Recipe, StageError
from xharness_hf.backbone import packing
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature, Layout, collate
from xharness_hf.backbone.precision import autocast, halved
from xharness_hf.speed.matmul import fast_matmul
from xharness_hf.speed.switches import is_on

Item = TypeVar("Item")
Read = Callable[[Tensor, Batch], DeviceAnswers | Sequence[Any]]
"""Hidden states and their batch to one answer for each feature."""

_BUDGET = {"cpu": 2048}  # padded sub-words in a batch: what a CPU's cache holds the states of
_BUDGET_ELSEWHERE = 65_536  # as many as make computing longer than launching
_COST = {"cpu": 64}  # what a batch costs by itself, in sub-words that could be read meanwhile
_COST_ELSEWHERE = 4096  # launching the kernels of all layers takes a device that long
_AHEAD = 2  # shards whose features are made while others are answered


def read(
    backbone: Backbone,
    features: Sequence[Feature],
    layout: Layout,
    recipe: Recipe,
    device: torch.device,
    ask: Read,
    layer: int | None = None,
) -> list[Any]:
    """What `ask` answers for each feature, in the features' order.

    Raises:
        StageError: the device's memory does not hold a single feature.
    """
    with FeatureReader(backbone, layout, recipe, device, layer) as reader:
        return reader.read(features, ask).result()


class FeatureReader:
    """Reads features through a backbone; as a context, its weights are cast once for all."""

    def __init__(
        self,
        backbone: Backbone,
        layout: Layout,
        recipe: Recipe,
        device: torch.device,
        layer: int | None = None,
    ) -> None:
        self._backbone, self._layout, self._layer = backbone, layout, layer
        self._recipe, self._device = recipe, device
        self._weights = ExitStack()

    @property
    def waits(self) -> bool:
        """Whether reading ends before its answers are asked for, as on a CPU."""
        return self._device.type != "cuda"

    def __enter__(self) -> FeatureReader:
        backbone = self._backbone
        backbone.module.eval()
        self._weights.enter_context(halved(backbone.module, self._recipe, backbone.tables))
        return self

    def __exit__(self, *error: object) -> None:
        self._weights.close()

    @torch.inference_mode()
    def read(self, features: Sequence[Feature], ask: Read) -> PendingAnswers:
        """Have the device read all features; what it answers is waited for by `result`.

        Raises:
            StageError: the device's memory does not hold a single feature.
        """
        backbone, device = self._backbone, self._device
        order = sorted(range(len(features)), key=lambda index: features[index].length, reverse=True)
        pending = PendingAnswers(len(features))
        with autocast(device, self._recipe), fast_matmul(device):
            for first, last in _buckets(order, features, backbone, device):
                for indices in _batches(order[first:last], features, backbone, device):
                    self._run(indices, features, ask, pending)
        return pending

    def _run(
        self, indices: Sequence[int], features: Sequence[Feature], ask: Read,
        pending: PendingAnswers,
    ) -> None:  # fmt: skip
        try:
            batch = collate([features[index] for index in indices], self._layout, self._device)
            pending.add(indices, ask(self._backbone.states(batch, self._layer), batch))
            return
        except torch.OutOfMemoryError:
            pass  # let go of the traceback and what it holds before trying again
        longest = features[indices[0]].length
        if len(indices) == 1:
            raise StageError(
                f"{self._device} has not enough memory for one input of {longest} sub-words",
                hint="lower max_length, or choose another device",
            )
        self._backbone.room[longest] = _padded(indices, features) // 2
        half = len(indices) // 2
        self._run(indices[:half], features, ask, pending)
        self._run(indices[half:], features, ask, pending)


class PendingAnswers:
    """Answers of batches that the device may still be computing."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._batches: list[tuple[Sequence[int], Callable[[], Sequence[Any]]]] = []

    def add(self, indices: Sequence[int], answers: DeviceAnswers | Sequence[Any]) -> None:
        """Answers of the features at `indices`; those on a device set out for the host."""
        if not isinstance(answers, DeviceAnswers):
            self._batches.append((indices, lambda: answers))
        elif not answers.values.is_cuda:
            self._batches.append((indices, answers.result))
        else:
            self._batches.append((indices, _sent(answers)))

    def result(self) -> list[Any]:
        """The answers in the features' order, once the device has them all."""
        ordered: list[Any] = [None] * self._count
        for indices, answers in self._batches:
            for index, answer in zip(indices, answers(), strict=True):
                ordered[index] = answer
        return ordered


def _sent(answers: DeviceAnswers) -> Callable[[], Sequence[Any]]:
    """One transfer into pinned memory, which nothing waits for; called, it does."""
    values = answers.values
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    host.copy_(values, non_blocking=True)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record()

    def result() -> Sequence[Any]:
        arrived.synchronize()
        return answers.decoded(host.numpy())

    return result


def read_each(
    reader: FeatureReader,
    shards: Iterable[tuple[Any, Sequence[Feature]]],
    ask: Read,
) -> Iterator[tuple[Any, Sequence[Feature], list[Any]]]:
    """Each shard's (name, features) with its answers; the next ones are read meanwhile.

    On a CPU shards are made and read in turn: there is nobody beside it to make them.
    """
    if reader.waits:
        for name, features in shards:
            yield name, features, reader.read(features, ask).result()
        return
    waiting: deque[tuple[Any, Sequence[Feature], PendingAnswers]] = deque()
    with closing(ahead(shards, _AHEAD)) as ready:
        for name, features in ready:
            waiting.append((name, features, reader.read(features, ask)))
            if len(waiting) == _AHEAD:
                name, features, pending = waiting.popleft()
                yield name, features, pending.result()
    for name, features, pending in waiting:
        yield name, features, pending.result()


def ahead(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    """The items, drawn by a thread that is at most `depth` of them ahead; its errors are raised."""
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    closed = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> bool:
        while not closed.is_set():
            # Waiting with an end, so that a reader that has gone away is noticed.
            with suppress(queue.Full):
                ready.put((item, error), timeout=0.1)
                return True
        return False

    def draw() -> None:
        try:
            for item in items:
                if not put(item, None):
                    return
            put(None, StopIteration())
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=draw, name="xharness-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield cast(Item, item)
    finally:
        closed.set()
        thread.join()


def _buckets(
    order: Sequence[int], features: Sequence[Feature], backbone: Backbone, device: torch.device
) -> list[tuple[int, int]]:
    """(first, last) of buckets of `order`, longest features first, that cost least together.

    A bucket costs its padded sub-words and those that could be read while a batch begins. Only
    where the length changes can a cut be worth it: a shortest path over the lengths there are.
    Nothing is padded in packs, so there it is one bucket.
    """
    if not order or not is_on("buckets"):
        return [(0, len(order))]
    if packing.reads_packed(backbone, features[order[0]].length, device):
        return [(0, len(order))]
    lengths = np.array([features[index].length for index in order])
    rows = np.cumsum([0, *(len(features[index].windows) for index in order)])
    # The first index of each length; the number put in front makes the very first count.
    cuts = np.flatnonzero(np.diff(lengths, prepend=lengths[0] + 1))
    cost = _COST.get(device.type, _COST_ELSEWHERE)
    ends = np.append(cuts[1:], len(order))
    least, previous = np.zeros(len(cuts) + 1), np.zeros(len(cuts), dtype=np.int64)
    # `least[i]`: the cost of the i longest lengths; `previous[i]`: where their last bucket begins.
    for cut, end in enumerate(ends):
        starts = cuts[: cut + 1]
        costs = least[: cut + 1] + (rows[end] - rows[starts]) * lengths[starts] + cost
        previous[cut] = np.argmin(costs)
        least[cut + 1] = costs[previous[cut]]
    buckets, cut = [], len(cuts)
    while cut:
        first = int(previous[cut - 1])
        buckets.append((int(cuts[first]), int(ends[cut - 1])))
        cut = first
    return buckets[::-1]


def _batches(
    order: Sequence[int], features: Sequence[Feature], backbone: Backbone, device: torch.device
) -> Iterator[Sequence[int]]:
    """Parts of `order`, longest features first, each of as many padded sub-words as fit."""
    budget = _BUDGET.get(device.type, _BUDGET_ELSEWHERE)
    first = 0
    while first < len(order):
        longest = features[order[first]].length
        room = min(
            [
                budget,
                *(most_rows for length, most_rows in backbone.room.items() if length <= longest),
            ]
        )
        rows, last = 0, first
        while last < len(order):
            rows += len(features[order[last]].windows)
            if last > first and rows * longest > room:
                break
            last += 1
        yield order[first:last]
        first = last


def _padded(order: Sequence[int], features: Sequence[Feature]) -> int:
    return sum(len(features[index].windows) for index in order) * features[order[0]].length
