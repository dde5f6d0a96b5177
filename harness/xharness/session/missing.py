"""What a study asks for and cannot get, told briefly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from xharness.gaps.scores import Missing
from xharness.planning.plan import Plan


def condensed(plan: Plan, missing: Iterable[Missing]) -> list[dict[str, Any]]:
    """One row for each task and reason: in which languages, for how many of the arms."""
    study = plan.study
    whole = len([*study.arms]) * len(study.seeds)
    languages: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    arms: dict[tuple[str, str], set[tuple[str, str, int | None]]] = defaultdict(set)
    for one in missing:
        key = (one.task, one.reason)
        languages[key][one.language or "all"] = None
        arms[key].add((one.model, one.strategy, one.seed))
    return [
        {
            "task": task,
            "languages": list(languages[task, reason]),
            "arms": _told(who, whole),
            "reason": reason,
        }
        for (task, reason), who in arms.items()
    ]


def _told(arms: set[tuple[str, str, int | None]], whole: int) -> str:
    """Few by name, many by number."""
    names = sorted({f"{model} · {strategy}" for model, strategy, _ in arms})
    if len(arms) == whole:
        return "all"
    return ", ".join(names) if len(names) < 3 else f"{len(arms)} of {whole}"
