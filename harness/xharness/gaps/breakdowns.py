"""The mean of the others, taken apart: by language family, by script, by pretraining."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache

from xharness.gaps.influences import ArmItems
from xharness.gaps.intervals import gap_estimates, score_estimates
from xharness.gaps.values import Breakdown, Estimate
from xharness.spec.languages import find_language

Breakdowns = dict[str, Breakdown]


def breakdowns(arm: ArmItems) -> tuple[Breakdowns, Breakdowns, Breakdowns]:
    """By family, as the benchmarks count them (Germanic and Slavic are both Indo-European), by
    ISO 15924 script, and by whether the model's pretraining included the language."""
    pretrained: Mapping[str, bool | None] = {
        row.language: row.seen for row in arm.cells.rows.values()
    }
    names = {True: "seen", False: "unseen", None: None}
    ways = [
        _groups(arm, lambda code: _trait_of(code, "family")),
        _groups(arm, lambda code: _trait_of(code, "script")),
        _groups(arm, lambda code: names[pretrained[code]]),
    ]
    groups = [codes for way in ways for codes in way.values()]
    means = [{code: 1 / len(codes) for code in codes} for codes in groups]
    source = arm.cells.source_language
    gaps: list[dict[str, float]] = []
    if source is not None and source in arm.cells.languages:
        gaps = [{source: 1.0} | {code: -share for code, share in mean.items()} for mean in means]
    # All groups of all three ways at once: each call goes through the covariances of all languages.
    quantities = arm.quantities([*means, *gaps])
    of_means = score_estimates(quantities[: len(groups)])
    no_gaps: list[Estimate | None] = [None] * len(groups)
    of_gaps = gap_estimates(quantities[len(groups) :]) or no_gaps
    breakdown_iterator = iter(map(Breakdown, groups, of_means, of_gaps))
    families, scripts, pretraining = (
        {name: next(breakdown_iterator) for name in way} for way in ways
    )
    return families, scripts, pretraining


def _groups(arm: ArmItems, group_of: Callable[[str], str | None]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for language in arm.cells.others:
        name = group_of(language)
        if name is not None:
            groups[name].append(language)
    return {name: tuple(groups[name]) for name in sorted(groups)}


@cache
def _trait_of(language: str, trait: str) -> str | None:
    known = find_language(language)
    # A branch follows the family behind a colon: `Indo-European: Germanic`.
    return str(getattr(known, trait)).partition(":")[0] or None if known is not None else None
