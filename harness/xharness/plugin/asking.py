"""Questions to what plugins offer: an answer, or one message that names who broke down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from xharness.errors import PluginError, XharnessError
from xharness.plugin.manager import summary

Answer = TypeVar("Answer")


def ask(offer: str, question: Callable[[], Answer], where: str | None = None) -> Answer:
    """What `question` gives; `offer` says in errors whose it is, such as "backend 'hf'".

    Raises:
        XharnessError: as the offer says itself.
        PluginError: it broke down.
    """
    try:
        return question()
    except XharnessError:
        raise
    # An offer is anyone's code: whatever it raises costs what it stands for, not the run.
    except (Exception, SystemExit) as error:
        raise PluginError(f"{offer} failed: {summary(error)}", where=where) from error


def ask_fingerprint(offer: str, question: Callable[[], object], where: str | None = None) -> str:
    """What identifies data, a model or a translation, with errors as `ask`.

    Raises:
        PluginError: what was given identifies nothing.
    """
    fingerprint = ask(offer, question, where)
    if not isinstance(fingerprint, str) or not fingerprint:
        raise PluginError(
            f"{offer} gives {fingerprint!r} for a fingerprint",
            where=where,
            expected="a text that is not empty",
        )
    return fingerprint
