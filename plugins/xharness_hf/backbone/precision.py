"""Devices and number formats, chosen in one place through Accelerate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.state import (  # type: ignore[import-untyped]
    AcceleratorState,
    GradientState,
)
from torch import nn

from xharness import (
    ConfigurationError,
    Recipe,
    StageError,
    UnavailableError,
    suggestion,
)

_NAMES = ("cpu", "cuda", "cuda:0", "mps")


def device_of(name: str | None) -> torch.device:
    """The device `name`, or the best there is.

    Where the run shall be deterministic, only algorithms that are may serve from then on.

    Raises:
        ConfigurationError: no device is called so.
        UnavailableError: there is no such device here.
    """
    torch.use_deterministic_algorithms(os.environ.get("XHARNESS_DETERMINISTIC") == "1")
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
        name = "mps" if name == "cpu" and torch.backends.mps.is_available() else name
    try:
        device = torch.device(name)
    except RuntimeError:
        hint = suggestion(name, _NAMES)
        raise ConfigurationError(f"there is no device '{name}'", hint=hint) from None
    try:
        torch.zeros(1, device=device).item()  # `meta` has shapes alone
    except (RuntimeError, AssertionError) as error:  # torch without CUDA fails an assertion
        reason = str(error).splitlines()[0]
        hint = "`xharness doctor` lists the devices of this machine"
        raise UnavailableError(f"no device '{name}' here: {reason}", hint=hint) from None
    return device


def accelerator(device: torch.device, recipe: Recipe) -> Accelerator:
    """An Accelerator for one fit; its state is the process's, so the one before is let go.

    Raises:
        UnavailableError: the device cannot compute in the recipe's precision.
    """
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    mixed = "bf16" if recipe.precision == "bf16" else "no"
    try:
        return Accelerator(cpu=device.type == "cpu", mixed_precision=mixed)
    except ValueError as error:
        raise UnavailableError(f"no {recipe.precision} on {device}: {error}") from None


@contextmanager
def computing(module: nn.Module, device: torch.device, recipe: Recipe) -> Iterator[None]:
    """Inside it, `module` reads in the recipe's precision.

    For bf16 its matrices are cast once, not with every batch, and are what they were afterwards;
    autocast is for what stands on it. Norms stay in float32: they take states of either format.

    Raises:
        StageError: memory does not hold the matrices a second time.
    """
    if recipe.precision != "bf16":
        yield
        return
    matrices = (one for one in module.parameters() if one.ndim > 1)
    whole = {one: one.data for one in matrices if one.dtype == torch.float32}
    try:
        _halve(whole)
        with torch.autocast(device.type, torch.bfloat16):
            yield
    finally:
        for parameter, data in whole.items():
            parameter.data = data


def _halve(parameters: Iterable[nn.Parameter]) -> None:
    try:
        with torch.inference_mode(mode=False), torch.no_grad():
            for parameter in parameters:
                parameter.data = parameter.data.bfloat16()
    except torch.OutOfMemoryError:
        raise StageError(
            "not enough memory for the weights in bf16 beside those in float32",
            hint="choose precision: fp32, or another device",
        ) from None
