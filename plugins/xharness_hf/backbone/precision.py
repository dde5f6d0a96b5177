"""Devices and number formats, chosen in one place through Accelerate."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.state import (  # type: ignore[import-untyped]
    AcceleratorState,
    GradientState,
)
from torch import Tensor, nn

from xharness import (
    ConfigurationError,
    Recipe,
    StageError,
    UnavailableError,
    suggestion,
)

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""The formats in which matrices take half the room."""
_NAMES = ("cpu", "cuda", "cuda:0", "mps")
_AMPERE = (8, 0)  # the first compute capability with bf16 and TF32


def device_of(name: str | None) -> torch.device:
    """The device `name`, or the best there is; what has several is told with its index.

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
        if device.type == "cuda" and device.index is None:  # set_device takes none without
            device = torch.device("cuda", torch.cuda.current_device())
        torch.zeros(1, device=device).item()  # `meta` has shapes alone
    except (RuntimeError, AssertionError) as error:  # torch without CUDA fails an assertion
        reason = str(error).splitlines()[0]
        if "out of memory" in reason:
            problem = f"device '{name}' has no memory left for another process"
            raise UnavailableError(problem, hint="`nvidia-smi` shows who has it") from None
        hint = "`xharness doctor` lists the devices of this machine"
        raise UnavailableError(f"no device '{name}' here: {reason}", hint=hint) from None
    return device


def default_precision(device: torch.device) -> Precision:
    """What `precision: auto` means: bf16 on a GPU, fp16 on one that lacks it, fp32 elsewhere."""
    if device.type != "cuda":
        return "fp32"
    return "bf16" if _ampere(device) else "fp16"


def check_precision(precision: str, device: torch.device) -> None:
    """Whether `device` computes in `precision`, which may be `auto`.

    Raises:
        UnavailableError: it does not.
    """
    if precision in ("auto", "fp32"):
        return
    unsupported = {
        "cuda": () if device.type != "cuda" or _ampere(device) else ("bf16", "tf32"),
        "cpu": ("tf32", "fp16"),
        "mps": ("tf32",),
    }
    if precision in unsupported.get(device.type, ()):
        best = default_precision(device)
        raise UnavailableError(
            f"no {precision} on {description(device)}", hint=f"precision: auto takes {best} there"
        )


def check_device(name: str | None, precisions: Collection[str]) -> None:
    """Whether the device is here and computes in all of `precisions`; errors as those of both."""
    device = device_of(name)
    for precision in sorted(precisions):
        check_precision(precision, device)


def resolve(recipe: Recipe, device: torch.device) -> Recipe:
    """`recipe` with the format that it is computed in on `device` in place of `auto`.

    Products of float32 matrices are rounded to TF32 where that was chosen, and nowhere else.

    Raises:
        UnavailableError: the device does not compute in the recipe's precision.
    """
    check_precision(recipe.precision, device)
    automatic = recipe.precision == "auto"
    precision = default_precision(device) if automatic else recipe.precision
    if device.type == "cuda":
        # These are the process's own, so each recipe sets both of them, on or off.
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
    return recipe.model_copy(update={"precision": precision})


def provenance(recipe: Recipe, device: torch.device) -> dict[str, str]:
    """What a receipt says of it: the number format and the device's model."""
    return {"precision": resolve(recipe, device).precision, "device": description(device)}


def description(device: torch.device) -> str:
    """The device and its model, such as `cuda:0 (NVIDIA H100)`."""
    model = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    return f"{device}{model}"


def accelerator(device: torch.device, recipe: Recipe) -> Accelerator:
    """An Accelerator for one fit; its state is the process's, so the one before is let go.

    Raises:
        UnavailableError: the device cannot compute in the recipe's precision.
    """
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    mixed = recipe.precision if recipe.precision in HALF else "no"
    try:
        return Accelerator(cpu=device.type == "cpu", mixed_precision=mixed)
    except ValueError as error:
        raise UnavailableError(f"no {recipe.precision} on {device}: {error}") from None


@contextmanager
def computing(module: nn.Module, device: torch.device, recipe: Recipe) -> Iterator[None]:
    """Inside it, `module` reads in the recipe's precision; errors as those of `halved`."""
    with halved(module, recipe), autocast(device, recipe):
        yield


@contextmanager
def autocast(device: torch.device, recipe: Recipe) -> Iterator[None]:
    """Inside it, operators compute in the recipe's half precision, if it is one."""
    if recipe.precision not in HALF:
        yield
        return
    with torch.autocast(device.type, HALF[recipe.precision]):
        yield


@contextmanager
def halved(
    module: nn.Module, recipe: Recipe, looked_up: Iterable[nn.Embedding] = ()
) -> Iterator[None]:
    """Inside it, matrices are in the recipe's half precision; afterwards they are what they were.

    They are cast once, not with every batch; autocast is for what stands on them. Norms stay in
    float32: they take states of either format. Of tables that are only `looked_up` the rows are
    cast that somebody asks for: a table of 250,000 rows is most of a small model.

    Raises:
        StageError: memory does not hold the matrices a second time.
    """
    if recipe.precision not in HALF:
        yield
        return
    half = HALF[recipe.precision]
    # A family's own table may compute with its rows, in the format of its weights.
    tables = [
        table
        for table in looked_up
        if type(table) is nn.Embedding and table.weight.dtype == torch.float32
    ]
    whole = {table.weight for table in tables}
    matrices = (weight for weight in module.parameters() if weight.ndim > 1)
    originals = {
        weight: weight.data
        for weight in matrices
        if weight.dtype == torch.float32 and weight not in whole
    }
    hooks = [table.register_forward_hook(_rows_in(half)) for table in tables]
    try:
        _halve(originals, half)
        yield
    finally:
        for parameter, data in originals.items():
            parameter.data = data
        for hook in hooks:
            hook.remove()


def _rows_in(dtype: torch.dtype) -> Callable[[nn.Module, object, Tensor], Tensor]:
    return lambda table, ids, rows: rows.to(dtype)


def _halve(parameters: Iterable[nn.Parameter], dtype: torch.dtype) -> None:
    try:
        with torch.inference_mode(mode=False), torch.no_grad():
            for parameter in parameters:
                parameter.data = parameter.data.to(dtype)
    except torch.OutOfMemoryError:
        raise StageError(
            "not enough memory for the weights in half precision beside those in float32",
            hint="choose precision: fp32, or another device",
        ) from None


def _ampere(device: torch.device) -> bool:
    return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= _AMPERE
