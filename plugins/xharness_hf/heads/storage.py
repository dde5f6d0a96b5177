"""A model's folder: the backbone in the Hugging Face layout, the tokenizer, the heads beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from xharness import UnavailableError, read_json
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.embedding.sentence_transformers.embedder import SentenceTransformersEmbedder
from xharness_hf.embedding.sentence_transformers.encoder_config import is_sentence_encoder
from xharness_hf.embedding.sentence_transformers.prompts import Prompts
from xharness_hf.files import loading
from xharness_hf.files.loading import MODEL_SPEC
from xharness_hf.files.storage import restore_backbone, save_backbone, storing
from xharness_hf.heads.heads import Heads, build_head

_FORMAT = 1
_HEADS = "heads.safetensors"


def save(
    folder: Path, backbone: Backbone, tokens: Tokens, heads: Heads, embedder: Embedder
) -> None:
    """Write the model; `AutoModel.from_pretrained` reads the backbone, PEFT the adapter beside it.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    sizes = backbone.sizes()
    spec = {
        "format": _FORMAT,
        # observed once: loading does not have to read with it again
        "causal": backbone.causal,
        "heads": heads.spec(),
        "parameters": {"total": sizes.total, "embedding": sizes.embedding},
    }
    with storing("model", folder):
        folder.mkdir(parents=True, exist_ok=True)
        save_backbone(folder, backbone)
        embedder.save(folder)
        tokens.tokenizer.save_pretrained(folder)
        tensors = {name: parameter.detach().cpu() for name, parameter in heads.parameters().items()}
        save_file(tensors, folder / _HEADS)
        (folder / MODEL_SPEC).write_text(json.dumps(spec, indent=1), encoding="utf-8")


def load(folder: Path) -> tuple[tuple[Backbone, Tokens, Heads], Embedder]:
    """The model that `save` wrote.

    Raises:
        UnavailableError: the folder is not one, or is damaged.
    """
    try:
        spec = read_json(folder / MODEL_SPEC)
        tensors = load_file(folder / _HEADS)
        backbone = loading.backbone(folder, "safetensors", causal=bool(spec["causal"]))
        restore_backbone(backbone, folder)
        tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
        heads = _heads(spec["heads"], tensors, backbone)
        embedder = (
            SentenceTransformersEmbedder(folder, "safetensors", Prompts(), backbone)
            if is_sentence_encoder(folder)
            else RECIPE_EMBEDDER
        )
        return (backbone, tokens, heads), embedder
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UnavailableError(
            f"not a saved model, or a damaged one: {type(error).__name__}: {error}",
            where=str(folder),
            hint="remove the folder; the stage that made it will run again",
        ) from error


def _heads(spec: dict[str, Any], tensors: dict[str, Tensor], backbone: Backbone) -> Heads:
    heads = Heads()
    for name, head_spec in spec.items():
        # By what is stored, not by a card: cards may have changed since it was trained.
        head = build_head(head_spec["task_type"], int(head_spec["outputs"]), backbone)
        prefix = f"{name}/"
        head_tensors = {
            key.removeprefix(prefix): tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        head.load_state_dict(head_tensors)
        heads.add(name, head)
    return heads
