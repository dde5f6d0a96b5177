"""What is computed by other means than torch's own choice, where those are faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xharness_hf.speed.dropout import fast_dropout
from xharness_hf.speed.matmul import fast_matmul


@contextmanager
def fast_kernels(device: torch.device) -> Iterator[None]:
    """Inside it, matrix products and dropout by whatever is fastest on `device`."""
    with fast_matmul(device), fast_dropout(device):
        yield
