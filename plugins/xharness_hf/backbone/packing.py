"""Packing: a batch's windows one after the other, without padding, each attending to itself alone.

Linear layers, norms and activations then compute real sub-words only. Attention is asked of
neighbouring windows of one length together, without a mask, or of the device's own kernel for
sequences of many lengths. Whether a backbone can be read like that is found out by reading, not by
its name; where it cannot, batches are padded, to the same states.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface

from xharness import Recipe
from xharness_hf.backbone.attached_adapter import AttachedAdapter
from xharness_hf.backbone.batch import Batch, Feature, Layout, Window, collate
from xharness_hf.backbone.precision import computing
from xharness_hf.speed.switches import wanted

NAME = "xharness_packed"
"""What transformers is to call attention in packs."""
_HALF = (torch.bfloat16, torch.float16)
_HARMLESS = frozenset({"position_ids", "cache_position"})
"""Tensors that attention may be handed and that change nothing about it."""
_BACK = ("sliding_window",)
"""What configurations call the number of sub-words that a layer sees to one side, its own too."""
_AROUND = ("local_attention", "attention_window")
"""What they call the number that it sees to both sides."""
_CLOSE = {"fp32": 1e-4, "bf16": 5e-2}


class _UnknownError(Exception):
    """Attention wants something that is not known here."""


@dataclass(frozen=True)
class PackedLengths:
    """Where the windows of a packed row lie: (windows, length) of neighbours of one length."""

    groups: tuple[tuple[int, int], ...]
    causal: bool
    calls: list[int]
    """One entry for each time that attention was asked."""

    def borders(self, device: torch.device) -> Tensor:
        """Where each window begins, and the end of the last: (windows + 1,) in int32."""
        lengths = [length for count, length in self.groups for _ in range(count)]
        return torch.tensor([0, *np.cumsum(lengths)], dtype=torch.int32, device=device)

    @property
    def longest(self) -> int:
        return max(length for _, length in self.groups)


class PackedBatch:
    """A batch in one row, and the way back."""

    def __init__(self, batch: Batch, causal: bool) -> None:
        lengths = np.array(
            [len(window.ids) for feature in batch.features for window in feature.windows]
        )
        order = np.argsort(-lengths, kind="stable")
        self._shape = tuple(batch.ids.shape)
        starts = order * self._shape[1]
        self._places = batch.on_device(_spread(starts, lengths[order]))
        values, counts = np.unique(-lengths, return_counts=True)
        groups = zip(counts.tolist(), (-values).tolist(), strict=True)
        self.packs = PackedLengths(tuple(groups), causal, [])
        self._batch = batch
        self._within = _spread(np.zeros_like(starts), lengths[order])

    @cached_property
    def positions(self) -> Tensor:
        """The position of each sub-word in its window: (1, n)."""
        return self._batch.on_device(self._within)[None]

    def row(self, padded: Tensor) -> Tensor:
        """(windows, length) to (1, n)."""
        return padded.flatten()[self._places][None]

    def back(self, states: Tensor) -> Tensor:
        """(1, n, width) to (windows, length, width), zeros where there is no sub-word."""
        rows, length = self._shape
        found = states.new_zeros((rows * length, states.shape[-1]))
        return found.index_copy(0, self._places, states[0]).view(rows, length, -1)


def _spread(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """start, start + 1, ... for each start, as many as its length says."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(starts - ends + lengths, lengths)


class Packable(Protocol):
    """What packing has to know of a backbone."""

    module: Any
    reader: Any
    adapter: AttachedAdapter | None
    reach: float

    @property
    def depth(self) -> int: ...

    def padded(self, batch: Batch) -> Tensor: ...

    def packed(self, batch: Batch) -> tuple[Tensor, int]: ...


def worth(backbone: Packable, longest: int, device: torch.device) -> bool:
    """Whether windows of at most `longest` sub-words are read in packs.

    Elsewhere than on a CPU only where the device's own kernel serves: half precision, and no
    dropout.
    """
    filled = (
        backbone.adapter is not None and backbone.adapter.positions > 0
    )  # with what stands in no text
    if longest > backbone.reach or filled or not wanted("packing"):
        return False
    half = torch.is_autocast_enabled(device.type)
    return device.type == "cpu" or (half and not torch.is_grad_enabled())


