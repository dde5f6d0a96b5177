"""What a study asks for and cannot get, in few rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from xharness.gaps.scores import Missing
from xharness.planning.plan import Plan


def condensed(plan: Plan, missing: Iterable[Missing]) -> list[dict[str, Any]]:
    """One row for each task and reason: in which languages, for how many of the arms."""
    study = plan.study
    run_count = len([*study.arms]) * len(study.seeds)
    languages: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    arms: dict[tuple[str, str], set[tuple[str, str, int | None]]] = defaultdict(set)
    for row in missing:
        key = (row.task, row.reason)
        languages[key][row.language or "all"] = None
        arms[key].add((row.model, row.strategy, row.seed))
    return [
        {
            "task": task,
            "languages": list(languages[task, reason]),
            "arms": _arm_names(reason_arms, run_count),
            "reason": reason,
        }
        for (task, reason), reason_arms in arms.items()
    ]


def _arm_names(arms: set[tuple[str, str, int | None]], run_count: int) -> str:
    """Few by name, many by number."""
    names = sorted({f"{model} · {strategy}" for model, strategy, _ in arms})
    if len(arms) == run_count:
        return "all"
    return ", ".join(names) if len(names) < 3 else f"{len(arms)} of {run_count}"
