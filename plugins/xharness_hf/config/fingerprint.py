"""What a model's options stand for, told from the bytes of its files without loading any."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from xharness import RunEnvironment, UnavailableError, digest, file_digest
from xharness_hf.config.capabilities import check_generates, check_language_codes
from xharness_hf.config.configuration import configuration_file, uses_language_codes
from xharness_hf.config.options import AnswerOptions, Options, Scratch
from xharness_hf.embedding.sentence_transformers import encoder_config
from xharness_hf.files import folders, hub
from xharness_hf.files.digests import cached_digest

_CODE_PLACEMENT = 1
"""Raised when language codes are put elsewhere: only models that have some then answer anew."""


def fingerprint(options: Options, environment: RunEnvironment) -> str:
    """The identity of a model: its files or hub commit, and the options that change answers.

    Raises:
        UnavailableError: there is no such model, or it has no weights.
        ConfigurationError: it is to answer in words, and is an encoder, or lacks one of
            `language_codes`; or its folder declares vectors that are not read here.
    """
    check_generates(options, environment)
    check_language_codes(options, environment)
    # without defaults, so that an option that is added changes no fingerprint
    answer_options = options.model_dump(
        include={*AnswerOptions.model_fields}, exclude_defaults=True
    )
    code_version = {"coded": _CODE_PLACEMENT} if uses_language_codes(options, environment) else {}
    identity = (
        _weights_identity(options, environment)
        | {"num_layers": options.num_layers}
        | answer_options
        | code_version
    )
    return digest(identity | _embedding_identity(options, environment))


def _weights_identity(options: Options, environment: RunEnvironment) -> dict[str, Any]:
    if options.scratch is not None:
        return {"scratch": _scratch_identity(options.scratch, environment)}
    if options.hub is not None:
        return {"hub": options.hub, "commit": hub.commit(options, environment)}
    if options.gguf is not None:
        file = folders.gguf_file(options.gguf, environment)
        return {"gguf": cached_digest(file, environment.cache)}
    assert options.path is not None
    folder = folders.model_folder(options.path, environment)
    files = folders.model_files(folder, options.weights)
    return {"files": {file.name: cached_digest(file, environment.cache) for file in files}}


def _embedding_identity(options: Options, environment: RunEnvironment) -> dict[str, Any]:
    """How texts become vectors, where not by the recipe; a hub model's commit says the rest."""
    if options.embeddings == "recipe":
        return {}
    config_file = configuration_file(options, environment)
    if options.hub is not None:
        if config_file is not None:
            with suppress(UnavailableError):  # not all of it was fetched yet
                encoder_config.read(config_file.parent, options.prompts)
        return {"vectors": {"prompts": options.prompts.model_dump(exclude_none=True)}}
    assert config_file is not None
    encoder = encoder_config.read(config_file.parent, options.prompts)
    files = [
        [
            cached_digest(file, environment.cache)
            for file in folders.weight_files(module_folder, options.weights)
        ]
        for module_folder in (config_file.parent / path for path in encoder.dense_modules)
    ]
    return {"vectors": encoder.meaning() | {"dense": files}}


def _scratch_identity(scratch: Scratch, environment: RunEnvironment) -> dict[str, Any]:
    identity = scratch.model_dump(mode="json")
    if isinstance(scratch.tokenizer, Path):
        files = folders.tokenizer_files(scratch.tokenizer, environment)
        identity["tokenizer"] = {file.name: file_digest(file) for file in files}
    return identity
