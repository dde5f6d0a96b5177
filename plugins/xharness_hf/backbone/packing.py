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
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from xharness import Recipe
from xharness_hf.backbone.attached_adapter import AttachedAdapter
from xharness_hf.backbone.batch import Batch, Feature, Layout, Window, collate
from xharness_hf.backbone.placement import consecutive
from xharness_hf.backbone.precision import computing, default_precision
from xharness_hf.speed import varlen
from xharness_hf.speed.switches import is_on

NAME = "xharness_packed"
"""What transformers is to call attention in packs."""
_HARMLESS = frozenset({"position_ids", "cache_position"})
"""Tensors that attention may be handed and that change nothing about it."""
_ONE_SIDED_SPANS = ("sliding_window",)
"""What configurations call the number of sub-words that a layer sees to one side, its own too."""
_TWO_SIDED_SPANS = ("local_attention", "attention_window")
"""What they call the number that it sees to both sides together."""
# How far sums in another order move states by rounding in each format; a wrong mask does by more.
_TOLERANCES = {"fp32": 1e-4, "bf16": 5e-2, "fp16": 1e-2}


class _UnknownError(Exception):
    """Attention wants something that is not known here."""

    def __init__(self) -> None:
        super().__init__("attention wants masks, caps or biases")


@dataclass(frozen=True)
class PackedLengths:
    """Windows of a row for attention without a kernel of its own: neighbours of one length."""

    groups: tuple[tuple[int, int], ...]
    """(windows, length) of neighbours that have the same."""
    causal: bool
    calls: list[int] = field(default_factory=list)
    """One entry for each time that attention was asked."""


@dataclass(frozen=True)
class PackedRow:
    """Windows of a row for a device's kernel, which reads their borders from its own memory."""

    borders: Tensor
    """Where each window begins, and the end of the last: (windows + 1,) in int32."""
    longest: int
    """No window is longer."""
    causal: bool
    calls: list[int] = field(default_factory=list)
    """One entry for each time that attention was asked."""


class PackedBatch:
    """A batch in one row, and the way back."""

    def __init__(self, batch: Batch, causal: bool) -> None:
        lengths = np.array(
            [len(window.ids) for feature in batch.features for window in feature.windows]
        )
        # Falling, so that windows of one length are neighbours and the first is the longest.
        order = np.argsort(-lengths, kind="stable")
        self._shape = tuple(batch.ids.shape)
        starts = order * self._shape[1]
        self._indices = batch.on_device(consecutive(starts, lengths[order]))
        self.packs = _packs(lengths[order], causal, batch.ids.device)
        self._batch = batch
        self._positions_within = consecutive(np.zeros_like(starts), lengths[order])

    @cached_property
    def positions(self) -> Tensor:
        """The position of each sub-word in its window: (1, n)."""
        return self._batch.on_device(self._positions_within)[None]

    def row(self, padded: Tensor) -> Tensor:
        """(windows, length) to (1, n)."""
        return padded.flatten()[self._indices][None]

    def unpacked(self, states: Tensor) -> Tensor:
        """(1, n, width) to (windows, length, width), zeros where there is no sub-word."""
        rows, length = self._shape
        padded = states.new_zeros((rows * length, states.shape[-1]))
        return padded.index_copy(0, self._indices, states.squeeze(0)).view(rows, length, -1)


def _packs(
    lengths: NDArray[np.int64], causal: bool, device: torch.device
) -> PackedLengths | PackedRow:
    """Windows of descending lengths, as attention on `device` wants to know of them."""
    if device.type == "cuda":
        borders = torch.from_numpy(np.cumsum([0, *lengths]).astype(np.int32))
        return PackedRow(borders.to(device), int(lengths[0]), causal)
    # Of negative lengths, which come out in the falling order of the row.
    values, counts = np.unique(-lengths, return_counts=True)
    groups = zip(counts.tolist(), (-values).tolist(), strict=True)
    return PackedLengths(tuple(groups), causal)


class Packable(Protocol):
    """What packing has to know of a backbone."""

    module: Any
    reader: Any
    adapter: AttachedAdapter | None
    longest_packed: float

    @property
    def depth(self) -> int: ...

    @property
    def head_width(self) -> int: ...

    def padded(self, batch: Batch) -> Tensor: ...

    def packed(self, batch: Batch) -> tuple[Tensor, int]: ...


def reads_packed(backbone: Packable, longest: int, device: torch.device) -> bool:
    """Whether windows of at most `longest` sub-words are read in packs.

    Elsewhere than on a CPU only where the device has a kernel of its own for them.
    """
    # what stands in no text fills a prompt's or a prefix's places
    inserted = backbone.adapter is not None and backbone.adapter.positions > 0
    if longest > backbone.longest_packed or inserted or not is_on("packing"):
        return False
    has_autocast = torch.is_autocast_enabled(device.type)
    dtype = torch.get_autocast_dtype(device.type) if has_autocast else torch.float32
    has_kernel = device.type == "cuda" and varlen.serves(backbone.head_width, dtype)
    return device.type == "cpu" or has_kernel


