"""Bodies with random weights in the shapes of well-known ones: speed needs no better weights."""

from __future__ import annotations

from pathlib import Path

from benchmarks.material import SEED, Material
from benchmarks.measured import Setting

_VOCABULARY = 8_000
SHAPES = {"minilm": (384, 6, 12), "xlm-r-base": (768, 12, 12), "small": (192, 3, 4)}
"""Width, layers, heads."""


def made(shape: str, data_root: Path, folder: Path) -> Path:
    """Write a BERT of `shape` under `folder`, its tokenizer learnt from WikiANN's languages."""
    from transformers import BertConfig, BertModel

    from xharness_hf import scratch

    setting = Setting(data_root, folder, folder)
    asked = Material(setting, "wikiann").asked(100)
    tokenizer = scratch.learnt_tokenizer(
        [" ".join(x.tokens) for _, some in asked for x in some], _VOCABULARY
    )
    width, layers, heads = SHAPES[shape]
    import torch

    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
