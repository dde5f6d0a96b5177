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
from xharness_hf.config.configuration import configuration_file
from xharness_hf.config.options import AnswerMode, AnswerOptions, Options
from xharness_hf.embedding.embedder import RECIPE_EMBEDDER, Embedder
from xharness_hf.embedding.sentence_transformers.embedder import SentenceTransformersEmbedder
from xharness_hf.files import folders, hub, loading
from xharness_hf.generative import storage as generative_storage
from xharness_hf.generative.language_model import LanguageModel, load_language_model
from xharness_hf.generative.model import GenerativeModel
from xharness_hf.heads import storage
from xharness_hf.heads.heads import Heads
from xharness_hf.model import HfModel
from xharness_hf.scratch import ScratchBuilder


def start(
    options: Options, environment: RunEnvironment, device: str | None
) -> HfModel | GenerativeModel:
    """The model that `options` stand for; see `HfBackend.start`."""
    loading.silence_transformers()
    torch_device = device_of(device)
    if options.scratch is not None:
        return HfModel(torch_device, ScratchBuilder(options.scratch, environment))
    folder = _model_folder(options, environment)
    # what is missing is said before anything is loaded
    folders.weight_files(folder, options.weights)
    if options.mode != "head":
        return _generative(options, folder, torch_device)
    backbone = loading.backbone(folder, options.weights, options.num_layers)
    backbone.origin = loading.safetensors(folder)
    tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
    embedder: Embedder = RECIPE_EMBEDDER
    if options.embeddings == "sentence-transformers":
        embedder = SentenceTransformersEmbedder(folder, options.weights, options.prompts, backbone)
    return HfModel(torch_device, (backbone, tokens, Heads()), embedder)


def _generative(options: Options, folder: Path, device: torch.device) -> GenerativeModel:
    backbone = load_language_model(folder, options.weights, options.num_layers)
    backbone.origin = loading.safetensors(folder)
    answer_options = AnswerOptions(**options.model_dump(include={*AnswerOptions.model_fields}))
    tokens = Tokens(loading.tokenizer(folder), causal=backbone.causal)
    return GenerativeModel(device, backbone, tokens, answer_options)


def load(folder: Path, device: str | None) -> HfModel | GenerativeModel:
    """The model that `save` wrote; see `HfBackend.load`."""
    loading.silence_transformers()
    if (folder / generative_storage.SPEC).is_file():
        return GenerativeModel(device_of(device), *generative_storage.load(folder))
    return HfModel(device_of(device), *storage.load(folder))


def _model_folder(options: Options, environment: RunEnvironment) -> Path:
    if options.hub is not None:
        return hub.snapshot(options, environment)
    if options.gguf is not None:
        from xharness_hf.files.gguf import convert

        return convert(options.gguf, environment)
    assert options.path is not None
    return folders.model_folder(options.path, environment)


def sizes(options: Options, environment: RunEnvironment) -> Sizes | None:
    """Parameters as the loaded model counts them; None where nothing tells its configuration.

    A scratch model whose tokenizer is still to be learnt has so many at most.

    Raises:
        UnavailableError: the configuration is damaged, or cannot be fetched.
        ConfigurationError: the backbone has fewer layers than the options say.
    """
    loading.silence_transformers()
    if options.scratch is not None:
        return ScratchBuilder(options.scratch, environment).sizes()
    config_file = configuration_file(options, environment)
    if config_file is None:
        return None
    config = loading.config(config_file.parent, options.num_layers)
    try:
        with torch.device("meta"):
            return _weightless(options.mode, config).sizes()
    except XharnessError:
        raise
    except Exception as error:  # shapes that no model can have fail in every family's own way
        raise loading.damaged(config_file, "the configuration", error) from error


def _weightless(mode: AnswerMode, config: Any) -> Backbone:
    has_heads, is_encoder_decoder = mode == "head", config.is_encoder_decoder
    auto: Any = AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM
    module = (AutoModel if has_heads else auto).from_config(config)
    # no numbers, no reading: the direction does not matter to a size
    return Backbone(module, causal=False) if has_heads else LanguageModel(module)
