"""Tiny models of several families, with random weights and real file layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    Gemma3TextConfig,
    Gemma3TextModel,
    LlamaConfig,
    LlamaModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from xharness.plugin.api import Recipe, RunEnvironment, TrainingSession, TrainingSet
from xharness.task_types import BUILTIN
from xharness.testing import toy_card, toy_examples
from xharness_hf.config.options import Options
from xharness_hf.plugin import HfBackend

BACKEND = HfBackend()
TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}
WORDS = [
    "red", "blue", "green", "stone", "river", "cloud", "house", "bird", "lamp", "road", "salt",
    "wind", "who", "flies", "the", "cat", "café", "naïve", "Straße", "東京", "привет", "мир",
]  # fmt: skip
SHAPE: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
}  # fmt: skip
RECIPE = Recipe(epochs=8, learning_rate=3e-3, batch_size=16, max_length=32)


def bert(folder: Path, **changes: Any) -> Path:
    """An encoder with WordPiece and token types."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted({letter for word in WORDS for letter in word})
    pieces = [*specials, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    shape = SHAPE | {"max_position_embeddings": 64} | changes
    config = BertConfig(vocab_size=len(vocabulary), **shape)
    return _write(folder, BertModel, config, tokenizer, names)


def xlmr(folder: Path) -> Path:
    """An encoder with Unigram, one token type, and positions after the padding's."""
    letters = sorted({letter for word in WORDS for letter in word})
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"▁{word}", -2.0) for word in WORDS]
    pieces += [("▁", -4.0), *((letter, -6.0) for letter in letters), ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = {
        "bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "cls": "<s>", "sep": "</s>",
        "mask": "<mask>",
    }  # fmt: skip
    config = XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=66, type_vocab_size=1, pad_token_id=1,
        **SHAPE,
    )  # fmt: skip
    return _write(folder, XLMRobertaModel, config, tokenizer, names)


def llama(folder: Path) -> Path:
    """A decoder with byte-level BPE: no BOS, no padding, no prefix space."""
    tokenizer = _bytes("<|end|>")
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), num_key_value_heads=1, max_position_embeddings=128,
        bos_token_id=None, eos_token_id=0, pad_token_id=None, **SHAPE | {"num_hidden_layers": 3},
    )  # fmt: skip
    return _write(folder, LlamaModel, config, tokenizer, {"eos": "<|end|>"})


def gemma(folder: Path) -> Path:
    """A decoder with BOS and padding, and a list of layer types in its configuration."""
    tokenizer = _bytes("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 2)]
    )
    names = {"pad": "<pad>", "eos": "<eos>", "bos": "<bos>", "unk": "<unk>", "mask": "<mask>"}
    config = Gemma3TextConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64,
        num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
        max_position_embeddings=128,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
    )  # fmt: skip
    return _write(folder, Gemma3TextModel, config, tokenizer, names)


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "bert": bert, "xlmr": xlmr, "llama": llama, "gemma": gemma,
}  # fmt: skip


def _bytes(*specials: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    return tokenizer


def _write(
    folder: Path, model_class: Any, config: Any, tokenizer: Tokenizer, names: dict[str, str]
) -> Path:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": text for name, text in names.items()}
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model_class(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def start(folder: Path, **options: Any) -> Any:
    """The model in `folder` before training."""
    environment = RunEnvironment(offline=True)
    return BACKEND.start(Options(path=folder, **options), environment, "cpu")


def feed(task_type: str, count: int = 96, **changes: Any) -> TrainingSet:
    """A training set of the toy task of `task_type`."""
    card = toy_card(task_type)
    parts: dict[str, Any] = {"objective": "task", "head": card.head_name} | changes
    return TrainingSet(
        card, TASK_TYPES[task_type], examples=toy_examples(task_type, count), **parts
    )


def session(folder: Path, seed: int = 1, **changes: Any) -> TrainingSession:
    """A session that saves after every step unless told otherwise."""
    return TrainingSession(seed=seed, folder=folder, **{"checkpoint_seconds": 3600} | changes)


def accuracy(answers: Sequence[Any], examples: Sequence[Any]) -> float:
    """Share of examples answered as their label says."""
    return sum(a == b.label for a, b in zip(answers, examples, strict=True)) / len(examples)
