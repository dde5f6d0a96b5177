"""Tiny sentence encoders in the layout of sentence-transformers, as its releases write it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

OLDER, NEWER = "sentence_transformers.models.", "sentence_transformers.base.modules."
WIDTH, DENSE = 32, 12


def write(folder: Path, name: str, value: Any) -> None:
    """A file of JSON."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value))


def modules(folder: Path, *module_types: str, prefix: str = OLDER) -> None:
    """`modules.json` with a backbone, and the others each in a folder of its own."""
    entries = [{"idx": 0, "name": "0", "path": "", "type": f"{prefix}Transformer"}]
    for index, module_type in enumerate(module_types, 1):
        path = f"{index}_{module_type}"
        entries.append(
            {"idx": index, "name": str(index), "path": path, "type": f"{prefix}{module_type}"}
        )
    write(folder, "modules.json", entries)


def labse(backbone: Path, folder: Path, **dense: Any) -> Path:
    """As LaBSE: the first state, a dense layer with tanh, and no prompts."""
    shutil.copytree(backbone, folder)
    modules(folder, "Pooling", "Dense", "Normalize")
    pooling = {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": True}
    write(folder, "1_Pooling/config.json", pooling | {"pooling_mode_mean_tokens": False})
    spec = {
        "in_features": WIDTH, "out_features": DENSE, "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    } | dense  # fmt: skip
    write(folder, "2_Dense/config.json", spec)
    draw = torch.Generator().manual_seed(3)
    weights = {"linear.weight": torch.randn(DENSE, WIDTH, generator=draw) / WIDTH**0.5}
    if spec["bias"]:
        weights["linear.bias"] = torch.randn(DENSE, generator=draw)
    save_file(weights, folder / "2_Dense" / "model.safetensors")
    write(folder, "sentence_bert_config.json", {"max_seq_length": 20, "do_lower_case": False})
    return folder


def e5(backbone: Path, folder: Path, prompts: dict[str, Any] | None = None, **pooling: Any) -> Path:
    """As E5: the mean of all states, and prompts that its folder may tell or not."""
    shutil.copytree(backbone, folder)
    modules(folder, "Pooling", "Normalize")
    mean = {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True}
    write(folder, "1_Pooling/config.json", pooling or mean)
    if prompts is not None:
        write(folder, "config_sentence_transformers.json", {"prompts": prompts})
    return folder
