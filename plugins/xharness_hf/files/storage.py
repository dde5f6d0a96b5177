"""A backbone's folder: the Hugging Face layout, and its adapter beside it."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from xharness import StageError, writing
from xharness_hf.backbone import adapters
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.files import loading


def storing(name: str, folder: Path) -> AbstractContextManager[None]:
    """Inside it `name` is written to `folder`; a write that is refused is a `StageError`."""
    # A full disk inside safetensors' own code is no OSError.
    return writing(folder, name=name, failures=(OSError, SafetensorError), error=StageError)


def save_backbone(folder: Path, backbone: Backbone) -> None:
    """Write the backbone and its adapter; weights that are those of files are not written again."""
    if backbone.adapter is not None:
        adapters.save(backbone.adapter, folder)
    if backbone.origin:
        backbone.module.config.save_pretrained(folder)
        for file in backbone.origin:
            _link(file.resolve(), folder / file.name)
        return
    weights = backbone.module.state_dict()
    if backbone.adapter is not None:
        weights = adapters.without_lora(weights)
    compact = {name: _without_loss_in_bf16(value) for name, value in weights.items()}
    backbone.module.save_pretrained(folder, state_dict=compact)


def restore_backbone(backbone: Backbone, folder: Path) -> None:
    """What `save_backbone` wrote beside the backbone's own files; these are never written again."""
    backbone.origin = loading.safetensors(folder)
    adapters.load(backbone, folder)


def _link(file: Path, link: Path) -> None:
    """`file` under a second name, or a copy where the file system has no hard links."""
    link.unlink(missing_ok=True)
    try:
        # a second name takes no space and outlives the first; what is written into the file
        # through that one no longer has the digest of the receipt
        os.link(file, link)
    except OSError:
        shutil.copyfile(file, link)


def _without_loss_in_bf16(value: Tensor) -> Tensor:
    """`value` in bf16 where that loses nothing, as with frozen parts of a bf16 release."""
    if value.dtype != torch.float32:
        return value
    half = value.bfloat16()
    return half if torch.equal(half.float(), value) else value
