"""Features through a backbone without learning, by length, in batches of so many sub-words.

Sorted by length, features are read in batches of as much as memory or cache should hold. Where
padding is computed, they are cut into stretches first, so that it and the batches' own cost are
least together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xharness import Recipe, StageError
from xharness_hf.backbone import packing
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, Feature, Layout, collate
from xharness_hf.backbone.precision import computing
from xharness_hf.speed.matmul import products
from xharness_hf.speed.switches import wanted

Read = Callable[[Tensor, Batch], Sequence[Any]]
"""Hidden states and their batch to one answer for each feature, off the device."""

_BUDGET = {"cpu": 2048}  # padded sub-words in a batch: what a CPU's cache holds the states of
_BUDGET_ELSEWHERE = 16384
_COST = {"cpu": 64}  # what a batch costs by itself, in sub-words that could be read meanwhile
_COST_ELSEWHERE = 4096


@torch.inference_mode()
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
    backbone.module.eval()
    order = sorted(range(len(features)), key=lambda place: features[place].length, reverse=True)
    found: list[Any] = [None] * len(features)

    def run(places: Sequence[int]) -> None:
        try:
            batch = collate([features[place] for place in places], layout, device)
            answers = ask(backbone.states(batch, layer), batch)
        except torch.OutOfMemoryError:
            answers = None  # let go of the traceback and what it holds before trying again
        if answers is not None:
            for place, answer in zip(places, answers, strict=True):
                found[place] = answer
            return
        longest = features[places[0]].length
        if len(places) == 1:
            raise StageError(
                f"{device} has not enough memory for one input of {longest} sub-words",
                hint="lower max_length, or choose another device",
            )
        backbone.room[longest] = _padded(places, features) // 2
        run(places[: len(places) // 2])
        run(places[len(places) // 2 :])

    with computing(backbone.module, device, recipe), products(device):
        for first, last in _stretches(order, features, backbone, device):
            for places in _batches(order[first:last], features, backbone, device):
                run(places)
    return found


def _stretches(
    order: Sequence[int], features: Sequence[Feature], backbone: Backbone, device: torch.device
) -> list[tuple[int, int]]:
    """(first, last) of stretches of `order`, longest features first, that cost least together.

    A stretch costs its padded sub-words and those that could be read while a batch begins. Only
    where the length changes can a cut be worth it: a shortest path over the lengths there are.
    Nothing is padded in packs, so there it is one stretch.
    """
    if not order or not wanted("stretches"):
        return [(0, len(order))]
    if packing.worth(backbone, features[order[0]].length, device):
        return [(0, len(order))]
    lengths = np.array([features[place].length for place in order])
    rows = np.cumsum([0, *(len(features[place].windows) for place in order)])
    cuts = np.flatnonzero(np.diff(lengths, prepend=lengths[0] + 1))
    cost = _COST.get(device.type, _COST_ELSEWHERE)
    ends = np.append(cuts[1:], len(order))
    least, before = np.zeros(len(cuts) + 1), np.zeros(len(cuts), dtype=np.int64)
    for place, end in enumerate(ends):
        starts = cuts[: place + 1]
        costs = least[: place + 1] + (rows[end] - rows[starts]) * lengths[starts] + cost
        before[place] = np.argmin(costs)
        least[place + 1] = costs[before[place]]
    found, place = [], len(cuts)
    while place:
        first = int(before[place - 1])
        found.append((int(cuts[first]), int(ends[place - 1])))
        place = first
    return found[::-1]


def _batches(
    order: Sequence[int], features: Sequence[Feature], backbone: Backbone, device: torch.device
) -> Iterator[Sequence[int]]:
    """Parts of `order`, longest features first, each of as many padded sub-words as fit."""
    budget = _BUDGET.get(device.type, _BUDGET_ELSEWHERE)
    first = 0
    while first < len(order):
        longest = features[order[first]].length
        room = min([budget, *(most for at, most in backbone.room.items() if at <= longest)])
        rows, last = 0, first
        while last < len(order):
            rows += len(features[order[last]].windows)
            if last > first and rows * longest > room:
                break
            last += 1
        yield order[first:last]
        first = last


def _padded(places: Sequence[int], features: Sequence[Feature]) -> int:
    return sum(len(features[place].windows) for place in places) * features[places[0]].length
