"""The modules above a backbone: hidden states become a vector, as in sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from xharness import UnavailableError
from xharness_hf.embedding.sentence_transformers.encoder_config import SentenceEncoderConfig
from xharness_hf.embedding.sentence_transformers.layout import Dense, Mode, PoolingConfig
from xharness_hf.files import folders
from xharness_hf.files.folders import Weights

PoolingFunction = Callable[[Tensor, Tensor], Tensor]
"""(windows, length, width) and the mask of what is pooled to (windows, width)."""


def pooled(states: Tensor, mask: Tensor, pooling: PoolingConfig) -> Tensor:
    """(windows, length, width) to (windows, width of all modes), in float32."""
    states, mask = states.float(), mask.float()
    return torch.cat([_POOLS[mode](states, mask) for mode in pooling.modes], dim=-1)


def upper_stack(declared: SentenceEncoderConfig, folder: Path, weights: Weights) -> nn.Sequential:
    """What stands on the pooled vector; it does not learn.

    Raises:
        UnavailableError: weights are missing, damaged, or of another shape.
    """
    layers = [
        _dense(module, folder / path, weights) if isinstance(module, Dense) else _Normalize()
        for path, module in declared.upper_modules.items()
    ]
    return nn.Sequential(*layers).requires_grad_(False).eval()


def save(upper_modules: nn.Sequential, declared: SentenceEncoderConfig, folder: Path) -> None:
    """Write the weights of the dense layers, each into its own folder below `folder`."""
    for path, layer in zip(declared.upper_modules, upper_modules, strict=True):
        if path in declared.dense_modules:
            weights = {name: tensor.cpu() for name, tensor in layer.state_dict().items()}
            save_file(weights, folder / path / "model.safetensors")


class _Normalize(nn.Module):
    """Vectors of length 1."""

    def forward(self, vectors: Tensor) -> Tensor:
        return nn.functional.normalize(vectors)


class _Dense(nn.Module):
    """The library's names, so that its weights fit."""

    def __init__(self, spec: Dense) -> None:
        super().__init__()
        self.linear = nn.Linear(spec.in_features, spec.out_features, spec.bias)
        self._activation: nn.Module = getattr(nn, spec.activation_function)()

    def forward(self, vectors: Tensor) -> Tensor:
        activated: Tensor = self._activation(self.linear(vectors))
        return activated


def _dense(spec: Dense, folder: Path, weights: Weights) -> _Dense:
    (file, *_) = folders.weight_files(folder, weights)
    layer = _Dense(spec)
    try:
        layer.load_state_dict(_tensors(file))
    except Exception as error:  # a damaged file, other names and shapes, a pickle of something else
        reason = str(error).strip().splitlines()[-1].strip()
        raise UnavailableError(
            f"not the weights of a dense layer of {spec.in_features} by {spec.out_features}: "
            f"{reason[:200]}",
            where=str(file),
        ) from None
    return layer


def _tensors(file: Path) -> Mapping[str, Any]:
    if file.suffix == ".safetensors":
        return load_file(file)
    # a pickle may run code when it is read whole
    tensors: Mapping[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return tensors


def _first(states: Tensor, mask: Tensor) -> Tensor:
    return states[_rows(states), mask.argmax(dim=1)]


def _last(states: Tensor, mask: Tensor) -> Tensor:
    # From the right, as a mask may begin with a prompt left out; argmax takes the first of equals.
    return states[_rows(states), mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)]


def _max(states: Tensor, mask: Tensor) -> Tensor:
    return states.masked_fill(mask.unsqueeze(-1) == 0, -torch.inf).amax(dim=1)


def _mean(states: Tensor, weights: Tensor) -> Tensor:
    return (states * weights.unsqueeze(-1)).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def _root_mean(states: Tensor, mask: Tensor) -> Tensor:
    return _mean(states, mask) * mask.sum(dim=1, keepdim=True).sqrt()


def _weighted_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Later sub-words weigh more (Muennighoff 2022, 2202.08904, section 3.1)."""
    positions = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return _mean(states, mask * positions)


def _rows(states: Tensor) -> Tensor:
    return torch.arange(len(states), device=states.device)


_POOLS: Mapping[Mode, PoolingFunction] = {
    "cls": _first,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _root_mean,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
