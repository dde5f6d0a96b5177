"""Vectors of texts, computed in blocks that survive an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from xharness.digests import digest
from xharness.errors import StageError
from xharness.files import whole
from xharness.plugin.api import Model, Recipe, TextRole
from xharness.task_types.neighbours import Matrix, VectorBlocks

_ROWS = 16_384  # texts in a block, at most: what an interruption may cost
_BYTES = 2**28  # of a block, at most


class CachedEncoder:
    """Turns texts into vectors with one model; blocks lie in `folder`, named by their texts.

    So a block is computed once, however often it is needed: for another language, or by a later
    attempt.
    """

    def __init__(self, model: Callable[[], Model], recipe: Recipe, folder: Path) -> None:
        self._model, self._recipe, self._folder = model, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, texts: Iterable[str], role: TextRole) -> VectorBlocks:
        """The vectors of `texts`, in order; queries are cut at the recipe's `max_query_length`.

        Raises:
            StageError: the model gave something else than a finite vector for each text.
        """
        length = self._recipe.max_query_length if role == "query" else None
        recipe = self._recipe.changed({"max_length": length}) if length else self._recipe
        blocks = self._text_blocks(iter(texts))
        return VectorBlocks([self._block(block, recipe, role) for block in blocks])

    def _text_blocks(self, texts: Iterator[str]) -> Iterator[list[str]]:
        while block := list(islice(texts, self._rows)):
            yield block

    @cached_property
    def _rows(self) -> int:
        """Texts in a block; the model is asked how wide its vectors are."""
        (vector,) = self._embed(["a"], self._recipe, "sentence")
        return max(1, min(_ROWS, _BYTES // (4 * len(vector))))

    def _block(self, texts: list[str], recipe: Recipe, role: TextRole) -> Path:
        path = self._folder / f"{digest([recipe.max_length, texts, role])}.npy"
        if not path.is_file():
            with whole(path) as partial, partial.open("wb") as file:
                np.save(file, self._embed(texts, recipe, role))
        return path

    def _embed(self, texts: list[str], recipe: Recipe, role: TextRole) -> Matrix:
        return _checked(self._model().embed(texts, recipe, role), len(texts))


def _checked(vectors: Matrix, count: int) -> Matrix:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != count:
        raise StageError(f"vectors of shape {vectors.shape} for {count} texts")
    if not np.isfinite(vectors).all():
        raise StageError("vectors that are not finite", hint="precision: fp32 may help")
    return vectors
