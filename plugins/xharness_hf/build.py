"""A model from the options of a study, or from a folder that a stage left; its sizes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from xharness import RunEnvironment, Sizes, XharnessError
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.precision import device_of
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.config.configuration import configuration
from xharness_hf.config.options import AnswerMode, AnswerOptions, Options
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.embedding.sentence_transformers.embedder import SentenceTransformersEmbedder
from xharness_hf.files import folders, hub, loading
from xharness_hf.generative import storage as written
from xharness_hf.generative.language_model import LanguageModel, writer
from xharness_hf.generative.model import GenerativeModel
from xharness_hf.heads import storage
from xharness_hf.heads.heads import Heads
from xharness_hf.model import HfModel
from xharness_hf.scratch import ScratchBuilder


def start(
    options: Options, environment: RunEnvironment, device: str | None
) -> HfModel | GenerativeModel:
    """The model that `options` stand for; see `HfBackend.start`."""
    loading.quiet()
    where = device_of(device)
    if options.scratch is not None:
        return HfModel(where, ScratchBuilder(options.scratch, environment))
    folder = _folder(options, environment)
    folders.weight_files(folder, options.weights)
    if options.answers != "heads":
        return _writing(options, folder, where)
    backbone = loading.backbone(folder, options.weights, options.num_layers)
    if options.hub is not None:  # files of the hub's cache are never written again
        backbone.origin = loading.safetensors(folder)
    tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
    vectors: Embedder = RECIPE_EMBEDDER
    if options.embeddings == "sentence-transformers":
        vectors = SentenceTransformersEmbedder(folder, options.weights, options.prompts, backbone)
    return HfModel(where, (backbone, tokens, Heads()), vectors)


def _writing(options: Options, folder: Path, where: torch.device) -> GenerativeModel:
    backbone = writer(folder, options.weights, options.num_layers)
    if options.hub is not None:
        backbone.origin = loading.safetensors(folder)
    manner = AnswerOptions(**options.model_dump(include={*AnswerOptions.model_fields}))
    tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
    return GenerativeModel(where, backbone, tokens, manner)


def load(folder: Path, device: str | None) -> HfModel | GenerativeModel:
    """The model that `save` wrote; see `HfBackend.load`."""
    loading.quiet()
    if (folder / written.SPEC).is_file():
        return GenerativeModel(device_of(device), *written.load(folder))
    return HfModel(device_of(device), *storage.load(folder))


def _folder(options: Options, environment: RunEnvironment) -> Path:
    if options.hub is not None:
        return hub.snapshot(options, environment)
    if options.gguf is not None:
        from xharness_hf.files.gguf import converted

        return converted(options.gguf, environment)
    assert options.path is not None
    return folders.local(options.path, environment)


def sizes(options: Options, environment: RunEnvironment) -> Sizes | None:
    """Parameters as the loaded model counts them; None where nothing tells its configuration.

    A scratch model whose tokenizer is still to be learnt has so many at most.

    Raises:
        UnavailableError: the configuration is damaged, or cannot be fetched.
        ConfigurationError: the backbone has fewer layers than the options say.
    """
    loading.quiet()
    if options.scratch is not None:
        return ScratchBuilder(options.scratch, environment).sizes()
    place = configuration(options, environment)
    if place is None:
        return None
    config = loading.config(place.parent, options.num_layers)
    try:
        with torch.device("meta"):
            return _empty(options.answers, config).sizes()
    except XharnessError:
        raise
    except Exception as error:  # shapes that no model can have fail in every family's own way
        raise loading.damaged(place, "the configuration", error) from error


def _empty(mode: AnswerMode, config: Any) -> Backbone:
    heads, paired = answers == "heads", config.is_encoder_decoder
    auto: Any = AutoModelForSeq2SeqLM if paired else AutoModelForCausalLM
    module = (AutoModel if heads else auto).from_config(config)
    return Backbone(module, causal=False) if heads else LanguageModel(module)
