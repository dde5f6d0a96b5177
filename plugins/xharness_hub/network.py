"""Whether the network may be used, and how the Hugging Face libraries are told that it may not."""

from __future__ import annotations

import os

from xharness import RunEnvironment

_VARIABLES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
_TRUE = {"1", "ON", "YES", "TRUE"}


def is_offline(environment: RunEnvironment) -> bool:
    """Whether the run, or the environment it runs in, forbids the network.

    The libraries read their variables once, at import; so they are set here, beforehand.
    """
    forbidden = environment.offline or any(
        os.environ.get(name, "").upper() in _TRUE for name in _VARIABLES
    )
    # Never unset: a process that was told to stay offline stays so.
    if forbidden:
        os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    return forbidden


_OWN_FILES = "\n  or read files that you have: a card whose source is {from: file, path: FILE}"


def hint_without_network(copy: str, environment: RunEnvironment) -> str:
    """How to do without the network: first `copy`, which says how to fill the data root."""
    if environment.data_root is not None:
        return copy + _OWN_FILES
    root = "; then say where <root> is: neither --data-root nor XHARNESS_DATA_ROOT is set"
    return copy + root + _OWN_FILES
