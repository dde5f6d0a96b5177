"""Models with random weights in the shapes of well-known ones: speed needs no better weights."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.material import SEED, Material
from benchmarks.measurement import Setting

_LEARNT_VOCABULARY = 8_000


@dataclass(frozen=True)
class Shape:
    """A backbone's configuration; a vocabulary of None is that of the tokenizer."""

    family: str
    width: int
    layers: int
    heads: int
    vocabulary: int | None = None


SHAPES: Mapping[str, Shape] = {
    "tiny": Shape("xlm-roberta", 64, 2, 4),
    "small": Shape("bert", 192, 3, 4),
    "minilm": Shape("bert", 384, 6, 12),
    "me5-small": Shape("bert", 384, 12, 12, 250_037),
    "xlm-r-base": Shape("xlm-roberta", 768, 12, 12, 250_037),
    "xlm-r-large": Shape("xlm-roberta", 1024, 24, 16, 250_037),
}
DECODERS: Mapping[str, Shape] = {
    "tiny": Shape("llama", 64, 2, 4),
    "smollm2": Shape("llama", 576, 30, 9),
}


def write_model(
    name: str, data_root: Path, folder: Path, tokenizer: Path | None = None, device: str = "cpu"
) -> Path:
    """Write the backbone of `name` under `folder`, drawn on `device`, beside its tokenizer.

    Without a tokenizer's folder a small one is learnt from the sentences of WikiANN.
    """
    from transformers import AutoModel

    return _write(SHAPES[name], AutoModel, data_root, folder, tokenizer, device)


def write_decoder(
    name: str, data_root: Path, folder: Path, tokenizer: Path | None = None, device: str = "cpu"
) -> Path:
    """As `write_model`, a language model with the head over its vocabulary."""
    from transformers import AutoModelForCausalLM

    return _write(DECODERS[name], AutoModelForCausalLM, data_root, folder, tokenizer, device)


def _write(
    shape: Shape,
    automatic: Any,
    data_root: Path,
    folder: Path,
    tokenizer_folder: Path | None,
    device: str,
) -> Path:
    import torch

    tokenizer = _tokenizer(data_root, folder, tokenizer_folder)
    torch.manual_seed(SEED)
    with torch.device(device):
        model = automatic.from_config(_config(shape, tokenizer))
    model.to("cpu").save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _config(shape: Shape, tokenizer: Any) -> Any:
    from transformers import AutoConfig

    offset = tokenizer.pad_token_id + 1 if shape.family == "xlm-roberta" else 0
    fields = {
        "vocab_size": shape.vocabulary or len(tokenizer),
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": 4 * shape.width,
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": 512 + offset,
    }
    if shape.family == "xlm-roberta":
        fields["type_vocab_size"] = 1
    if shape.family == "llama":
        fields |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        fields |= {"tie_word_embeddings": True, "max_position_embeddings": 2048}
    return AutoConfig.for_model(shape.family, **fields)


def _tokenizer(data_root: Path, folder: Path, tokenizer_folder: Path | None) -> Any:
    if tokenizer_folder is not None:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(tokenizer_folder)
    from xharness_hf import scratch

    languages = Material(Setting(data_root, folder, folder), "wikiann").eval_examples(100)
    sentences = [" ".join(example.tokens) for _, examples in languages for example in examples]
    return scratch.learnt_tokenizer(sentences, _LEARNT_VOCABULARY)


def fast_folder(gigabytes: float) -> str | None:
    """A folder in memory with that much room, or None: the system's own folder."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > gigabytes * 1e9
    return str(memory) if roomy else None
