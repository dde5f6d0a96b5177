"""The folder of a model that answers in words: the whole language model, and what it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from xharness import UnavailableError, read_json
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.config.options import AnswerOptions
from xharness_hf.files import loading
from xharness_hf.files.storage import restore_backbone, save_backbone, storing
from xharness_hf.generative.language_model import LanguageModel, load_language_model

SPEC = "xharness-words.json"
_FORMAT = 1


def save(
    folder: Path,
    backbone: LanguageModel,
    tokens: Tokens,
    options: AnswerOptions,
    shots: Sequence[str],
) -> None:
    """Write the model; `from_pretrained` reads it too.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    spec = {"format": _FORMAT, **options.model_dump(), "shots": list(shots)}
    with storing("model", folder):
        folder.mkdir(parents=True, exist_ok=True)
        save_backbone(folder, backbone)
        tokens.tokenizer.save_pretrained(folder)
        text = json.dumps(spec, indent=1, ensure_ascii=False)
        (folder / SPEC).write_text(text, encoding="utf-8")


def load(folder: Path) -> tuple[LanguageModel, Tokens, AnswerOptions, list[str]]:
    """The model that `save` wrote.

    Raises:
        UnavailableError: the folder is not one, or is damaged.
    """
    try:
        spec = read_json(folder / SPEC)
        options = AnswerOptions(
            **{name: spec[name] for name in AnswerOptions.model_fields if name in spec}
        )
        backbone = load_language_model(folder, "safetensors")
        restore_backbone(backbone, folder)
        return (
            backbone,
            Tokens(loading.tokenizer(folder), causal=backbone.causal),
            options,
            spec["shots"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise UnavailableError(
            f"not a saved model, or a damaged one: {type(error).__name__}: {error}",
            where=str(folder),
            hint="remove the folder; the stage that made it will run again",
        ) from error
