"""What a model's own files tell of it, read as JSON before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.extend import Surroundings
from xharness_hf import hub
from xharness_hf.options import Options

ENCODERS = frozenset(
    {
        "albert", "bert", "camembert", "canine", "deberta", "deberta-v2", "distilbert", "electra",
        "eurobert", "modernbert", "mpnet", "rembert", "roberta", "xlm-roberta", "xlm-roberta-xl",
        "xmod",
    }
)  # fmt: skip
DECODERS = frozenset(
    {
        "apertus", "bloom", "cohere", "cohere2", "falcon", "gemma", "gemma2", "gemma3_text", "glm",
        "gpt2", "gpt_neo", "gpt_neox", "gptj", "granite", "llama", "mistral", "mixtral", "olmo",
        "olmo2", "opt", "phi", "phi3", "qwen2", "qwen3", "smollm3", "stablelm", "starcoder2",
        "xglm",
    }
)  # fmt: skip
CODED = frozenset({"m2m_100", "mbart", "nllb-moe"})
"""Families whose texts begin or end with a special that says what language they are in."""
UNMASKED = frozenset({"mt5", "t5", "umt5"})
"""Families whose own tokenizers have no mask token."""

_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
)  # fmt: skip
_MASKS = ("[MASK]", "<mask>", "mask_token")


@dataclass(frozen=True)
class Configured:
    """A model's configuration, and the folder that it lies in, if any."""

    config: Mapping[str, Any]
    folder: Path | None = None

    @property
    def family(self) -> str:
        """What transformers calls the architecture; empty where the file does not say."""
        return str(self.config.get("model_type") or "")

    @property
    def left_to_right(self) -> bool:
        """Whether the body surely reads left to right; some decoders are set to read both ways."""
        if self.config.get("use_bidirectional_attention") or self.config.get("is_causal") is False:
            return False
        decoder = bool(self.config.get("is_decoder")) and not self.config.get("is_encoder_decoder")
        return decoder or self.family in DECODERS

    @property
    def without_mask(self) -> bool:
        """Whether the tokenizer surely has no mask token: none of its files speaks of one."""
        if self.folder is None or self.family not in UNMASKED:
            return False
        files = (self.folder / name for name in _TOKENIZER)
        return not any(mask in text for text in map(_text, files) for mask in _MASKS)


def configured(options: Options, surroundings: Surroundings) -> Configured | None:
    """What can be told of the model; None of a GGUF file, and of a hub model not fetched yet."""
    if options.scratch is not None:
        return Configured({"model_type": options.scratch.architecture})
    folder = local_folder(options, surroundings)
    return None if folder is None else _read(folder)


def coded(options: Options, surroundings: Surroundings) -> bool:
    """Whether the model answers in words and is told what language they are in."""
    if options.answers == "heads":
        return False
    found = configured(options, surroundings)
    if found is None and options.hub is not None:
        return hub.family(options, surroundings) in CODED
    return found is not None and found.family in CODED


def local_folder(options: Options, surroundings: Surroundings) -> Path | None:
    """Where the files of the model lie without fetching any; None where nowhere."""
    if options.path is not None:
        return surroundings.base / options.path.expanduser()
    return hub.fetched(options) if options.hub is not None else None


def _read(folder: Path) -> Configured | None:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # what is wrong with it is said when the model is read
    return Configured(found, folder) if isinstance(found, dict) else None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
