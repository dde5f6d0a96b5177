"""How fast a device trains: small encoders of two sizes, at two lengths."""

from __future__ import annotations

import time

import torch

from xharness import Pace

_LAYERS, _BATCH = 6, 8  # enough layers that launching and optimising show, few enough for seconds
_NARROW, _WIDE = 48, 384  # so narrow that a step costs its launches alone, and MiniLM's width
_SHORT, _LONG = 8, 128  # sub-words a sequence
_SECONDS = 2.5  # of each measurement, and at least three steps


def measured_pace(device: torch.device) -> Pace:
    """The pace in fp32: what a step, a parameter and an operation take, one after the other.

    Longer sequences tell the operations, short ones beside a narrow encoder's the parameters.
    """
    narrow, wide = _encoder(_NARROW, device), _encoder(_WIDE, device)
    step = _seconds_a_step(narrow, _SHORT, device)
    short, long = (_seconds_a_step(wide, length, device) for length in (_SHORT, _LONG))
    parameters = sum(weight.numel() for weight in wide.parameters())
    # Of one sub-word in each sequence: 2 a parameter on the way forth, 4 on the way back.
    operations = 6 * parameters * _BATCH
    rate = operations * (_LONG - _SHORT) / max(long - short, 1e-6)
    updating = max(0.0, short - step - operations * _SHORT / rate)
    return Pace(rate, step, updating / parameters)


def _encoder(width: int, device: torch.device) -> torch.nn.Module:
    layer = torch.nn.TransformerEncoderLayer(
        width, 12, 4 * width, batch_first=True, activation="gelu"
    )
    return torch.nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False).to(device)


def _seconds_a_step(encoder: torch.nn.Module, length: int, device: torch.device) -> float:
    """The quickest of the steps: others may use the machine too."""
    optimizer = torch.optim.AdamW(encoder.parameters())
    width = next(encoder.parameters()).shape[-1]
    vectors = torch.randn(_BATCH, length, width, device=device)
    durations: list[float] = []
    deadline = time.monotonic() + _SECONDS
    while len(durations) < 3 or time.monotonic() < deadline:
        start = time.monotonic()
        encoder(vectors).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        durations.append(time.monotonic() - start)
    return min(durations)
