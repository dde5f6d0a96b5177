"""What a model's own files say of it, read as JSON before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xharness import RunEnvironment, read_json
from xharness_hf.config.families import has_class
from xharness_hf.config.options import Options
from xharness_hf.files import hub

LANGUAGE_CODED = frozenset({"m2m_100", "mbart", "nllb-moe"})
"""Families whose texts begin or end with a special that says what language they are in.

A list, since only their tokenizers tell, which planning would have to fetch with megabytes.
"""
_READ_BOTH_WAYS = frozenset({"bert-generation", "xlnet"})
"""Families with a causal language model alone that read left to right only if they are set to."""

_CONFIGURATION = "config.json"
_TOKENIZER = (  # the large one last: it may have to be fetched
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"
)  # fmt: skip
_MASKS = ("[MASK]", "<mask>", "mask_token")


@dataclass(frozen=True)
class ModelConfiguration:
    """A model's configuration, and where its other files are found by name."""

    config: Mapping[str, Any]
    file: Callable[[str], Path | None] = lambda name: None

    @property
    def family(self) -> str:
        """What transformers calls the architecture; empty where the file does not say."""
        return str(self.config.get("model_type") or "")

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether it reads with an encoder and writes with a decoder."""
        # a configuration leaves out what is its class's default
        default = has_class(self.family, "seq2seq-lm")
        return bool(self.config.get("is_encoder_decoder", default))

    @property
    def left_to_right(self) -> bool:
        """Whether it surely reads left to right; some decoders are set to read both ways."""
        if self.config.get("use_bidirectional_attention") or self.config.get("is_causal") is False:
            return False
        if self.is_encoder_decoder:
            return False
        decoder = has_class(self.family, "causal-lm") and not has_class(self.family, "masked-lm")
        return bool(self.config.get("is_decoder")) or (
            decoder and self.family not in _READ_BOTH_WAYS
        )

    @property
    def is_encoder(self) -> bool:
        """Whether it is surely an encoder: learnt by masking words, or only ever to classify."""
        if self.is_encoder_decoder or self.config.get("is_decoder"):
            return False
        classifies = has_class(self.family, "sequence-classification")
        writes = has_class(self.family, "causal-lm") or has_class(self.family, "seq2seq-lm")
        return has_class(self.family, "masked-lm") or (classifies and not writes)

    @property
    def hashes_characters(self) -> bool:
        """Whether characters are hashed into several tables, so that no sub-word has a vector."""
        return "num_hash_buckets" in self.config

    @property
    def lacks_mask_token(self) -> bool:
        """Whether the tokenizer surely has no mask token: it has files, and none speaks of one.

        Raises:
            UnavailableError: a file of a hub model cannot be fetched.
        """
        # a family that learns by masking has one: its tokenizer need not be fetched
        if not has_class(self.family, "base") or has_class(self.family, "masked-lm"):
            return False
        has_files = False
        for text in (_text(self.file(name)) for name in _TOKENIZER):
            if any(mask in text for mask in _MASKS):
                return False
            has_files = has_files or text != ""
        return has_files


def read_configuration(options: Options, environment: RunEnvironment) -> ModelConfiguration | None:
    """What can be told of the model; None of a GGUF file, and offline of a hub model not fetched.

    Raises:
        UnavailableError: the configuration of a hub model cannot be fetched.
    """
    if options.scratch is not None:
        return ModelConfiguration({"model_type": options.scratch.architecture})
    file = configuration_file(options, environment)
    return None if file is None else _parsed(file, partial(model_file, options, environment))


def uses_language_codes(options: Options, environment: RunEnvironment) -> bool:
    """Whether the model answers in words and is told what language they are in."""
    if options.mode == "head":
        return False
    model = read_configuration(options, environment)
    return model is not None and model.family in LANGUAGE_CODED


def configuration_file(options: Options, environment: RunEnvironment) -> Path | None:
    """The model's `config.json`, of a hub model fetched alone; None as for `read_configuration`.

    Raises:
        UnavailableError: as for `read_configuration`.
    """
    return model_file(options, environment, _CONFIGURATION)


def model_file(options: Options, environment: RunEnvironment, name: str) -> Path | None:
    """The model's file `name`, of a hub model fetched alone; None where it has none.

    Raises:
        UnavailableError: a file of a hub model cannot be fetched.
    """
    if options.path is not None:
        file = environment.base / options.path.expanduser() / name
        return file if file.is_file() else None
    return hub.file(options, name, environment) if options.hub is not None else None


def _parsed(file: Path, find: Callable[[str], Path | None]) -> ModelConfiguration | None:
    try:
        config = read_json(file)
    except (OSError, ValueError):
        return None  # what is wrong with it is said when the model is read
    return ModelConfiguration(config, find) if isinstance(config, dict) else None


def _text(file: Path | None) -> str:
    return "" if file is None else file.read_text(encoding="utf-8", errors="replace")
