"""A tiny random model of every family, in the file layout of the real ones."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from tests.hf import tiny

Maker = Callable[[Path], Path]
_SHAPE: dict[str, Any] = tiny.SHAPE
_LETTERS = sorted({*"".join(tiny.WORDS), *"?.:,'", *string.ascii_letters, *string.digits})
_MORE = ["Question", "Answer", "red", "blue", "because", "True", "False", "Neither"]


def pieces(*specials: str) -> list[tuple[str, float]]:
    """A Unigram vocabulary: specials, words of the toy tasks, letters."""
    words = [*tiny.WORDS, *_MORE]
    vocabulary = [*((token, 0.0) for token in specials), *((f"▁{word}", -2.0) for word in words)]
    vocabulary += [("▁", -4.0), ("\n", -5.0), *((letter, -6.0) for letter in _LETTERS)]
    return list(dict(vocabulary).items())


def unigram(single: str, pair: str, specials: list[str]) -> Tokenizer:
    """A SentencePiece-like tokenizer with a frame."""
    tokenizer = Tokenizer(models.Unigram(pieces(*specials), unk_id=specials.index("<unk>")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special_tokens = [(token, index) for index, token in enumerate(specials)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=special_tokens
    )
    return tokenizer


def write(folder: Path, model_class: Any, config: Any, tokenizer: Any, **names: str) -> Path:
    """A model of random weights, drawn from one seed, and its tokenizer."""
    if isinstance(tokenizer, Tokenizer):
        token_names: dict[str, Any] = {f"{name}_token": text for name, text in names.items()}
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **token_names)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model_class(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


_ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_NAMES = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "cls": "<s>", "sep": "</s>",
          "mask": "<mask>"}  # fmt: skip


def _encoder(folder: Path, model_class: Any, config: Any, **changes: Any) -> Path:
    tokenizer = unigram("<s> $A </s>", "<s> $A </s> $B:1 </s>:1", _ROBERTA)
    shape = _SHAPE | {"vocab_size": tokenizer.get_vocab_size(), "pad_token_id": 1} | changes
    return write(folder, model_class, config(**shape), tokenizer, **_NAMES)


def deberta(folder: Path) -> Path:
    """Relative positions, no token types."""
    return _encoder(
        folder, hf.DebertaV2Model, hf.DebertaV2Config, max_position_embeddings=64,
        relative_attention=True, position_biased_input=False, pos_att_type=["p2c", "c2p"],
        type_vocab_size=0,
    )  # fmt: skip


def rembert(folder: Path) -> Path:
    """An input embedding narrower than the hidden states."""
    return _encoder(
        folder, hf.RemBertModel, hf.RemBertConfig, input_embedding_size=16,
        output_embedding_size=24, max_position_embeddings=64,
    )  # fmt: skip


def modernbert(folder: Path) -> Path:
    """ModernBERT and mmBERT: rotary positions, windows of attention."""
    return _encoder(
        folder, hf.ModernBertModel, hf.ModernBertConfig, max_position_embeddings=128,
        local_attention=16, global_attn_every_n_layers=2, cls_token_id=0, sep_token_id=2,
        bos_token_id=0, eos_token_id=2,
    )  # fmt: skip


def canine(folder: Path) -> Path:
    """Characters, hashed; a slow tokenizer."""
    config = hf.CanineConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=256, num_hash_functions=4, num_hash_buckets=256,
        local_transformer_stride=32, downsampling_rate=4,
    )  # fmt: skip
    return write(folder, hf.CanineModel, config, hf.CanineTokenizer())


def t5(folder: Path, model_class: Any = None, config: Any = None, **changes: Any) -> Path:
    """mT5's: gated, input and output embeddings apart."""
    specials = ["<pad>", "</s>", "<unk>"]
    tokenizer = unigram("$A </s>", "$A </s> $B </s>", specials)
    shape = {
        "vocab_size": tokenizer.get_vocab_size(), "d_model": 32, "d_ff": 64, "d_kv": 16,
        "num_layers": 2, "num_decoder_layers": 2, "num_heads": 2, "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False, "decoder_start_token_id": 0, "pad_token_id": 0,
        "eos_token_id": 1,
    } | changes  # fmt: skip
    model_class, config = model_class or hf.MT5ForConditionalGeneration, config or hf.MT5Config
    names = {"pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
    return write(folder, model_class, config(**shape), tokenizer, **names)


def umt5(folder: Path) -> Path:
    """Relative positions of each layer's own."""
    return t5(folder, hf.UMT5ForConditionalGeneration, hf.UMT5Config)


def tied_t5(folder: Path) -> Path:
    """T5's first form: one table, scaled before it writes."""
    return t5(
        folder, hf.T5ForConditionalGeneration, hf.T5Config, tie_word_embeddings=True,
        feed_forward_proj="relu",
    )  # fmt: skip


def byt5(folder: Path) -> Path:
    """Bytes; a slow tokenizer."""
    config = hf.T5Config(
        vocab_size=384, d_model=32, d_ff=64, d_kv=16, num_layers=2, num_decoder_layers=2,
        num_heads=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        decoder_start_token_id=0,
    )  # fmt: skip
    return write(folder, hf.T5ForConditionalGeneration, config, hf.ByT5Tokenizer())


def _bart(model_class: Any, config: Any) -> Maker:
    def make(folder: Path) -> Path:
        specials = ["<s>", "<pad>", "</s>", "<unk>", "en_XX"]
        tokenizer = unigram("en_XX $A </s>", "en_XX $A $B </s>", specials)
        shape = {
            "vocab_size": tokenizer.get_vocab_size(), "d_model": 32, "encoder_layers": 2,
            "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
            "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 128,
            "decoder_start_token_id": 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
        }  # fmt: skip
        names = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
        return write(folder, model_class, config(**shape), tokenizer, **names)

    return make


def _decoder(model_class: Any, config: Any, **changes: Any) -> Maker:
    """Byte-level BPE without BOS and without padding, as Qwen's and BLOOM's."""

    def make(folder: Path) -> Path:
        tokenizer = tiny._bytes("<|end|>")
        shape = _SHAPE | {
            "vocab_size": tokenizer.get_vocab_size(), "bos_token_id": None, "eos_token_id": 0,
            "pad_token_id": None,
        } | changes  # fmt: skip
        return write(folder, model_class, config(**shape), tokenizer, eos="<|end|>")

    return make


def gemma(folder: Path) -> Path:
    """A decoder with BOS and padding."""
    tokenizer = tiny._bytes("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 2)]
    )
    config = hf.Gemma3TextConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
        max_position_embeddings=256, layer_types=["sliding_attention", "full_attention"],
        final_logit_softcapping=30.0,
    )  # fmt: skip
    names = {"pad": "<pad>", "eos": "<eos>", "bos": "<bos>", "unk": "<unk>", "mask": "<mask>"}
    return write(folder, hf.Gemma3ForCausalLM, config, tokenizer, **names)


