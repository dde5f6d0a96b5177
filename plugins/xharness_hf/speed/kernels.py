"""What is computed by other means than torch's own choice, where those are faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xharness_hf.speed.dropout import dropping
from xharness_hf.speed.matmul import products


@contextmanager
def faster(device: torch.device) -> Iterator[None]:
    """Inside it, matrix products and dropout by whatever is fastest on `device`."""
    with products(device), dropping(device):
        yield
