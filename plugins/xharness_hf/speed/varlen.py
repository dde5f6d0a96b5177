"""Attention over windows that lie one after the other in one row, each attending to itself alone.

A CUDA device has kernels that read the windows' borders from its own memory, so that a captured
graph serves every batch. torch offers them with dropout only as operators of its own use: what
might change in another version stands in this module. Other devices compute the same through a
mask, for tests and for the way of computing a graph that does not exist there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

HALF = (torch.bfloat16, torch.float16)
_WIDEST = 256  # of a head, in the kernel for half precision
_CAUSAL = 1  # the other kernel's number for masks that begin in the upper left corner


def serves(width: int, dtype: torch.dtype) -> bool:
    """Whether a CUDA device's kernel takes heads of `width` in `dtype`."""
    return width % 8 == 0 and width <= _WIDEST if dtype in HALF else width % 4 == 0


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    borders: Tensor,
    longest: int,
    *,
    causal: bool,
    dropout: float = 0.0,
    scale: float | None = None,
    window: int | None = None,
) -> Tensor:
    """(n, heads, width) each, to (n, heads, width); keys may have fewer heads.

    `borders` (windows + 1,) in int32 are where windows begin, and the end of the last; no window is
    longer than `longest`. With `window`, a sub-word sees so many to its left, itself included, and
    as many to its right where attention is not causal.
    """
    if not query.is_cuda:
        return _masked(query, key, value, borders, causal, dropout, scale, window)
    if query.dtype in HALF:
        return _flash(query, key, value, borders, longest, causal, dropout, scale, window)
    return _efficient(query, key, value, borders, longest, causal, dropout, scale, window)


def _flash(
    query: Tensor, key: Tensor, value: Tensor, borders: Tensor, longest: int, causal: bool,
    dropout: float, scale: float | None, window: int | None,
) -> Tensor:  # fmt: skip
    reach = -1 if window is None else window - 1
    outputs: tuple[Tensor, ...] = torch.ops.aten._flash_attention_forward(
        query, key, value, borders, borders, longest, longest, dropout, causal, False,
        scale=scale, window_size_left=reach, window_size_right=0 if causal else reach,
    )  # fmt: skip
    return outputs[0]


def _efficient(
    query: Tensor, key: Tensor, value: Tensor, borders: Tensor, longest: int, causal: bool,
    dropout: float, scale: float | None, window: int | None,
) -> Tensor:  # fmt: skip
    if window is not None:  # torch's gradients of this operator forget the window
        raise NotImplementedError("no kernel for float32 learns with windows of attention")
    key, value = (_repeated(heads, query.shape[1]) for heads in (key, value))
    outputs: tuple[Any, ...] = torch.ops.aten._efficient_attention_forward(
        query[None], key[None], value[None], None, borders, borders, longest, longest, dropout,
        _CAUSAL if causal else 0, compute_log_sumexp=torch.is_grad_enabled(), scale=scale,
    )  # fmt: skip
    attended: Tensor = outputs[0][0]
    return attended


def _masked(
    query: Tensor, key: Tensor, value: Tensor, borders: Tensor, causal: bool,
    dropout: float, scale: float | None, window: int | None,
) -> Tensor:  # fmt: skip
    key, value = (_repeated(heads, query.shape[1]) for heads in (key, value))
    positions = torch.arange(len(query), device=query.device, dtype=borders.dtype)
    owners = torch.searchsorted(borders, positions, right=True)
    visible = owners[:, None] == owners[None, :]
    distance = positions[:, None] - positions[None, :]
    if causal:
        visible = visible & (distance >= 0)
    if window is not None:
        visible = visible & (distance.abs() < window)
    query, key, value = (heads.transpose(0, 1)[None] for heads in (query, key, value))
    attended = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=visible, dropout_p=dropout, scale=scale
    )
    return attended[0].transpose(0, 1)


def _repeated(heads: Tensor, count: int) -> Tensor:
    """As many heads as the queries have."""
    shared = count // heads.shape[1]
    return heads if shared == 1 else heads.repeat_interleave(shared, dim=1)