def xglm(folder: Path) -> Path:
    """A decoder that puts an end of text before everything."""
    tokenizer = unigram("</s> $A", "</s> $A </s> $B", ["<s>", "<pad>", "</s>", "<unk>"])
    config = hf.XGLMConfig(
        vocab_size=tokenizer.get_vocab_size(), d_model=32, ffn_dim=64, num_layers=2,
        attention_heads=2, max_position_embeddings=256,
    )  # fmt: skip
    names = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
    return write(folder, hf.XGLMForCausalLM, config, tokenizer, **names)


_LLAMA = {"num_key_value_heads": 1, "max_position_embeddings": 256}
ENCODERS: dict[str, Maker] = {
    "bert": tiny.bert, "xlmr": tiny.xlmr, "deberta": deberta, "rembert": rembert,
    "modernbert": modernbert, "canine": canine,
}  # fmt: skip
PAIRED: dict[str, Maker] = {
    "mt5": t5, "umt5": umt5, "t5": tied_t5, "byt5": byt5,
    "mbart": _bart(hf.MBartForConditionalGeneration, hf.MBartConfig),
    "nllb": _bart(hf.M2M100ForConditionalGeneration, hf.M2M100Config),
}  # fmt: skip
DECODERS: dict[str, Maker] = {
    "gemma": gemma, "xglm": xglm,
    "llama": _decoder(hf.LlamaForCausalLM, hf.LlamaConfig, **_LLAMA),
    "qwen2": _decoder(hf.Qwen2ForCausalLM, hf.Qwen2Config, tie_word_embeddings=True, **_LLAMA),
    "qwen3": _decoder(hf.Qwen3ForCausalLM, hf.Qwen3Config, head_dim=16, **_LLAMA),
    "bloom": _decoder(hf.BloomForCausalLM, hf.BloomConfig, n_layer=2, n_head=2),
}  # fmt: skip
EVERY = ENCODERS | PAIRED | DECODERS
