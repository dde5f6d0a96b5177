"""How large a model is, from its configuration: shapes are laid out, no weight is read."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from xharness.extend import Sizes, Surroundings, XharnessError
from xharness_hf import loading
from xharness_hf.beginning import Beginning
from xharness_hf.bodies import Body
from xharness_hf.configured import configuration
from xharness_hf.options import Answers, Options
from xharness_hf.quiet import quiet
from xharness_hf.written.writers import Writer


def sizes(options: Options, surroundings: Surroundings) -> Sizes | None:
    """Parameters as the loaded model counts them; None where nothing tells its configuration.

    A scratch model whose tokenizer is still to be learnt has so many at most.

    Raises:
        UnavailableError: the configuration is damaged, or cannot be fetched.
        ConfigurationError: the body has fewer layers than the options say.
    """
    quiet()
    if options.scratch is not None:
        return Beginning(options.scratch, surroundings).sizes()
    place = configuration(options, surroundings)
    if place is None:
        return None
    config = loading.config(place.parent, options.layers)
    try:
        with torch.device("meta"):
            return _empty(options.answers, config).sizes()
    except XharnessError:
        raise
    except Exception as error:  # shapes that no model can have fail in every family's own way
        raise loading.damaged(place, "the configuration", error) from error


def _empty(answers: Answers, config: Any) -> Body:
    heads, paired = answers == "heads", config.is_encoder_decoder
    auto: Any = AutoModelForSeq2SeqLM if paired else AutoModelForCausalLM
    module = (AutoModel if heads else auto).from_config(config)
    return Body(module, causal=False) if heads else Writer(module)
