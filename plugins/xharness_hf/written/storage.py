"""The folder of a model that answers in words: the whole language model, and what it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError

from xharness.extend import StageError, UnavailableError
from xharness_hf import loading
from xharness_hf.options import Manner
from xharness_hf.storage import loaded, save_body
from xharness_hf.tokens import Tokens
from xharness_hf.written.writers import Writer, writer

SPEC = "xharness-words.json"
_FORMAT = 1


def save(folder: Path, body: Writer, tokens: Tokens, manner: Manner, shots: Sequence[str]) -> None:
    """Write the model; `from_pretrained` reads it too.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    spec = {"format": _FORMAT, **manner.model_dump(), "shots": list(shots)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_body(folder, body)
        tokens.tokenizer.save_pretrained(folder)
        text = json.dumps(spec, indent=1, ensure_ascii=False)
        (folder / SPEC).write_text(text, encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise StageError(f"the model cannot be written: {error}", where=str(folder)) from error


def load(folder: Path) -> tuple[Writer, Tokens, Manner, list[str]]:
    """The model that `save` wrote.

    Raises:
        UnavailableError: the folder is not one, or is damaged.
    """
    try:
        spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
        manner = Manner(**{name: spec[name] for name in Manner.model_fields if name in spec})
        body = writer(folder, "safetensors")
        loaded(body, folder)
        return body, Tokens(loading.tokenizer(folder), causal=body.causal), manner, spec["shots"]
    except (OSError, ValueError, KeyError) as error:
        raise UnavailableError(
            f"not a saved model, or a damaged one: {type(error).__name__}: {error}",
            where=str(folder),
            hint="remove the folder; the stage that made it will run again",
        ) from error
