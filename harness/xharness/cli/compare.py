"""`xharness compare`: what changes from one run, or one arm, to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags

if TYPE_CHECKING:
    from xharness.gaps import Metrics, TaskGap
    from xharness.leaderboard.comparison import Compared


def compare(
    a: Annotated[str, typer.Argument(help="A run's folder; with --run, an arm.")],
    b: Annotated[str, typer.Argument(help="What is compared with it.")],
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="DIR", help="Whose arms: MODEL:STRATEGY, or one of both."),
    ] = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Compare two runs, or two arms: paired differences with tests.

    \b
    xharness compare runs/before runs/after
    xharness compare single multitask --run runs/demo
    """
    from xharness import leaderboard
    from xharness.console import show_json
    from xharness.session.catalogue import open_catalogue

    metrics = leaderboard.metrics_of(open_catalogue(plugin or ()))
    comparisons = _comparisons(a, b, run, metrics)
    if json:
        show_json([asdict(comparison) for comparison in comparisons])
        return
    print(f"A: {a}\nB: {b}\nB minus A, in points; p after Holm's correction over languages.")
    for comparison in comparisons:
        _show(comparison)


def _comparisons(a: str, b: str, run: Path | None, metrics: Metrics) -> list[Compared]:
    from xharness.leaderboard import comparison

    if run is not None:
        side = comparison.side(run)
        return comparison.compare(side, side, comparison.arms(side, a, b), metrics)
    side_a, side_b = comparison.side(Path(a)), comparison.side(Path(b))
    return comparison.compare(side_a, side_b, comparison.common_arms(side_a, side_b), metrics)


def _show(comparison: Compared) -> None:
    from xharness.console import show_table
    from xharness.leaderboard import columns
    from xharness.leaderboard.text import with_interval

    title = f"{comparison.task}: {comparison.pair.name}"
    change = comparison.change
    rows = [_language_row(code, comparison) for code in _languages(comparison)]
    for name, estimate in ((columns.OTHERS, change.others), (columns.GAP, change.gap)):
        if estimate is not None:
            a, b = _side_value(comparison.a, name), _side_value(comparison.b, name)
            rows.append(_row(name, a, b, with_interval(estimate, change=True)))
    show_table(rows, title=title, right=("A", "B", "B − A", "p", "p adjusted"))
    reasons = [change.undefined] if change.undefined is not None else []
    for note in (*reasons, *change.notes, *_notes(comparison)):
        print(f"  {note}")


def _notes(comparison: Compared) -> list[str]:
    """Notes of the sides; those that only one has begin with its letter."""
    sides = [side.notes if side is not None else () for side in (comparison.a, comparison.b)]
    letters = {
        note: [letter for letter, side_notes in zip("AB", sides, strict=True) if note in side_notes]
        for notes in sides
        for note in notes
    }
    return [
        note if len(note_letters) > 1 else f"{note_letters[0]}: {note}"
        for note, note_letters in letters.items()
    ]


def _languages(comparison: Compared) -> Sequence[str]:
    """The languages with a test, the source language first."""
    source = comparison.a.source_language if comparison.a is not None else None
    return sorted(comparison.change.tests, key=lambda code: (code != source, code))


def _language_row(code: str, comparison: Compared) -> dict[str, Any]:
    from xharness.leaderboard.text import points, with_interval

    test = comparison.change.tests[code]
    scores = [
        side.scores.get(code) if side is not None else None for side in (comparison.a, comparison.b)
    ]
    a, b = ("—" if score is None else points(score.value) for score in scores)
    difference = with_interval(test.difference, change=True)
    return _row(code, a, b, difference, test.difference.p, test.adjusted, test.method)


def _row(
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
        "p": _p_value(p), "p adjusted": _p_value(adjusted), "test": method,
    }  # fmt: skip


def _p_value(p: float | None) -> str:
    from xharness.leaderboard.text import p_text

    return "—" if p is None else p_text(p)


def _side_value(side: TaskGap | None, name: str) -> str:
    from xharness.leaderboard import columns
    from xharness.leaderboard.text import points

    estimate = None if side is None else (side.others if name == columns.OTHERS else side.gap)
    return "—" if estimate is None else points(estimate.value)
