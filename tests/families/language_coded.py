"""Tiny models whose texts say what language they are in, with tokenizers of their own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

from tests.families import zoo
from tests.hf import tiny

_NAMED = ["<s>", "<pad>", "</s>", "<unk>"]
_BPE = {"eng_Latn", "deu_Latn", "swh_Latn", "zho_Hans"}
CODES = {
    "nllb": {"en": "eng_Latn", "sw": "swh_Latn", "de": "deu_Latn"},
    "nllb-legacy": {"en": "eng_Latn", "sw": "swh_Latn", "de": "deu_Latn"},
    "mbart25": {"en": "en_XX", "de": "de_DE", "ar": "ar_AR"},
    "mbart50": {"en": "en_XX", "sw": "sw_KE", "de": "de_DE"},
    "m2m100": {"en": "__en__", "sw": "__sw__", "de": "__de__"},
    "m2m100-unlisted": {"en": "__en__", "sw": "__sw__", "de": "__de__"},
}
"""Each layout, and what it calls some languages."""


def tokenizer(family: str, folder: Path) -> Any:
    """The tokenizer as transformers has it, with a tiny vocabulary."""
    if family.startswith("m2m100"):
        return _m2m(folder, with_codes=family == "m2m100")
    if family == "mbart25":
        return hf.MBartTokenizer(vocab=zoo.pieces(*_NAMED))
    if family == "mbart50":
        return hf.MBart50Tokenizer(vocab=zoo.pieces("<unk>", "<s>", "</s>"))
    names = [name for name, _ in zoo.pieces(*_NAMED, *sorted(_BPE), "<mask>")]
    return hf.NllbTokenizer(
        vocab={name: index for index, name in enumerate(names)},
        merges=[],
        extra_special_tokens=sorted(_BPE),
        legacy_behaviour=family == "nllb-legacy",
    )


def _m2m(folder: Path, *, with_codes: bool) -> Any:
    spm = pytest.importorskip("sentencepiece", reason="the extra 'translate' is not installed")
    folder.mkdir(exist_ok=True)
    stem = str(folder / "tiny")
    text = " ".join([*tiny.WORDS, *zoo._LETTERS])
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter([text] * 5),
        model_prefix=stem,
        vocab_size=120,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    processor = spm.SentencePieceProcessor(model_file=f"{stem}.model")
    names = [*_NAMED, *(processor.id_to_piece(index) for index in range(3, len(processor)))]
    words = {name: index for index, name in enumerate(names)}
    (folder / "words.json").write_text(json.dumps(words), encoding="utf-8")
    tokenizer_class: Any = hf.M2M100Tokenizer
    codes = hf.models.m2m_100.tokenization_m2m_100.FAIRSEQ_LANGUAGE_CODES["m2m100"]
    extra_tokens = (
        {"additional_special_tokens": [f"__{code}__" for code in codes]} if with_codes else {}
    )
    return tokenizer_class(str(folder / "words.json"), f"{stem}.model", **extra_tokens)


def write(family: str, folder: Path) -> Path:
    """A model of random weights in the layout of `family`."""
    family_tokenizer = tokenizer(family, folder)
    size = (
        max(len(family_tokenizer), *getattr(family_tokenizer, "lang_code_to_id", {"": 0}).values())
        + 1
    )
    shape: dict[str, Any] = {
        "vocab_size": size, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64, "max_position_embeddings": 128, "pad_token_id": 1,
        "bos_token_id": 0, "eos_token_id": 2, "init_std": 0.5,
        "decoder_start_token_id": None if family == "mbart25" else 2,
    }  # fmt: skip
    if family.startswith("mbart"):
        return zoo.write(
            folder, hf.MBartForConditionalGeneration, hf.MBartConfig(**shape), family_tokenizer
        )
    return zoo.write(
        folder, hf.M2M100ForConditionalGeneration, hf.M2M100Config(**shape), family_tokenizer
    )


def read(family: str, folder: Path, language: str) -> Any:
    """The tokenizer of a written model, set to read and write a language."""
    family_tokenizer = _CLASSES[family.partition("-")[0]].from_pretrained(folder)
    code = CODES[family][language].strip("_") if "m2m" in family else CODES[family][language]
    family_tokenizer.src_lang = family_tokenizer.tgt_lang = code
    return family_tokenizer


_CLASSES: dict[str, Any] = {
    "nllb": hf.NllbTokenizer, "mbart25": hf.MBartTokenizer, "mbart50": hf.MBart50Tokenizer,
    "m2m100": hf.M2M100Tokenizer,
}  # fmt: skip
