"""What is missing for one reason is one row, whatever differs from task to task."""

from __future__ import annotations

from xharness.gaps.scores import MissingRow
from xharness.session.opened_study import _common_reason, _filled


def row(task: str, language: str) -> MissingRow:
    reason = f"data/{task}/{language}: there is no such file"
    return MissingRow(
        model="m", strategy="single", seed=1, task=task, language=language, reason=reason
    )


def test_only_what_differs_is_left_open() -> None:
    rows = [row("red", "de"), row("red", "sw")]
    (reason,) = {_common_reason(missing) for missing in rows}
    assert _filled(reason, rows) == "data/red/<language>: there is no such file"
    assert _filled(reason, rows[:1]) == rows[0].reason
    others = [row("red", "de"), row("blue", "de")]
    assert _filled(reason, others) == "data/<task>/de: there is no such file"
