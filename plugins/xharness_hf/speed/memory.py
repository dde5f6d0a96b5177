"""Memory of a card that this process keeps without using it, given back to its neighbours."""

from __future__ import annotations

import gc

import torch


def give_back(device: torch.device, *, trained: bool = False) -> None:
    """Give back what the allocator has kept of stages that are over, of a training if `trained`.

    It keeps all it ever had, and a training's recorded steps several times what its weights take:
    a dozen processes that share a card had filled 80 GB so, and the next ones found no memory.
    """
    if device.type != "cuda":
        return
    if trained:
        # Recorded steps and their buffers hold each other. Collecting looks at every object there
        # is, examples too, which would take longer than reading a small test set.
        gc.collect()
    torch.cuda.empty_cache()
