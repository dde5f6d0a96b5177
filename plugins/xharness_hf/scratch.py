"""Scratch models: random weights and a tokenizer learnt from the first training's texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerFast

from xharness import RunEnvironment, Sizes, StageError
from xharness_hf.backbone import vocabulary
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.config.options import LearntTokenizer, Scratch
from xharness_hf.files import folders, loading


class ScratchBuilder:
    """Knows how a scratch model comes to be; reads a given tokenizer at once, to fail early."""

    def __init__(self, spec: Scratch, environment: RunEnvironment) -> None:
        self._spec = spec
        self._tokens = None
        if isinstance(spec.tokenizer, Path):
            folders.tokenizer_files(spec.tokenizer, environment)
            location = environment.base / spec.tokenizer.expanduser()
            self._tokens = Tokens(loading.tokenizer(location), causal=False)

    def build(self, texts: Sequence[str], seed: int) -> tuple[Backbone, Tokens]:
        """Backbone and tokens, a function of the texts and the seed alone.

        Raises:
            StageError: there are no texts to learn a tokenizer from.
        """
        tokens = self._tokens or self._learnt_tokens(texts)
        weights = random_module(self._spec, tokens.size, tokens.pad, seed)
        return Backbone(weights, causal=False), tokens

    def sizes(self) -> Sizes:
        """Parameters it will have, or has at most where the tokenizer is not learnt yet."""
        tokenizer = self._spec.tokenizer
        vocabulary = tokenizer.vocabulary if isinstance(tokenizer, LearntTokenizer) else 0
        size = self._tokens.size if self._tokens else vocabulary
        with torch.device("meta"):
            return Backbone(random_module(self._spec, size, 1, seed=0), causal=False).sizes()

    def _learnt_tokens(self, texts: Sequence[str]) -> Tokens:
        assert isinstance(self._spec.tokenizer, LearntTokenizer)
        if not texts:
            raise StageError("there are no texts to learn a tokenizer from")
        return Tokens(learnt_tokenizer(texts, self._spec.tokenizer.vocabulary), causal=False)


def random_module(scratch: Scratch, size: int, pad: int, seed: int) -> PreTrainedModel:
    """A backbone for `size` sub-words, its weights drawn from `seed` alone."""
    # XLM-R counts positions from behind the padding's
    shifted = scratch.architecture == "xlm-roberta"
    config = AutoConfig.for_model(
        scratch.architecture,
        vocab_size=size,
        hidden_size=scratch.hidden,
        num_hidden_layers=scratch.num_layers,
        num_attention_heads=scratch.heads,
        intermediate_size=scratch.intermediate or 4 * scratch.hidden,
        max_position_embeddings=scratch.max_positions + (pad + 1 if shifted else 0),
        type_vocab_size=2,
        pad_token_id=pad,
        hidden_dropout_prob=scratch.dropout,
        attention_probs_dropout_prob=scratch.dropout,
    )
    auto: Any = AutoModel
    # And leaves the global generator as it was for whatever draws next.
    with torch.random.fork_rng(devices=[]):
        # transformers draws from the global generator
        torch.manual_seed(seed)
        model: PreTrainedModel = auto.from_config(config, dtype=torch.float32)
    return model


def learnt_tokenizer(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `size` sub-words; see `vocabulary.learn`."""
    fast: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerFast = fast(
        tokenizer_object=vocabulary.learn(texts, size),
        bos_token=vocabulary.BOS,
        eos_token=vocabulary.EOS,
        pad_token=vocabulary.PAD,
        unk_token=vocabulary.UNK,
        cls_token=vocabulary.BOS,
        sep_token=vocabulary.EOS,
        mask_token=vocabulary.MASK,
    )
    return tokenizer
