"""The store: a folder per stage key, complete when its receipt is there."""

from __future__ import annotations

from xharness.store.receipt import RECEIPT, WITHOUT_WEIGHTS, Receipt
from xharness.store.store import MODEL, SCRATCH, Store

__all__ = ["MODEL", "RECEIPT", "SCRATCH", "WITHOUT_WEIGHTS", "Receipt", "Store"]
