"""What learns and how: parameters, optimisers, rates, and layers that are computed twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from xharness import Recipe, StageError
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.packing import attending
from xharness_hf.heads.heads import Heads
from xharness_hf.speed.kernels import fast_kernels

_NAMES = ("activation_checkpointing", "gradient_checkpointing")


def learning(backbone: Backbone, heads: Heads) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name; tied ones once."""
    candidates = (
        backbone.adapter.parameters()
        if backbone.adapter
        else dict(backbone.reader.named_parameters())
    )
    parameters = {
        f"backbone/{name}": parameter
        for name, parameter in candidates.items()
        if parameter.requires_grad
    }
    if parameters and backbone.adapter is None:
        backbone.origin = ()  # its weights will be others than those of the files
    of_heads = heads.parameters().items()
    return parameters | {f"head/{name}": parameter for name, parameter in of_heads}


def optimizer(
    parameters: Mapping[str, nn.Parameter],
    recipe: Recipe,
    device: torch.device,
    rate: Tensor | None = None,
) -> Optimizer:
    """The recipe's; biases and norms, which have one dimension, do not decay.

    Adafactor steps by the rate times the size of the weights, as T5's does (Shazeer and Stern
    2018, 1804.04235, section 8). With `rate`, which AdamW reads on the device, its steps can be
    recorded as graphs.
    """
    matrices = [parameter for parameter in parameters.values() if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters.values() if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adafactor":
        return torch.optim.Adafactor(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(
        groups,
        lr=recipe.learning_rate if rate is None else rate,
        fused=device.type in ("cpu", "cuda"),
        capturable=rate is not None,
    )


@contextmanager
def room_for_moments(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Inside it, memory that runs out is what the optimiser lacks: no smaller pieces help.

    Raises:
        StageError: it ran out.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        count = sum(parameter.numel() for parameter in parameters)
        raise StageError(
            f"not enough memory for the optimiser's moments of {count:,} parameters",
            hint="set optimizer: adafactor, freeze more, set an adapter, or choose another device",
        ) from None


def rate(step: int, total: int, recipe: Recipe) -> float:
    """The learning rate's factor in (0, 1] at `step`: linear warm-up, then decay or none."""
    warmup_steps = math.ceil(recipe.warmup_ratio * total)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return (
        1.0 if recipe.lr_scheduler_type == "constant" else (total - step) / (total - warmup_steps)
    )


def decay(steps: int, total: int, recipe: Recipe) -> float:
    """What the first `steps` of `total` leave of a weight that never has a gradient."""
    rates = (recipe.learning_rate * rate(step, total, recipe) for step in range(steps))
    return math.prod(1 - factor * recipe.weight_decay for factor in rates)


def clip(parameters: Iterable[nn.Parameter], max_norm: float) -> None:
    """Shorten all gradients together to a norm of `max_norm`; shorter ones are not touched."""
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    # torch's own clipping also multiplies by 1, which reads and writes all gradients for nothing.
    norm = nn.utils.get_total_norm(grads)
    if norm > max_norm:
        nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)


@contextmanager
def checkpointing(backbone: Backbone, recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Inside it, layers keep only what enters them and are computed again for their gradients.

    Raises:
        StageError: the backbone has no layers that can, or a prefix stands on it.
    """
    if not recipe.gradient_checkpointing:
        yield
        return
    prefixed = backbone.adapter is not None and backbone.adapter.spec.method == "prefix"
    if prefixed or not backbone.reader.supports_gradient_checkpointing:
        family = backbone.reader.config.model_type
        reason = "a prefix" if prefixed else f"a backbone of the family '{family}'"
        raise StageError(
            f"no gradient checkpointing with {reason}", hint="set gradient_checkpointing: false"
        )
    # Transformers calls it after activations now, and warns of the older name
    name = next(name for name in _NAMES if hasattr(backbone.reader, f"{name}_enable"))
    recomputing = partial(_recomputing, backbone.reader, device)
    getattr(backbone.reader, f"{name}_enable")(
        {
            "use_reentrant": False,
            "context_fn": lambda: (
                nullcontext(),
                recomputing(backbone.reader.config._attn_implementation),
            ),
        }
    )
    try:
        yield
    finally:
        getattr(backbone.reader, f"{name}_disable")()


@contextmanager
def _recomputing(reader: Any, device: torch.device, attention: str) -> Iterator[None]:
    """Inside it, a layer computes by the same means as the first time."""
    with fast_kernels(device), attending(reader, attention):
        yield
