"""What a model's options stand for, told from the bytes of its files without loading any."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from xharness import RunEnvironment, UnavailableError, digest, file_digest
from xharness_hf.config.capabilities import check_codes, check_writes
from xharness_hf.config.configuration import coded, configuration
from xharness_hf.config.options import AnswerOptions, Options, Scratch
from xharness_hf.embedding.sentence_transformers import encoder_config
from xharness_hf.files import folders, hub
from xharness_hf.files.digests import remembered

_CODED = 1
"""Raised when language codes are put elsewhere: only models that have some then answer anew."""


def fingerprint(options: Options, environment: RunEnvironment) -> str:
    """The identity of a model: its files or hub commit, and the options that change answers.

    Raises:
        UnavailableError: there is no such model, or it has no weights.
        ConfigurationError: it is to answer in words, and is an encoder, or lacks one of `codes`; or
            its folder declares vectors that are not read here.
    """
    check_writes(options, environment)
    check_codes(options, environment)
    manner = options.model_dump(include={*AnswerOptions.model_fields}, exclude_defaults=True)
    spoken = {"coded": _CODED} if coded(options, environment) else {}
    meaning = _meaning(options, environment) | {"num_layers": options.num_layers} | manner | spoken
    return digest(meaning | _vectors(options, environment))


def _meaning(options: Options, environment: RunEnvironment) -> dict[str, Any]:
    if options.scratch is not None:
        return {"scratch": _scratch(options.scratch, environment)}
    if options.hub is not None:
        return {"hub": options.hub, "commit": hub.commit(options, environment)}
    if options.gguf is not None:
        file = folders.gguf_file(options.gguf, environment)
        return {"gguf": remembered(file, environment.cache)}
    assert options.path is not None
    folder = folders.local(options.path, environment)
    files = folders.model_files(folder, options.weights)
    return {"files": {file.name: remembered(file, environment.cache) for file in files}}


def _vectors(options: Options, environment: RunEnvironment) -> dict[str, Any]:
    """How texts become vectors, where not by the recipe; a hub model's commit says the rest."""
    if options.embeddings == "recipe":
        return {}
    place = configuration(options, environment)
    if options.hub is not None:
        if place is not None:
            with suppress(UnavailableError):  # not all of it was fetched yet
                encoder_config.read(place.parent, options.prompts)
        return {"vectors": {"prompts": options.prompts.model_dump(exclude_none=True)}}
    assert place is not None
    found = encoder_config.read(place.parent, options.prompts)
    files = [
        [
            remembered(file, environment.cache)
            for file in folders.weight_files(above, options.weights)
        ]
        for above in (place.parent / path for path in found.dense)
    ]
    return {"vectors": found.meaning() | {"dense": files}}


def _scratch(scratch: Scratch, environment: RunEnvironment) -> dict[str, Any]:
    spec = scratch.model_dump(mode="json")
    if isinstance(scratch.tokenizer, Path):
        files = folders.tokenizer_files(scratch.tokenizer, environment)
        spec["tokenizer"] = {file.name: file_digest(file) for file in files}
    return spec
