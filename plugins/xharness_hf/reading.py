"""Reading: units through a body without learning, by length, in batches of so many sub-words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from xharness.extend import Recipe, StageError
from xharness_hf.bodies import Body
from xharness_hf.precision import computing
from xharness_hf.windows import Batch, Layout, Unit, collate

Read = Callable[[Tensor, Batch], Sequence[Any]]
"""Hidden states and their batch to one answer for each unit, off the device."""

_BUDGET = {"cpu": 4096}  # padded sub-words in a batch; more gains nothing on a CPU
_BUDGET_ELSEWHERE = 16384


@torch.inference_mode()
def read(
    body: Body,
    units: Sequence[Unit],
    layout: Layout,
    recipe: Recipe,
    device: torch.device,
    ask: Read,
    layer: int | None = None,
) -> list[Any]:
    """What `ask` answers for each unit, in the units' order.

    Raises:
        StageError: the device's memory does not hold a single unit.
    """
    body.module.eval()
    order = sorted(range(len(units)), key=lambda place: units[place].length, reverse=True)
    found: list[Any] = [None] * len(units)
    budget = _BUDGET.get(device.type, _BUDGET_ELSEWHERE)

    def run(places: Sequence[int]) -> None:
        try:
            with computing(device, recipe):
                batch = collate([units[place] for place in places], layout, device)
                answers = ask(body.states(batch, layer), batch)
        except torch.OutOfMemoryError:
            answers = None  # let go of the traceback and what it holds before trying again
        if answers is not None:
            for place, answer in zip(places, answers, strict=True):
                found[place] = answer
            return
        if len(places) == 1:
            raise StageError(
                f"{device} has not enough memory for one input of {units[places[0]].length} "
                "sub-words",
                hint="lower max_length, or choose another device",
            )
        run(places[: len(places) // 2])
        run(places[len(places) // 2 :])

    for places in _batches(order, units, budget):
        run(places)
    return found


def _batches(order: Sequence[int], units: Sequence[Unit], budget: int) -> Iterator[Sequence[int]]:
    """Stretches of `order`, longest units first, of at most `budget` padded sub-words."""
    first = rows = longest = 0
    for place, unit in enumerate(order):
        windows = len(units[unit].windows)
        if rows and (rows + windows) * longest > budget:
            yield order[first:place]
            first, rows, longest = place, 0, 0
        rows += windows
        longest = max(longest, units[unit].length)
    if rows:
        yield order[first:]
