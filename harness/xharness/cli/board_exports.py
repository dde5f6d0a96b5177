"""`xharness leaderboard export`: a board's rows for other programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

from xharness import leaderboard
from xharness.errors import ConfigurationError, suggestion
from xharness.files import write_bytes
from xharness.leaderboard.exports import FORMATS
from xharness.leaderboard.exports.every_eval_ever import to_records
from xharness.session.session import open_catalogue

EVERY = "every-eval-ever"


def export(
    folder: Path, to: Path, format: str | None, organization: str, extra: Iterable[str]
) -> None:
    """Write the board's rows to the file `to`, or, for Every Eval Ever, a record each into it.

    Raises:
        ConfigurationError: no such format, no board, or a place that can't be written.
    """
    kind = _format(to, format)
    metrics = leaderboard.metrics_of(open_catalogue(extra))
    board = leaderboard.read(folder, metrics)
    if kind == EVERY:
        records = to_records(board, metrics, int(time.time()), organization)
        made = {to / f"{name}.json": _json(one) for name, one in records.items()}
    else:
        made = {to: FORMATS[kind](board)}
    for path, content in made.items():
        _save(path, content)
        print(path)


def _format(to: Path, wanted: str | None) -> str:
    known = [*FORMATS, EVERY]
    found = wanted or to.suffix.removeprefix(".")
    if found in known:
        return found
    if wanted is None:
        raise ConfigurationError(
            "the file's name does not say the format", where=str(to),
            hint=f"end it with {', '.join('.' + name for name in FORMATS)}, or name one of "
            f"{', '.join(known)} with --format",
        )  # fmt: skip
    raise ConfigurationError(f"there is no format '{wanted}'", hint=suggestion(wanted, known))


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _save(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(path)) from None
