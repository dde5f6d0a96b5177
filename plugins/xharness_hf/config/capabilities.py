"""What a model cannot do, told before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from xharness import (
    Adapter,
    CapabilityQuery,
    ConfigurationError,
    Objective,
    Recipe,
    RunEnvironment,
)
from xharness_hf.config.configuration import (
    LANGUAGE_CODED,
    ModelConfiguration,
    read_configuration,
)
from xharness_hf.config.families import takes_past_key_values
from xharness_hf.config.language_codes import code_of, is_code
from xharness_hf.config.options import AnswerOptions, Options
from xharness_hf.config.special_tokens import special_tokens

_RANKED = frozenset({"classification", "multiple_choice"})
_TASK_TYPES = {"loglikelihood": _RANKED, "generate": _RANKED | {"extractive_qa"}}


def unsupported(
    options: Options, query: CapabilityQuery, environment: RunEnvironment
) -> str | None:
    """Why the model of `options` cannot do what `query` asks; None where nothing tells so yet.

    Raises:
        UnavailableError: the configuration of a hub model is needed, and cannot be fetched.
    """
    objective, recipe = query.objective, query.recipe
    adapter = recipe.adapter if recipe is not None else None
    if options.mode != "head":
        return _unsupported_in_words(options, query, adapter) or _unsupported_language(
            options, query, environment
        )
    # any backbone learns a task under a head: no configuration has to be fetched for that
    if objective in (None, "shots") or (objective == "task" and adapter is None):
        return None
    model = read_configuration(options, environment)
    if model is None:
        return None
    return _unsupported_objective(objective, model) or _unsupported_adapter(adapter, recipe, model)


def check_generates(options: Options, environment: RunEnvironment) -> None:
    """Whether a model that is to answer in words can write, as far as its configuration tells.

    Raises:
        ConfigurationError: it is an encoder.
        UnavailableError: the configuration of a hub model cannot be fetched.
    """
    model = read_configuration(options, environment) if options.mode != "head" else None
    if model is not None and model.is_encoder:
        raise ConfigurationError(
            f"'{model.family}' is an encoder: it has no words to answer with",
            where=_location(options, environment),
            expected="a decoder or an encoder-decoder",
            hint="use 'mode: head'",
        )


def check_language_codes(options: Options, environment: RunEnvironment) -> None:
    """Whether the model has the language codes that it is said to have, as far as its files tell.

    Raises:
        ConfigurationError: it lacks one of them, or has none at all.
        UnavailableError: a file of a hub model cannot be fetched.
    """
    model = read_configuration(options, environment) if options.language_codes else None
    if model is None:
        return
    location = _location(options, environment)
    if model.family not in LANGUAGE_CODED:
        raise ConfigurationError(
            f"'{model.family}' has no codes for languages",
            where=location,
            hint="leave out 'language_codes'",
        )
    error = _missing_code(model, tuple(options.language_codes), options)
    if error is not None:
        raise ConfigurationError(error.what, where=location, hint=error.hint)


def _location(options: Options, environment: RunEnvironment) -> str:
    return options.hub or str(environment.base / str(options.path))


def _unsupported_language(
    options: Options, query: CapabilityQuery, environment: RunEnvironment
) -> str | None:
    model = read_configuration(options, environment) if query.languages else None
    if model is None or model.family not in LANGUAGE_CODED:
        return None
    error = _missing_code(model, query.languages, options)
    return None if error is None else f"{error.what}; {error.hint}"


def _missing_code(
    model: ModelConfiguration, languages: Sequence[str], options: Options
) -> ConfigurationError | None:
    """What is wrong with the first language that the model has no code for, if one has none."""
    tokens = special_tokens(model.file)
    if not any(is_code(token) for token in tokens):
        return None  # some tokenizers make their codes up in code: the loaded model decides
    try:
        for language in languages:
            code_of(language, tokens, options.language_codes)
    except ConfigurationError as error:
        return error
    return None


def _unsupported_in_words(
    options: AnswerOptions, query: CapabilityQuery, adapter: Adapter | None
) -> str | None:
    subject = f"a model with 'mode: {options.mode}'"
    if query.objective not in (None, "task", "shots"):
        return f"{subject} cannot learn by '{query.objective}'"
    if query.objective == "task" and options.mode == "loglikelihood":
        return f"{subject} is not trained: it has strategy 'prompt' alone"
    task_types = _TASK_TYPES[options.mode]
    if query.task_type not in task_types:
        names = ", ".join(sorted(task_types))
        return f"{subject} cannot answer tasks of type '{query.task_type}', only {names}"
    if query.card.verbalizer is None:
        return f"task '{query.card.name}' has no verbalizer: its items cannot be put into words"
    if adapter is not None and adapter.method != "lora":
        return f"{subject} cannot learn a {adapter.method}"
    return None


def _unsupported_objective(objective: Objective | None, model: ModelConfiguration) -> str | None:
    if objective == "task":
        return None
    if model.hashes_characters:
        return f"'{model.family}' has no table of sub-words, which '{objective}' learns from"
    # Embeddings of sub-words alone are aligned: it is all one in which direction layers read.
    if objective == "align":
        return None
    requirement = f"'{objective}' hides words from a backbone that reads both ways"
    if model.left_to_right:
        return f"{requirement}; '{model.family}' reads left to right"
    # Last, since a tokenizer may have to be fetched for it.
    if model.lacks_mask_token:
        return f"{requirement}; '{model.family}' has no mask token"
    return None


def _unsupported_adapter(
    adapter: Adapter | None, recipe: Recipe | None, model: ModelConfiguration
) -> str | None:
    if adapter is None or adapter.method == "lora":
        return None
    subject = f"no {adapter.method} on a backbone of the family '{model.family}'"
    if adapter.method == "prompt":
        reason = "it takes no vectors in place of sub-words"
        return f"{subject}: {reason}" if model.hashes_characters else None
    if recipe is not None and recipe.gradient_checkpointing:
        return "no gradient checkpointing with a prefix"
    takes_keys = takes_past_key_values(model.family, encoder=model.is_encoder_decoder)
    if takes_keys is False:
        return f"{subject}: it takes no keys and values from outside"
    if model.is_encoder_decoder:  # its encoder has no cache to put them into
        return f"{subject}: it does not read the keys and values that it is given"
    return None
