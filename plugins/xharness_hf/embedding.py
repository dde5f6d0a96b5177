"""Sentence vectors: windows are read once each, and what is made of them is of length 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness.extend import Recipe
from xharness_hf.bodies import Body
from xharness_hf.reading import read
from xharness_hf.vectors import Vectors
from xharness_hf.windows import Batch, Layout, Unit, Window


def embed(
    body: Body, layout: Layout, windows: Sequence[Window], vectors: Vectors, recipe: Recipe,
    device: torch.device,
) -> NDArray[np.float32]:  # fmt: skip
    """The windows' vectors, of shape (windows, width).

    Raises:
        StageError: the body has no such layer, or the device's memory does not hold one window.
    """
    units = [Unit((window,), place) for place, window in enumerate(windows)]

    def ask(states: Tensor, batch: Batch) -> list[NDArray[np.float32]]:
        return list(vectors.of(states, batch, recipe).cpu().numpy())

    layer = body.place(vectors.layer(recipe))
    found = read(body, units, layout, recipe, device, ask, layer)
    return np.array(found, dtype=np.float32).reshape(len(found), vectors.width(body))
