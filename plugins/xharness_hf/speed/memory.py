"""Memory of a card that this process keeps without using it, given back to its neighbours."""

from __future__ import annotations

import gc

import torch


def give_back(device: torch.device) -> None:
    """Give back what the allocator has kept of stages that are over.

    It keeps all it ever had, and a training's recorded steps several times what its weights take:
    a dozen processes that share a card had filled 80 GB so, and the next ones found no memory.
    """
    if device.type != "cuda":
        return
    gc.collect()  # recorded steps and their buffers hold each other
    torch.cuda.empty_cache()
