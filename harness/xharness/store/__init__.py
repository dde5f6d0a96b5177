"""The store: a folder per stage key, complete when its receipt is there."""

from __future__ import annotations

from xharness.store.receipt import (
    RECEIPT,
    SCRATCH,
    WITHOUT_WEIGHTS,
    DamagedStageError,
    Receipt,
)
from xharness.store.store import FAILURE, MODEL, PREDICTIONS, Store

__all__ = [
    "FAILURE",
    "MODEL",
    "PREDICTIONS",
    "RECEIPT",
    "SCRATCH",
    "WITHOUT_WEIGHTS",
    "DamagedStageError",
    "Receipt",
    "Store",
]
