"""Sentence vectors: pooled hidden states of one layer, of length 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness.extend import Recipe
from xharness_hf.bodies import Body
from xharness_hf.pooling import pool
from xharness_hf.reading import read
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Batch, Layout, Unit


def embed(
    body: Body, tokens: Tokens, layout: Layout, texts: Sequence[str], recipe: Recipe,
    device: torch.device,
) -> NDArray[np.float32]:  # fmt: skip
    """Vectors of shape (texts, width) by the recipe's `layer` and `pooling`; each text read once.

    Raises:
        StageError: the body has no such layer, or the device's memory does not hold one text.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    units = [
        Unit((tokens.single(ids, recipe.max_length),), place)
        for place, ids in enumerate(tokens.ids([*places]))
    ]

    def ask(states: Tensor, batch: Batch) -> list[NDArray[np.float32]]:
        vectors = torch.nn.functional.normalize(pool(states, batch, recipe.pooling))
        return list(vectors.cpu().numpy())

    found = read(body, units, layout, recipe, device, ask, body.place(recipe.layer))
    vectors = np.array(found, dtype=np.float32).reshape(len(found), body.width)
    return vectors[[places[text] for text in texts]]
