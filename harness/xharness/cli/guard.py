"""The last line of defence: every ending becomes a message and an exit code.

0    done
1    some stages failed, or a check found a difference
2    wrong usage or configuration: nothing was run
3    data, a model or a device is unavailable
130  interrupted; the state is saved
"""

from __future__ import annotations

import errno
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

import typer
from typer.core import TyperGroup

from xharness.cli.lm_eval_words import translation
from xharness.errors import XharnessError, printable, reason_of, without_secrets

# A stage; what was typed or written; what is not here; as shells say of Ctrl-C: 128 + 2.
FAILED, WRONG, UNAVAILABLE, INTERRUPTED = 1, 2, 3, 130
_TRACEBACK = "xharness.traceback"
_NO_COMMAND = re.compile(r"No such command '([^']*)'")


def ask_for_traceback(context: typer.Context, requested: bool) -> bool:
    """Remember `--debug`, for all commands of this invocation."""
    context.meta[_TRACEBACK] = requested or context.meta.get(_TRACEBACK, False)
    return requested


class Guarded(TyperGroup):
    """A group of commands whose errors become one message, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        _spell_out_half_characters()
        try:
            return super().invoke(ctx)
        except XharnessError as error:
            _report(ctx, str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            print("\ninterrupted: the state is saved, the same command goes on", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # `xharness cards list | head`
            _close_quietly()
            raise typer.Exit(0) from None
        except OSError as error:
            # Whatever was read or written, the system has said what is wrong with it.
            location = f"{error.filename}: " if error.filename else ""
            _report(ctx, f"{location}{reason_of(error)}{_advice(error)}")
            raise typer.Exit(WRONG) from None
        # A plugin may exit, or raise what nobody catches: that is no success, and no silence.
        except BaseException as error:
            # typer's own complaints about words and flags are finished messages.
            if isinstance(error, Exception) and _is_usage_error(error):
                _translate(error)
                raise
            _report(ctx, f"{type(error).__name__}: {error}", defect=True)
            raise typer.Exit(FAILED) from None


@contextmanager
def readers_may_leave() -> Iterator[None]:
    """For output after work: `xharness run | head` still ends with the code of the run."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _close_quietly()


def treat_termination_as_interrupt() -> None:
    """SIGTERM, which schedulers send, ends a run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _spell_out_half_characters() -> None:
    """File names may have them, and no terminal and no pipe takes them as they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _advice(error: OSError) -> str:
    """A next step, where one is known."""
    advice = {
        errno.EACCES: "may this user read and write it?",
        errno.EPERM: "may this user read and write it?",
        errno.ENOSPC: "free some space or inodes, or name another folder; the same command goes on",
        errno.EDQUOT: "free some space, or name another folder; the same command goes on",
        errno.EROFS: "name another folder with --store or --output",
        errno.ENAMETOOLONG: "give it a shorter name",
    }.get(error.errno or 0)
    return f"\n  {advice}" if advice else ""


def _report(ctx: Any, message: str, *, defect: bool = False) -> None:
    if ctx.meta.get(_TRACEBACK):
        print(without_secrets(traceback.format_exc()), file=sys.stderr)
    print(f"error: {printable(message)}", file=sys.stderr)
    if defect and not ctx.meta.get(_TRACEBACK):
        print("  run with --debug for the traceback: xharness --debug ...", file=sys.stderr)


def _is_usage_error(error: Exception) -> bool:
    """Whether typer reports the error itself, with an exit code of its own."""
    return hasattr(error, "exit_code")


def _translate(error: Any) -> None:
    """Add to a flag or command that nobody knows what it is called here, where others have it."""
    # Typer keeps the name of a flag, and of a command only what it says of it.
    command = _NO_COMMAND.match(getattr(error, "message", ""))
    hint = translation(getattr(error, "option_name", None) or (command[1] if command else ""))
    if hint is not None:
        error.message = f"{error.message}\n  {hint}"


def _close_quietly() -> None:
    """Nobody reads standard output any more; keep Python from complaining at its end."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
