"""Pooling: one vector for each window from the hidden states of its sub-words."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from xharness_hf.backbone.batch import Batch

PoolingMode = Literal["mean", "first", "last"]


def pool(states: Tensor, batch: Batch, mode: PoolingMode) -> Tensor:
    """(windows, length, width) to (windows, width), in float32; as `placement.pooled`, of a batch.

    Which of an encoder's or a decoder's specials a mean leaves out is said there.
    """
    states = states.float()
    if mode == "first":
        return states[:, 0]
    if mode == "last":
        last = batch.mask.sum(dim=1) - 1
        return states[torch.arange(len(states), device=states.device), last]
    weights = batch.content.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)
