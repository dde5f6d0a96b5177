"""How texts become vectors: which windows are read, and what is made of their hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from xharness import Recipe, TextRole
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch, Window
from xharness_hf.backbone.pooling import pool
from xharness_hf.backbone.tokens import Tokens


class Embedder(Protocol):
    """What `embed` asks, and what pairs are learnt by."""

    def windows(
        self, texts: Sequence[str], tokens: Tokens, role: TextRole, limit: int
    ) -> list[Window]:
        """One window for each text of a role, of `limit` sub-words at most."""
        ...

    def layer(self, recipe: Recipe) -> int:
        """The layer whose states are read, as `Backbone.layer_index` counts."""
        ...

    def width(self, backbone: Backbone) -> int:
        """Of a vector."""
        ...

    def vectors(self, states: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
        """(windows, length, width of the backbone) to vectors of length 1, in float32."""
        ...

    def to(self, device: torch.device) -> None:
        """Move what has weights."""
        ...

    def save(self, folder: Path) -> None:
        """Write what has to be said of it beside a model."""
        ...


class RecipeEmbedder:
    """Pooled hidden states by the recipe's `layer` and `pooling`; every role is read alike."""

    def windows(
        self, texts: Sequence[str], tokens: Tokens, role: TextRole, limit: int
    ) -> list[Window]:
        return [tokens.single(ids, limit) for ids in tokens.ids(texts)]

    def layer(self, recipe: Recipe) -> int:
        return recipe.layer

    def width(self, backbone: Backbone) -> int:
        return backbone.width

    def vectors(self, states: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
        return functional.normalize(pool(states, batch, recipe.pooling))

    def to(self, device: torch.device) -> None:
        """It has no weights."""

    def save(self, folder: Path) -> None:
        """Every recipe says it anew."""


RECIPE_EMBEDDER = RecipeEmbedder()
