"""Does the gap, or what a strategy changes in it, move with model size?

Pooled over all models and within families: a slope across families confounds size with pretraining
data and date. Parameters outside the embedding come first: the others mostly count the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from xharness.gaps import averages, slopes
from xharness.gaps.averages import Found
from xharness.gaps.curves import Curves
from xharness.gaps.scores import Missing, Score
from xharness.gaps.slopes import Sized
from xharness.gaps.trend_text import answer, notes, untold
from xharness.gaps.values import Axis, Point, Pool, Trend

Of = Literal["gap", "change"]
FEWEST = 3  # sizes that a slope with an interval needs
_AXES: tuple[Axis, ...] = ("non-embedding", "total")


@dataclass(frozen=True)
class Size:
    """How large a model is, and which models it is one size of."""

    total: int | None
    body: int | None
    family: str | None

    def along(self, axis: Axis) -> int | None:
        """The parameters that count on this axis."""
        return self.total if axis == "total" else self.body


def sizes(rows: Iterable[Score | Missing]) -> dict[str, Size]:
    """Model to its size, from its first row that knows it."""
    found: dict[str, Size] = {}
    for row in rows:
        if isinstance(row, Score) and row.parameters is not None:
            one = Size(row.parameters, row.non_embedding_parameters, row.family)
            found.setdefault(row.model, one)
    return found


def trends(
    found: Sequence[Found], pools: Sequence[Pool], sizes: Mapping[str, Size], baseline: str
) -> tuple[Trend, ...]:
    """The trends of the first pool's averages, for every strategy, pooled and within families."""
    if not pools or not pools[0].tasks:
        return ()
    pool = pools[0]
    own = averages.members(found, pool.provenance, pool.protocol, pool.arms)
    alike = [one for one in own if pool.languages.get(one.gap.task) == one.gap.languages]
    strategies = sorted({strategy for _, strategy in pool.arms})
    kinds: list[tuple[Of, str]] = [("change", one) for one in strategies if one != baseline]
    kinds += [("gap", one) for one in strategies]
    return tuple(
        _trend(Trend(of, strategy, baseline, axis, family, tasks=pool.tasks), alike, sizes)
        for of, strategy in kinds
        for axis in _AXES
        for family in (None, *_families(sizes, pool))
    )


def _families(sizes: Mapping[str, Size], pool: Pool) -> list[str]:
    """Families of several models, unless one of them holds all."""
    models = {model for model, _ in pool.arms if model in sizes}
    named = [sizes[model].family for model in sorted(models)]
    return sorted({one for one in named if one is not None and 1 < named.count(one) < len(named)})


def _trend(empty: Trend, found: Sequence[Found], sizes: Mapping[str, Size]) -> Trend:
    models = sorted(_models(empty, found, sizes), key=lambda one: (one.parameters, one.name))
    known = replace(
        empty,
        points=tuple(Point(one.name, one.parameters, one.value) for one in models),
        languages=tuple(sorted({language for one in models for _, language in one.cells})),
    )
    many = len({one.parameters for one in models})
    if many < FEWEST:
        return untold(known, f"a slope with an interval needs {FEWEST} sizes, there are {many}")
    known = replace(known, slope=slopes.mixed(models), check=slopes.averaged(models))
    if known.slope is None:
        return untold(known, "the mixed-effects model can't be fitted to these rows")
    near = [one.name for one in models if one.near_chance]
    return replace(known, answer=answer(known), notes=notes(known, near))


def _models(empty: Trend, found: Sequence[Found], sizes: Mapping[str, Size]) -> Iterator[Sized]:
    """The models that have the strategy's number on every task, and a size."""
    for model, size in sizes.items():
        parameters = size.along(empty.axis)
        if not parameters or empty.family not in (None, size.family):
            continue
        arm = (model, empty.strategy)
        own = {one.gap.task: one for one in found if one.gap.arm == arm}
        curves = [_curves(own[task], empty.of) for task in empty.tasks if task in own]
        if len(curves) < len(empty.tasks) or any(one is None or one.gap is None for one in curves):
            continue
        cells = {place: value for task in empty.tasks for place, value in _cells(own[task], empty)}
        near = any(own[task].gap.near_chance for task in empty.tasks)
        yield Sized(model, parameters, averages.mean(cast(list[Curves], curves)), cells, near)


def _curves(found: Found, of: Of) -> Curves | None:
    own = found.curves if of == "gap" else found.changed
    return own if own is not None and own.undefined is None else None


def _cells(found: Found, empty: Trend) -> Iterator[tuple[tuple[str, str], float]]:
    """The gap of each language beside the source language, or its change."""
    gap = found.gap
    scores = (
        {one: score.value for one, score in gap.scores.items()}
        if empty.of == "gap"
        else found.changes
    )
    source = scores[cast(str, gap.source_language)]
    for language in gap.languages:
        if language in scores:
            yield (gap.task, language), source - scores[language]
