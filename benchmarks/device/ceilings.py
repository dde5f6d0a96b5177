"""What the device can do at most, and from it the floors of training and prediction."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.measurement import synchronize

_REPEATS = 10
_BYTES_UPDATED = 28
"""AdamW reads weight, gradient and two moments and writes weight and moments, in float32."""
_BATCH = 16_384
"""Sub-words for which prediction reads the weights once."""


@dataclass(frozen=True)
class Ceilings:
    """Measured rates of a device, and the sizes of the backbone that is run on it."""

    operations: float
    """Of products a second, in the run's precision."""
    copied_bytes: float
    """Read and written a second."""
    parameters: int
    table_parameters: int
    """Of them in the table of sub-words, which costs no products."""

    def training_seconds(self, tokens: float, steps: float) -> float:
        """6 operations a parameter outside the table and sub-word; an update a step."""
        operations = 6 * (self.parameters - self.table_parameters) * tokens
        update = steps * _BYTES_UPDATED * self.parameters
        return operations / self.operations + update / self.copied_bytes

    def prediction_seconds(self, tokens: float) -> float:
        """2 operations a parameter outside the table and sub-word; 2 bytes of it a batch."""
        backbone = self.parameters - self.table_parameters
        weights = 2 * backbone * math.ceil(tokens / _BATCH)
        return 2 * backbone * tokens / self.operations + weights / self.copied_bytes


def measure_ceilings(device: str, precision: str, model: Path, tiny: bool) -> Ceilings:
    """Ceilings for the backbone in the folder `model`."""
    size = 256 if tiny else 8192
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    matrix = torch.randn(size, size, device=device, dtype=dtype)
    operations = 2 * size**3 / _seconds(lambda: matrix @ matrix, device)
    source = torch.empty(2**20 if tiny else 2**30, dtype=torch.int32, device=device)
    target = torch.empty_like(source)
    moved = 2 * source.numel() * source.element_size()
    copied_bytes = moved / _seconds(lambda: target.copy_(source), device)
    return Ceilings(operations, copied_bytes, *_parameters(model))


def _seconds(work: Callable[[], object], device: str) -> float:
    for _ in range(3):
        work()
    synchronize(device)
    started = time.perf_counter()
    for _ in range(_REPEATS):
        work()
    synchronize(device)
    return (time.perf_counter() - started) / _REPEATS


def _parameters(model: Path) -> tuple[int, int]:
    """(all, those of the table of sub-words) of the backbone, the pooler left out."""
    from transformers import AutoConfig, AutoModel

    with torch.device("meta"):
        backbone = AutoModel.from_config(AutoConfig.from_pretrained(model))
    names = dict(backbone.named_parameters())
    total = sum(weight.numel() for name, weight in names.items() if "pooler" not in name)
    return total, backbone.get_input_embeddings().weight.numel()
