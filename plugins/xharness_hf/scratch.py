"""Scratch models: a body with random weights, and a tokenizer learnt on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerFast

from xharness_hf import vocabulary
from xharness_hf.options import Scratch


def module(scratch: Scratch, size: int, pad: int, seed: int) -> PreTrainedModel:
    """A body for `size` sub-words, its weights drawn from `seed` alone."""
    shifted = scratch.architecture == "xlm-roberta"
    config = AutoConfig.for_model(
        scratch.architecture,
        vocab_size=size,
        hidden_size=scratch.hidden,
        num_hidden_layers=scratch.layers,
        num_attention_heads=scratch.heads,
        intermediate_size=scratch.intermediate or 4 * scratch.hidden,
        max_position_embeddings=scratch.max_positions + (pad + 1 if shifted else 0),
        type_vocab_size=2,
        pad_token_id=pad,
        hidden_dropout_prob=scratch.dropout,
        attention_probs_dropout_prob=scratch.dropout,
    )
    auto: Any = AutoModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found: PreTrainedModel = auto.from_config(config, dtype=torch.float32)
    return found


def learnt(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `size` sub-words; see `vocabulary.learn`."""
    fast: Any = PreTrainedTokenizerFast
    found: PreTrainedTokenizerFast = fast(
        tokenizer_object=vocabulary.learn(texts, size),
        bos_token=vocabulary.BOS,
        eos_token=vocabulary.EOS,
        pad_token=vocabulary.PAD,
        unk_token=vocabulary.UNK,
        cls_token=vocabulary.BOS,
        sep_token=vocabulary.EOS,
        mask_token=vocabulary.MASK,
    )
    return found
