"""The store: a folder per stage key, complete when its receipt is there."""

from __future__ import annotations

from xharness.store.receipt import RECEIPT, Receipt
from xharness.store.store import SCRATCH, Store

__all__ = ["RECEIPT", "SCRATCH", "Receipt", "Store"]
