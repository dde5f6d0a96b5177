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


def root_hint(environment: RunEnvironment) -> str:
    """What to add to a hint when there is no data root to look in."""
    if environment.data_root is not None:
        return ""
    return "; then say where <root> is: neither --data-root nor XHARNESS_DATA_ROOT is set"
