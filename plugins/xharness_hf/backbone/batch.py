"""Windows: the sequences a backbone reads, and batches of them on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import StageError

Ints = NDArray[np.int32]
NO_IDS: Ints = np.zeros(0, dtype=np.int32)


class Window(NamedTuple):
    """Sub-word ids with their specials; from `second` on they belong to the second text."""

    ids: Ints
    second: int
    prompt: int = 0
    """Leading sub-words of a prompt that is read and not pooled."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What is drawn, learnt and answered as one: usually a window, for choices one for each."""

    windows: tuple[Window, ...]
    owner: int
    """The index of its example."""
    gold: Any = None
    """What is to be learnt, in the shape its task says."""
    marks: Ints = field(default_factory=lambda: NO_IDS)
    """Positions in the window at which the task asks something."""

    @property
    def length(self) -> int:
        """Sub-words of the longest window."""
        return max(len(window.ids) for window in self.windows)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a backbone wants its batches."""

    pad: int
    """The id that fills windows up."""
    skip: int = 0
    """Leading sub-words that mean pooling leaves out."""
    resets: bool = False
    """Whether positions count anew in the second text, as TLM wants."""


@dataclass(frozen=True)
class Batch:
    """Windows padded to one length; every tensor is (windows, length) in int64."""

    features: Sequence[Feature]
    ids: Tensor
    mask: Tensor
    """1 where there is a sub-word, 0 where padding."""
    content: Tensor
    """1 where mean pooling reads."""
    types: Tensor
    """0 for the first text, 1 for the second."""
    positions: Tensor | None
    """Counted anew in the second text; None where the backbone counts them itself."""

    def on_device(self, values: Any, dtype: torch.dtype = torch.long) -> Tensor:
        """`values` as a tensor beside the batch."""
        # pageable memory is copied at once, so that the device need not be waited for
        return torch.as_tensor(values, dtype=dtype).to(self.ids.device, non_blocking=True)


class DeviceAnswers(NamedTuple):
    """What a batch's features are answered by, still on the device."""

    values: Tensor
    """Scores, or indices with -1 where the scores that they stand for were no numbers."""
    decode: Callable[[NDArray[Any]], Sequence[Any]]
    """One answer for each feature, from `values` on the host."""

    def result(self) -> Sequence[Any]:
        """The answers, once the device has computed them.

        Raises:
            StageError: as `decoded`.
        """
        return self.decoded(self.values.cpu().numpy())

    def decoded(self, values: NDArray[Any]) -> Sequence[Any]:
        """The answers from `values` on the host.

        Raises:
            StageError: a score is no number, so that no answer can be told from it.
        """
        # told from what is fetched anyway: asking the device would make the host wait for it
        broken = np.isnan(values) if np.issubdtype(values.dtype, np.floating) else values < 0
        if broken.any():
            raise outputs_not_finite()
        return self.decode(values)


def outputs_not_finite() -> StageError:
    """What is said where the best of a model's answers is not to be told from its scores."""
    return StageError(
        "the model's outputs are not finite: no answer can be told from them",
        hint="precision: fp32 may help; else its weights are broken, or learnt at too high a rate",
    )


def best_indices(logits: Tensor) -> Tensor:
    """The index of the largest logit of each row, -1 where that is no number."""
    indices = torch.argmax(logits, dim=-1)
    best = logits.gather(-1, indices[..., None])[..., 0]
    return torch.where(best.isfinite(), indices, -1)


def collate(features: Sequence[Feature], layout: Layout, device: torch.device) -> Batch:
    """The features' windows, one row each, padded on the right."""
    windows = [window for feature in features for window in feature.windows]
    shape = (len(windows), max(len(window.ids) for window in windows))
    ids = np.full(shape, layout.pad, dtype=np.int64)
    lengths = np.array([len(window.ids) for window in windows])[:, None]
    seconds = np.array([window.second for window in windows])[:, None]
    for row, window in zip(ids, windows, strict=True):
        row[: len(window.ids)] = window.ids
    columns = np.arange(shape[1])[None, :]
    mask = columns < lengths
    # A window of nothing but what is left out is pooled whole: a mean over nothing is no number.
    content = mask & ((columns >= layout.skip) | (lengths <= layout.skip))
    types = mask & (columns >= seconds)
    positions = np.where(types, columns - seconds, columns) * mask if layout.resets else None

    def move(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array.astype(np.int64)).to(device, non_blocking=True)

    return Batch(
        features, move(ids), move(mask), move(content), move(types),
        None if positions is None else move(positions),
    )  # fmt: skip


def joined(parts: Iterable[Ints]) -> Ints:
    """The parts one after the other; they may be none."""
    return np.concatenate([NO_IDS, *parts]).astype(np.int32)
