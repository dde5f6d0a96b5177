"""Retrieval: sentence vectors, and the nearest neighbour of each by cosine."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xharness.extend import Recipe
from xharness_hf.bodies import Body
from xharness_hf.pooling import pool
from xharness_hf.reading import read
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Batch, Layout, Unit

_BLOCK = 1024  # queries compared at once


def embed(
    body: Body, tokens: Tokens, layout: Layout, texts: Sequence[str], recipe: Recipe,
    device: torch.device,
) -> Tensor:  # fmt: skip
    """Vectors of length 1, (texts, width) in float32 on the CPU; equal texts get equal ones."""
    distinct = list(dict.fromkeys(texts))
    units = [
        Unit((tokens.single(ids, recipe.max_length),), place)
        for place, ids in enumerate(tokens.ids(distinct))
    ]

    def ask(states: Tensor, batch: Batch) -> list[Tensor]:
        return list(torch.nn.functional.normalize(pool(states, batch, recipe.pooling)).cpu())

    layer = body.place(recipe.layer)
    vectors = read(body, units, layout, recipe, device, ask, layer)
    of = dict(zip(distinct, vectors, strict=True))
    return torch.stack([of[text] for text in texts]) if texts else torch.zeros(0, body.width)


def nearest(queries: Tensor, index: Tensor, device: torch.device) -> list[int]:
    """For each query the place of its nearest neighbour in `index`; both have unit rows."""
    index = index.to(device)
    places: list[int] = []
    for block in torch.split(queries, _BLOCK) if len(queries) else ():
        places += torch.argmax(block.to(device) @ index.T, dim=1).tolist()
    return places
