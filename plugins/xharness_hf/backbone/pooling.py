"""Pooling: one vector for each window from the hidden states of its sub-words."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from xharness_hf.backbone.batch import Batch

PoolingMode = Literal["mean", "first", "last"]


def pool(states: Tensor, batch: Batch, mode: PoolingMode) -> Tensor:
    """(windows, length, width) to (windows, width), in float32.

    An encoder's mean includes its specials, as XTREME's does. A decoder's leaves out what stands
    before the text: that state is an attention sink, its norm a hundred times the others', and
    the mean with it is nearly the same vector for every text.
    """
    states = states.float()
    if mode == "first":
        return states[:, 0]
    if mode == "last":
        last = batch.mask.sum(dim=1) - 1
        return states[torch.arange(len(states), device=states.device), last]
    weights = batch.content.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)
