"""What a model cannot do, told before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from xharness import Adapter, CapabilityQuery, ConfigurationError, Objective, Recipe, RunEnvironment
from xharness_hf.config.configuration import CODED, ENCODERS, ModelFiles, configured
from xharness_hf.config.language_codes import code_of, is_code
from xharness_hf.config.options import AnswerOptions, Options
from xharness_hf.config.special_tokens import special_tokens

_RANKED = frozenset({"classification", "multiple_choice"})
_KINDS = {"likelihood": _RANKED, "text": _RANKED | {"extractive_qa"}}
_HASHED = frozenset({"canine"})
_TAKE_NO_KEYS = frozenset(
    {
        "albert", "bart", "canine", "deberta", "deberta-v2", "distilbert", "eurobert", "m2m_100",
        "marian", "mbart", "modernbert", "mpnet", "pegasus",
    }
)  # fmt: skip
_READ_NO_KEYS = frozenset({"mt5", "t5", "umt5"})


def unsupported(
    options: Options, wanted: CapabilityQuery, environment: RunEnvironment
) -> str | None:
    """Why the model of `options` cannot do what is wanted; None where nothing tells so yet.

    Raises:
        UnavailableError: the configuration of a hub model is needed, and cannot be fetched.
    """
    objective, recipe = wanted.objective, wanted.recipe
    adapter = recipe.adapter if recipe is not None else None
    if options.answers != "heads":
        return _in_words(options, wanted, adapter) or _unspoken(options, wanted, environment)
    if objective in (None, "shots") or (objective == "task" and adapter is None):
        return None
    found = configured(options, environment)
    if found is None:
        return None
    return _unlearnable(objective, found) or _unadapted(adapter, recipe, found)


def check_writes(options: Options, environment: RunEnvironment) -> None:
    """Whether a model that is to answer in words can write, as far as its configuration tells.

    Raises:
        ConfigurationError: it is an encoder.
        UnavailableError: the configuration of a hub model cannot be fetched.
    """
    found = configured(options, environment) if options.answers != "heads" else None
    if found is not None and found.family in ENCODERS:
        raise ConfigurationError(
            f"'{found.family}' is an encoder: it has no words to answer with",
            where=_where(options, environment),
            expected="a decoder or an encoder-decoder",
            hint="use 'mode: head'",
        )


def check_codes(options: Options, environment: RunEnvironment) -> None:
    """Whether the model has the language codes that it is said to have, as far as its files tell.

    Raises:
        ConfigurationError: it lacks one of them, or has none at all.
        UnavailableError: a file of a hub model cannot be fetched.
    """
    found = configured(options, environment) if options.codes else None
    if found is None:
        return
    where = _where(options, environment)
    if found.family not in CODED:
        raise ConfigurationError(
            f"'{found.family}' has no codes for languages", where=where, hint="leave out 'codes'"
        )
    unknown = _unknown(found, tuple(options.codes), options)
    if unknown is not None:
        raise ConfigurationError(unknown.what, where=where, hint=unknown.hint)


def _where(options: Options, environment: RunEnvironment) -> str:
    return options.hub or str(environment.base / str(options.path))


def _unspoken(options: Options, wanted: CapabilityQuery, environment: RunEnvironment) -> str | None:
    found = configured(options, environment) if wanted.languages else None
    if found is None or found.family not in CODED:
        return None
    unknown = _unknown(found, wanted.languages, options)
    return None if unknown is None else f"{unknown.what}; {unknown.hint}"


def _unknown(
    found: ModelFiles, languages: Sequence[str], options: Options
) -> ConfigurationError | None:
    """What is wrong with the first language that the model has no code for, if one has none."""
    tokens = special_tokens(found.file)
    if not any(is_code(one) for one in tokens):
        return None  # the loaded model knows
    try:
        for language in languages:
            code_of(language, tokens, options.codes)
    except ConfigurationError as error:
        return error
    return None


def _in_words(
    manner: AnswerOptions, wanted: CapabilityQuery, adapter: Adapter | None
) -> str | None:
    said = f"a model with 'answers: {manner.answers}'"
    if wanted.objective not in (None, "task", "shots"):
        return f"{said} cannot learn by '{wanted.objective}'"
    if wanted.objective == "task" and manner.answers == "likelihood":
        return f"{said} is not trained: it has strategy 'prompt' alone"
    known = _KINDS[manner.answers]
    if wanted.task_type not in known:
        return f"{said} cannot answer tasks of kind '{wanted.task_type}', only {', '.join(sorted(known))}"
    if wanted.card.verbalizer is None:
        return f"task '{wanted.card.name}' has no verbaliser: its items cannot be put into words"
    if adapter is not None and adapter.method != "lora":
        return f"{said} cannot learn a {adapter.method}"
    return None


def _unlearnable(objective: Objective | None, found: ModelFiles) -> str | None:
    if objective == "task":
        return None
    if found.family in _HASHED:
        return f"'{found.family}' has no table of sub-words, which '{objective}' learns from"
    if objective == "align":
        return None
    hides = f"'{objective}' hides words from a backbone that reads both ways"
    if found.left_to_right:
        return f"{hides}; '{found.family}' reads left to right"
    return f"{hides}; '{found.family}' has no mask token" if found.without_mask else None


def _unadapted(adapter: Adapter | None, recipe: Recipe | None, found: ModelFiles) -> str | None:
    if adapter is None or adapter.method == "lora":
        return None
    said = f"no {adapter.method} on a backbone of the family '{found.family}'"
    if adapter.method == "prompt":
        hashed = found.family in _HASHED
        return f"{said}: it takes no vectors in place of sub-words" if hashed else None
    if recipe is not None and recipe.gradient_checkpointing:
        return "no gradient checkpointing with a prefix"
    if found.family in _TAKE_NO_KEYS:
        return f"{said}: it takes no keys and values from outside"
    if found.family in _READ_NO_KEYS:
        return f"{said}: it does not read the keys and values that it is given"
    return None
