"""What makes it fast, trick by trick: each can be left out, to measure what it gives.

XHARNESS_WITHOUT="products,stretches" leaves those two out. No trick changes what is computed,
rounding aside, but each way of computing has draws of its own where something drops out.
"""

from __future__ import annotations

import os
from typing import Literal, get_args

from xharness import ConfigurationError, suggestion

Trick = Literal[
    "products",
    "packing",
    "dropout",
    "lookups",
    "stretches",
    "rows",
    "graphs",
    "active_rows",
    "joint",
    "adamw_kernel",
    "residual_norm",
]
"""products: oneDNN's matrix products where they are the faster ones; see `matmul`.
packing: no padding is computed where a backbone reads packed windows; see `packing`.
dropout: 16 random bits an element on a CPU; see `dropout`.
lookups: gradients of embeddings in memory that is kept; see `embedding_grad`.
stretches: batches for reading cut where padding costs more than a batch does; see `inference`.
rows: batches learnt in rows of fixed shapes on a GPU; see `fixed_step`.
graphs: such steps are recorded and replayed; see `graphs`.
active_rows: sub-words that a training never meets stay out of the optimiser; see
`working_weights`.
joint: linear layers that read the same states are one product on a GPU; see `joint_linear`.
adamw_kernel: steps of AdamW, clipping and copies by one kernel on a GPU; see `adamw_kernel`.
residual_norm: dropout, residual and norm by one kernel on a GPU; see `residual_norm`."""

VARIABLE = "XHARNESS_WITHOUT"


def wanted(trick: Trick) -> bool:
    """Whether `trick` is in use.

    Raises:
        ConfigurationError: the environment leaves out what there is not.
    """
    left_out = {name.strip() for name in os.environ.get(VARIABLE, "").split(",")} - {""}
    for name in sorted(left_out - {*get_args(Trick)}):
        raise ConfigurationError(
            f"there is no trick '{name}'", where=VARIABLE, hint=suggestion(name, get_args(Trick))
        )
    return trick not in left_out


def in_use() -> list[Trick]:
    """All that are not left out; errors as those of `wanted`."""
    return [trick for trick in get_args(Trick) if wanted(trick)]