def longest_packed(config: Any) -> float:
    """Sub-words of the longest windows of which every layer sees all; inf where nothing limits."""
    spans = [getattr(config, name, None) for name in _ONE_SIDED_SPANS]
    for span in (getattr(config, name, None) for name in _TWO_SIDED_SPANS):
        # Half of it lies to either side.
        spans.append(span // 2 if isinstance(span, int) else None)
    return min((span for span in spans if isinstance(span, int) and span > 0), default=np.inf)


def refusal(backbone: Packable, device: torch.device) -> str | None:
    """Why `backbone` is not read in packs; None where it gives the same states as padded."""
    if "position_ids" not in inspect.signature(backbone.reader.forward).parameters:
        return "it takes no positions"
    # ids that every vocabulary has; unequal lengths, as only such batches show a wrong mask
    windows = [Window(np.arange(5, 5 + length, dtype=np.int32), length - 1) for length in (4, 3, 4)]
    features = [Feature((window,), index) for index, window in enumerate(windows)]
    batch = collate(features, Layout(pad=0), device)
    precision = default_precision(device)
    reads = computing(backbone.module, device, Recipe(precision=precision))
    try:
        with _without_dropout(backbone.reader), torch.no_grad(), reads:
            padded = backbone.padded(batch)
            packed, num_calls = backbone.packed(batch)
    except Exception as error:  # what a family does not take, it says in its own way
        return f"{type(error).__name__}: {error}".strip().splitlines()[0]
    real = batch.mask.bool()
    packed_states, padded_states = packed[real].float(), padded[real].float()
    if num_calls != backbone.depth:
        return "its layers attend by functions of their own"
    is_close = torch.allclose(packed_states, padded_states, rtol=0, atol=_TOLERANCES[precision])
    return None if is_close else "packed windows give other states"


@contextmanager
def attending(reader: Any, implementation: str = NAME) -> Iterator[None]:
    """Inside it, `reader` attends by `attend`, or by what transformers knows by that name."""
    config = reader.config
    previous = config._attn_implementation
    config._attn_implementation = implementation
    try:
        yield
    finally:
        config._attn_implementation = previous


@contextmanager
def _without_dropout(module: torch.nn.Module) -> Iterator[None]:
    """Inside it, nothing drops out; afterwards every part is as it was."""
    dropping_parts = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in dropping_parts:
            part.training = True


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packs: PackedLengths | PackedRow,
    dropout: float = 0.0,
    scaling: float | None = None,
    softcap: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention in transformers' form: (1, heads, n, width) each, to (1, n, heads, width)."""
    foreign = [name for name, option in options.items() if isinstance(option, Tensor)]
    if attention_mask is not None or softcap is not None or {*foreign} - _HARMLESS:
        raise _UnknownError
    packs.calls.append(1)
    # Squeezed, not `[0]`: a select's gradient clears and copies a whole tensor, in each layer.
    rows = [heads.squeeze(0).transpose(0, 1) for heads in (query, key, value)]
    if isinstance(packs, PackedLengths):
        return _grouped(rows, packs, dropout, scaling)[None], None
    if torch.is_autocast_enabled(query.device.type):  # rotary positions leave float32
        half = torch.get_autocast_dtype(query.device.type)
        rows = [heads.to(half) for heads in rows]
    window = options.get("sliding_window")
    attended = varlen.attention(
        rows[0], rows[1], rows[2], packs.borders, packs.longest,
        causal=packs.causal, dropout=dropout, scale=scaling,
        window=window if window is not None and window < packs.longest else None,
    )  # fmt: skip
    return attended[None], None


def _grouped(
    rows: list[Tensor], packs: PackedLengths, dropout: float, scaling: float | None
) -> Tensor:
    """(n, heads, width): each group of windows of one length is an ordinary batch."""
    sizes = [count * length for count, length in packs.groups]
    grouped_heads = rows[0].shape[1] != rows[1].shape[1]
    split: Any = torch.split  # slices would each clear a gradient of the whole
    parts = zip(*(split(projection, sizes) for projection in rows), strict=True)
    states = []
    for (count, length), part in zip(packs.groups, parts, strict=True):
        query, key, value = (
            projection.view(count, length, *projection.shape[1:]).transpose(1, 2)
            for projection in part
        )
        attended = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=packs.causal, scale=scaling,
            enable_gqa=grouped_heads,
        )  # fmt: skip
        states.append(attended.transpose(1, 2).reshape(count * length, *rows[0].shape[1:]))
    return torch.cat(states)


# No function for masks: transformers then makes none, and asks no question about the batch.
AttentionInterface.register(NAME, attend)
