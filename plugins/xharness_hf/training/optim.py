"""What learns and how: parameters, optimisers, rates, and layers that are computed twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from xharness import Recipe, StageError
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.packing import attending
from xharness_hf.heads.heads import Heads
from xharness_hf.speed.kernels import faster

_NAMES = ("activation_checkpointing", "gradient_checkpointing")


def learning(backbone: Backbone, heads: Heads) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name; tied ones once."""
    of_body = (
        backbone.adapter.parameters()
        if backbone.adapter
        else dict(backbone.reader.named_parameters())
    )
    found = {f"backbone/{name}": one for name, one in of_body.items() if one.requires_grad}
    if found and backbone.adapter is None:
        backbone.origin = ()  # its weights will be others than those of the files
    return found | {f"head/{name}": one for name, one in heads.parameters().items()}


def optimizer(
    parameters: dict[str, nn.Parameter], recipe: Recipe, device: torch.device
) -> Optimizer:
    """The recipe's; biases and norms, which have one dimension, do not decay.

    Adafactor steps by the rate times the size of the weights, as T5's does (Shazeer and Stern
    2018, 1804.04235, section 8).
    """
    groups = [
        {
            "params": [one for one in parameters.values() if one.ndim > 1],
            "weight_decay": recipe.weight_decay,
        },
        {"params": [one for one in parameters.values() if one.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adafactor":
        return torch.optim.Adafactor(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=device.type in ("cpu", "cuda"))


def rate(step: int, total: int, recipe: Recipe) -> float:
    """The learning rate's factor in (0, 1] at `step`: linear warm-up, then decay or none."""
    warm = math.ceil(recipe.warmup_ratio * total)
    if step < warm:
        return (step + 1) / warm
    return 1.0 if recipe.lr_scheduler_type == "constant" else (total - step) / (total - warm)


def clip(parameters: Iterable[nn.Parameter], most: float) -> None:
    """Shorten all gradients together to a norm of `most`; shorter ones are not touched."""
    learnt = [one for one in parameters if one.grad is not None]
    norm = nn.utils.get_total_norm([one.grad for one in learnt if one.grad is not None])
    if norm > most:
        nn.utils.clip_grads_with_norm_(learnt, most, norm)


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
    again = partial(_again, backbone.reader, device)
    getattr(backbone.reader, f"{name}_enable")(
        {
            "use_reentrant": False,
            "context_fn": lambda: (
                nullcontext(),
                again(backbone.reader.config._attn_implementation),
            ),
        }
    )
    try:
        yield
    finally:
        getattr(backbone.reader, f"{name}_disable")()


@contextmanager
def _again(reader: Any, device: torch.device, attention: str) -> Iterator[None]:
    """Inside it, a layer computes by the same means as the first time."""
    with faster(device), attending(reader, attention):
        yield
