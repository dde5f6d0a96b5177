"""How large a model is, from its configuration: shapes are laid out, no weight is read."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from xharness.extend import Sizes, Surroundings
from xharness_hf import loading
from xharness_hf.beginning import Beginning
from xharness_hf.bodies import Body
from xharness_hf.configured import local_folder
from xharness_hf.options import Answers, Options
from xharness_hf.quiet import quiet
from xharness_hf.written.writers import Writer


def sizes(options: Options, surroundings: Surroundings) -> Sizes | None:
    """Parameters as the loaded model counts them; None where its configuration is not here.

    A scratch model whose tokenizer is still to be learnt has so many at most.

    Raises:
        UnavailableError: the configuration is damaged.
        ConfigurationError: the body has fewer layers than the options say.
    """
    quiet()
    if options.scratch is not None:
        return Beginning(options.scratch, surroundings).sizes()
    folder = local_folder(options, surroundings)
    if folder is None or not (folder / "config.json").is_file():
        return None
    config = loading.config(folder, options.layers)
    with torch.device("meta"):
        return _empty(options.answers, config).sizes()


def _empty(answers: Answers, config: Any) -> Body:
    heads, paired = answers == "heads", config.is_encoder_decoder
    auto: Any = AutoModelForSeq2SeqLM if paired else AutoModelForCausalLM
    module = (AutoModel if heads else auto).from_config(config)
    return Body(module, causal=False) if heads else Writer(module)
