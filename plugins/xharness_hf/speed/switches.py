"""What makes it fast, one switch each: each can be left out, to measure what it gives.

XHARNESS_WITHOUT="matmul,buckets" leaves those two out. None changes what is computed, rounding
aside, but each way of computing has draws of its own where something drops out. A switch has the
name of the module or the class that it turns off.
"""

from __future__ import annotations

import os
from typing import Literal, get_args

from xharness import ConfigurationError, suggestion

Switch = Literal[
    "matmul",
    "packing",
    "dropout",
    "embedding_grad",
    "buckets",
    "fixed_step",
    "graphs",
    "active_rows",
    "joint_linear",
    "adamw_kernel",
    "residual_norm",
    "rms_norm",
]
"""matmul: oneDNN's matrix products where they are the faster ones.
packing: no padding is computed where a backbone reads packed windows.
dropout: 16 random bits an element on a CPU.
embedding_grad: gradients of embeddings in memory that is kept.
buckets: batches for reading cut where padding costs more than a batch does; see `inference`.
fixed_step: batches learnt in rows of fixed shapes on a GPU.
graphs: such steps are recorded and replayed.
active_rows: sub-words that a training never meets stay out of the optimiser.
joint_linear: linear layers that read the same states are one product on a GPU.
adamw_kernel: steps of AdamW, clipping and copies by one kernel on a GPU.
residual_norm: dropout, residual and norm by one kernel on a GPU.
rms_norm: norms of decoders by torch's kernel on a GPU."""

VARIABLE = "XHARNESS_WITHOUT"


def is_on(switch: Switch) -> bool:
    """Whether `switch` is not left out.

    Raises:
        ConfigurationError: the environment leaves out what there is not.
    """
    left_out = {name.strip() for name in os.environ.get(VARIABLE, "").split(",")} - {""}
    for name in sorted(left_out - {*get_args(Switch)}):
        raise ConfigurationError(
            f"there is no switch '{name}'", where=VARIABLE, hint=suggestion(name, get_args(Switch))
        )
    return switch not in left_out


def switched_on() -> list[Switch]:
    """All that are not left out; errors as those of `is_on`."""
    return [switch for switch in get_args(Switch) if is_on(switch)]
