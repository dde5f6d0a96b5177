"""What a model's own files tell of it, read as JSON before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xharness import RunEnvironment
from xharness_hf.config.options import Options
from xharness_hf.files import hub

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

_CONFIGURATION = "config.json"
_TOKENIZER = (  # the large one last: it may have to be fetched
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"
)  # fmt: skip
_MASKS = ("[MASK]", "<mask>", "mask_token")


@dataclass(frozen=True)
class ModelFiles:
    """A model's configuration, and where its other files are found by name."""

    config: Mapping[str, Any]
    file: Callable[[str], Path | None] = lambda name: None

    @property
    def family(self) -> str:
        """What transformers calls the architecture; empty where the file does not say."""
        return str(self.config.get("model_type") or "")

    @property
    def left_to_right(self) -> bool:
        """Whether it surely reads left to right; some decoders are set to read both ways."""
        if self.config.get("use_bidirectional_attention") or self.config.get("is_causal") is False:
            return False
        decoder = bool(self.config.get("is_decoder")) and not self.config.get("is_encoder_decoder")
        return decoder or self.family in DECODERS

    @property
    def without_mask(self) -> bool:
        """Whether the tokenizer surely has no mask token: it has files, and none speaks of one.

        Raises:
            UnavailableError: a file of a hub model cannot be fetched.
        """
        if self.family not in UNMASKED:
            return False
        known = False
        for text in (_text(self.file(name)) for name in _TOKENIZER):
            if any(mask in text for mask in _MASKS):
                return False
            known = known or text != ""
        return known


def configured(options: Options, environment: RunEnvironment) -> ModelFiles | None:
    """What can be told of the model; None of a GGUF file, and offline of a hub model not fetched.

    Raises:
        UnavailableError: the configuration of a hub model cannot be fetched.
    """
    if options.scratch is not None:
        return ModelFiles({"model_type": options.scratch.architecture})
    place = configuration(options, environment)
    return None if place is None else _read(place, partial(file_of, options, environment))


def coded(options: Options, environment: RunEnvironment) -> bool:
    """Whether the model answers in words and is told what language they are in."""
    found = None if options.answers == "heads" else configured(options, environment)
    return found is not None and found.family in CODED


def configuration(options: Options, environment: RunEnvironment) -> Path | None:
    """The model's `config.json`, of a hub model fetched alone; None as for `configured`.

    Raises:
        UnavailableError: as for `configured`.
    """
    return file_of(options, environment, _CONFIGURATION)


def file_of(options: Options, environment: RunEnvironment, name: str) -> Path | None:
    """The model's file `name`, of a hub model fetched alone; None where it has none.

    Raises:
        UnavailableError: a file of a hub model cannot be fetched.
    """
    if options.path is not None:
        file = environment.base / options.path.expanduser() / name
        return file if file.is_file() else None
    return hub.file(options, name, environment) if options.hub is not None else None


def _read(place: Path, file: Callable[[str], Path | None]) -> ModelFiles | None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # what is wrong with it is said when the model is read
    return ModelFiles(found, file) if isinstance(found, dict) else None


def _text(file: Path | None) -> str:
    return "" if file is None else file.read_text(encoding="utf-8", errors="replace")
