"""Every way xharness says no, each with its exit code.

An error names what is wrong, where, what was expected, and the next step. Only these classes may
reach the user; anything else is a defect and shows a traceback under ``--debug``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

_SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY")
_SHORTEST_SECRET = 8
_NAMED = 12  # candidates that a suggestion lists where none is close


class XharnessError(Exception):
    """What is wrong (`what`), where (`where`), and what would be right (`expected`, `hint`)."""

    exit_code: ClassVar[int] = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        super().__init__(str(self))

    @property
    def reason(self) -> str:
        """The error without its hint, which is for whoever sits at the terminal."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; expected {self.expected}" if self.expected else text

    def __str__(self) -> str:
        return f"{self.reason}\n  {self.hint}" if self.hint else self.reason


class ConfigurationError(XharnessError):
    """A file, a name or an option that cannot be right: nothing was run."""

    exit_code = 2


def raise_all(errors: Sequence[ConfigurationError]) -> None:
    """Raise what is wrong, all of it in one error; nothing where there is none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigurationError("\n".join(dict.fromkeys(map(str, errors))))


class UnavailableError(XharnessError):
    """What cannot be had here: data or a model (offline, gated, changed since pinned), a device."""

    exit_code = 3


class PluginError(UnavailableError):
    """An offer that broke down: a defect of its plugin; what it stands for cannot be had."""


class NoRowsError(UnavailableError):
    """Data that is there, with no row in this language: the other languages can go on."""


class UnsupportedError(XharnessError):
    """What a model or a task type cannot do: the plan leaves the arm out, the study is right."""


class StageError(XharnessError):
    """A stage that could not finish; the others go on."""

    exit_code = 1


class BackendError(StageError):
    """What a backend says that cannot be: a class that is none, a size below zero."""


def reason_of(error: BaseException) -> str:
    """Why a file could not be read or written, in words: without number and path."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text ({error.reason})"
    return getattr(error, "strerror", None) or str(error)


def without_secrets(text: str) -> str:
    """`text` without the hub's token, which a library may have put into an error."""
    for name in _SECRETS:
        secret = os.environ.get(name, "")
        # What is shorter is no token, and would take letters out of every message.
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, f"<{name}>")
    return text


def printable(text: str) -> str:
    """`text` without secrets, its half and control characters spelt out; lines and tabs stay.

    Odd file names have half characters (lone surrogates); the others would have a terminal do
    things.
    """
    visible = CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", without_secrets(text))
    return visible.encode("utf-8", "backslashreplace").decode()


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
HALF = re.compile("[\ud800-\udfff]")


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` most likely stands for, or None when nothing is close."""
    matches = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return matches[0] if matches else None


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """A next step for an unknown `name`: the nearest candidate, else all of them."""
    names = sorted(candidates)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean '{close}'?"
    if not names:
        return "there are none"
    first = ", ".join(names[:_NAMED])
    return f"known: {first}" + (f", … ({len(names)} in all)" if len(names) > _NAMED else "")