def reach(config: Any) -> float:
    """How long windows may be of which every layer sees all."""
    found = [getattr(config, name, None) for name in _BACK]
    for one in (getattr(config, name, None) for name in _AROUND):
        found.append(one // 2 if isinstance(one, int) else None)
    return min((one for one in found if isinstance(one, int) and one > 0), default=np.inf)


def packable(backbone: Packable, device: torch.device) -> bool:
    """Whether `backbone` gives the same states for packed windows as for padded ones."""
    if "position_ids" not in inspect.signature(backbone.reader.forward).parameters:
        return False
    few = [Window(np.arange(5, 5 + length, dtype=np.int32), length - 1) for length in (4, 3, 4)]
    features = [Feature((window,), place) for place, window in enumerate(few)]
    batch = collate(features, Layout(pad=0), device)
    precision: Literal["fp32", "bf16"] = "fp32" if device.type == "cpu" else "bf16"
    reads = computing(backbone.module, device, Recipe(precision=precision))
    try:
        with _asleep(backbone.reader), torch.no_grad(), reads:
            padded = backbone.padded(batch)
            packed, asked = backbone.packed(batch)
    except Exception:  # what a family does not take, it says in its own way
        return False
    real = batch.mask.bool()
    ours, theirs = packed[real].float(), padded[real].float()
    return asked == backbone.depth and torch.allclose(ours, theirs, rtol=0, atol=_CLOSE[precision])


@contextmanager
def attending(reader: Any, how: str = NAME) -> Iterator[None]:
    """Inside it, `reader` attends by ours, or by whatever transformers calls `how`."""
    config = reader.config
    before = config._attn_implementation
    config._attn_implementation = how
    try:
        yield
    finally:
        config._attn_implementation = before


@contextmanager
def _asleep(module: torch.nn.Module) -> Iterator[None]:
    """Inside it, nothing drops out; afterwards every part is as it was."""
    awake = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in awake:
            part.training = True


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packs: PackedLengths,
    dropout: float = 0.0,
    scaling: float | None = None,
    softcap: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention in transformers' form: (1, heads, n, width) each, to (1, n, heads, width)."""
    foreign = [name for name, one in more.items() if isinstance(one, Tensor)]
    if attention_mask is not None or softcap is not None or {*foreign} - _HARMLESS:
        raise _UnknownError
    packs.calls.append(1)
    rows = [one[0].transpose(0, 1) for one in (query, key, value)]
    if query.is_cuda and query.dtype in _HALF and dropout == 0:
        return _varlen(rows, packs, scaling)[None], None
    return _grouped(rows, packs, dropout, scaling)[None], None


def _grouped(
    rows: list[Tensor], packs: PackedLengths, dropout: float, scaling: float | None
) -> Tensor:
    """(n, heads, width): each group of windows of one length is an ordinary batch."""
    sizes = [count * length for count, length in packs.groups]
    alike = rows[0].shape[1] == rows[1].shape[1]
    split: Any = torch.split  # slices would each clear a gradient of the whole
    parts = zip(*(split(one, sizes) for one in rows), strict=True)
    found = []
    for (count, length), some in zip(packs.groups, parts, strict=True):
        query, key, value = (
            one.view(count, length, *one.shape[1:]).transpose(1, 2) for one in some
        )
        said = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=packs.causal, scale=scaling,
            enable_gqa=not alike,
        )  # fmt: skip
        found.append(said.transpose(1, 2).reshape(count * length, *rows[0].shape[1:]))
    return torch.cat(found)


def _varlen(rows: list[Tensor], packs: PackedLengths, scaling: float | None) -> Tensor:
    """(n, heads, width), by the device's kernel for sequences of many lengths."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (one.contiguous() for one in rows)
    borders, longest = packs.borders(query.device), packs.longest
    found = varlen_attn(
        query, key, value, borders, borders, longest, longest, scale=scaling,
        window_size=(-1, 0 if packs.causal else -1), enable_gqa=query.shape[1] != key.shape[1],
    )  # fmt: skip
    assert isinstance(found, Tensor)
    return found


def _no_mask(*args: Any, **kwargs: Any) -> None:
    """Packed windows need no mask."""


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, _no_mask)
