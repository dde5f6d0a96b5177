"""`xharness compare`: what changes from one run, or one arm, to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xharness import leaderboard
from xharness.console import show_json, show_table
from xharness.gaps import Metrics
from xharness.leaderboard import comparison
from xharness.leaderboard.comparison import Compared
from xharness.leaderboard.text import points, with_interval
from xharness.session.session import open_catalogue


def compare(a: str, b: str, run: Path | None, extra: Iterable[str], *, as_json: bool) -> None:
    """Print the paired differences, B minus A, task by task and language by language.

    Raises:
        ConfigurationError: no such run or arm, or nothing that both have.
    """
    metrics = leaderboard.metrics_of(open_catalogue(extra))
    found = _compared(a, b, run, metrics)
    if as_json:
        show_json([asdict(one) for one in found])
        return
    print(f"A: {a}\nB: {b}\nB minus A, in points; p after Holm's correction over languages.")
    for one in found:
        _show(one)


def _compared(a: str, b: str, run: Path | None, metrics: Metrics) -> list[Compared]:
    if run is not None:
        side = comparison.side(run)
        return comparison.compare(side, side, comparison.arms(side, a, b), metrics)
    first, second = comparison.side(Path(a)), comparison.side(Path(b))
    return comparison.compare(first, second, comparison.alike(first, second), metrics)


def _show(one: Compared) -> None:
    title = f"{one.task}: {one.pair.name}"
    change = one.change
    rows = [_row(code, one) for code in _languages(one)]
    for name, estimate in (("mean of others", change.mean), ("gap", change.gap)):
        if estimate is not None:
            told = with_interval(estimate, change=True)
            rows.append(_line(name, _side_value(one.a, name), _side_value(one.b, name), told))
    show_table(rows, title=title, right=("A", "B", "B − A", "p", "p adjusted"))
    why = [change.undefined] if change.undefined is not None else []
    for told in (*why, *change.notes, *_notes(one)):
        print(f"  {told}")


def _notes(one: Compared) -> list[str]:
    """What is said of both sides, and of one of them alone."""
    sides = [part.notes if part is not None else () for part in (one.a, one.b)]
    every = dict.fromkeys(note for notes in sides for note in notes)
    owners = {note: [name for name, own in zip("AB", sides, strict=True) if note in own]
              for note in every}  # fmt: skip
    return [note if len(who) > 1 else f"{who[0]}: {note}" for note, who in owners.items()]


def _languages(one: Compared) -> Sequence[str]:
    """The languages with a test, the source language first."""
    source = one.a.source_language if one.a is not None else None
    return sorted(one.change.tests, key=lambda code: (code != source, code))


def _row(code: str, one: Compared) -> dict[str, Any]:
    test = one.change.tests[code]
    scores = [part.scores.get(code) if part is not None else None for part in (one.a, one.b)]
    a, b = ("—" if score is None else points(score.value) for score in scores)
    told = with_interval(test.difference, change=True)
    return _line(code, a, b, told, test.p, test.adjusted, test.method)


def _line(
    name: str,
    a: str,
    b: str,
    difference: str,
    p: float | None = None,
    adjusted: float | None = None,
    method: str = "",
) -> dict[str, Any]:
    return {
        "language": name, "A": a, "B": b, "B − A": difference,
        "p": _chance(p), "p adjusted": _chance(adjusted), "test": method,
    }  # fmt: skip


def _chance(p: float | None) -> str:
    if p is None:
        return "—"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _side_value(part: Any, name: str) -> str:
    estimate = None if part is None else (part.mean if name == "mean of others" else part.gap)
    return "—" if estimate is None else points(estimate.value)
