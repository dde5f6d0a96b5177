"""Where a batch's windows lie among its hidden states, and how much room its arrays have.

Losses look states up by numbers that the host writes beforehand. In a layout of fixed shapes the
arrays are longer than the batch needs; what fills them up is computed and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness_hf.backbone.batch import Batch, Feature, Layout
from xharness_hf.backbone.pooling import PoolingMode

Longs = NDArray[np.int64]
IGNORED = -100
"""The gold of what fills up: torch's cross-entropy leaves it out."""


class Capacity(NamedTuple):
    """How many of each thing the arrays of a batch hold."""

    tokens: int
    """Hidden states."""
    windows: int
    features: int
    marks: int
    """Positions at which a feature asks something."""
    choices: int
    """Windows of one feature."""
    length: int
    """Sub-words of one window."""


@dataclass(frozen=True)
class Placement:
    """Windows among hidden states of shape (tokens, width): window i from `starts[i]` on."""

    starts: Longs
    lengths: Longs
    capacity: Capacity
    skip: int
    """Leading sub-words of a window that mean pooling leaves out."""

    def pooling(self, mode: PoolingMode) -> dict[str, Longs]:
        """What `pooled` reads."""
        windows = self.capacity.windows
        if mode == "first":
            return {"pooled": filled(self.starts, windows)}
        if mode == "last":
            return {"pooled": filled(self.starts + self.lengths - 1, windows)}
        # a window of nothing but a prompt is pooled whole
        skips = np.where(self.lengths > self.skip, self.skip, 0)
        counts = self.lengths - skips
        owners = np.full(self.capacity.tokens, -1, dtype=np.int64)
        owners[consecutive(self.starts + skips, counts)] = np.repeat(np.arange(len(counts)), counts)
        return {"owners": owners, "counts": filled(counts, windows, 1)}


@dataclass(frozen=True)
class Targets:
    """What a loss looks at and what it expects there, beside the states."""

    arrays: Mapping[str, Tensor]
    batch: Batch | None = None
    """The windows padded to one length, where the states are theirs."""

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name]


def pooled(states: Tensor, targets: Targets) -> Tensor:
    """One vector for each window from (tokens, width): (windows, width) in float32.

    An encoder's mean includes its specials, as XTREME's does. A decoder's leaves out what stands
    before the text: that state is an attention sink, its norm a hundred times the others', and
    the mean with it is nearly the same vector for every text.
    """
    if "pooled" in targets.arrays:
        return states.index_select(0, targets["pooled"]).float()
    owners, counts = targets["owners"], targets["counts"]
    windows = torch.arange(len(counts), device=owners.device)
    # a product, because sums by index add in an order that varies on a device
    with torch.autocast(states.device.type, enabled=False):
        members = (owners[None, :] == windows[:, None]).float()
        return members @ states.float() / counts[:, None]


def filled(values: Any, size: int, filler: int = 0) -> Longs:
    """`values` followed by as many of `filler` as make `size` numbers."""
    array = np.full(size, filler, dtype=np.int64)
    array[: len(values)] = values
    return array


def consecutive(starts: Longs, lengths: Longs) -> Longs:
    """start, start + 1, ... for each start, as many as its length says."""
    ends = np.cumsum(lengths)
    # Counting on from 0, each stretch shifted from where the count has come to where it begins.
    return np.arange(ends[-1]) + np.repeat(starts - ends + lengths, lengths)


def padded_placement(
    features: Sequence[Feature], layout: Layout, marks: int, length: int | None = None
) -> Placement:
    """The windows one a row, padded to the longest or to `length`: as much room as there is need.

    The states of an encoder-decoder are those of its answers, in rows of a length of their own.
    """
    windows = [window for feature in features for window in feature.windows]
    lengths = np.array([len(window.ids) for window in windows], dtype=np.int64)
    longest = int(lengths.max()) if length is None else length
    choices = max(len(feature.windows) for feature in features)
    count = len(windows)
    room = Capacity(count * longest, count, len(features), marks, choices, longest)
    return Placement(np.arange(count) * longest, lengths, room, layout.skip)
