"""Source score, mean of the others and gap as curves: of one arm, or of one arm minus another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xharness.gaps import intervals
from xharness.gaps.cells import Cells
from xharness.gaps.samples import Sample
from xharness.gaps.values import Estimate, Seed
from xharness.spec.languages import name_of
from xharness.task_types.base import Floats

_ALIKE = ("metric", "split", "protocol", "provenance")
_SCORES = (0.0, 100.0)


@dataclass(frozen=True)
class Curves:
    """Curves of shape (1 + resamples, seeds) in points; `undefined` is why there is no gap."""

    source: Floats | None = None
    mean: Floats | None = None
    languages: Mapping[str, Floats] = field(default_factory=dict)
    seeds: tuple[Seed, ...] = ()
    counted: float = 0
    """Seeds behind it, on average where it is an average over tasks."""
    over: tuple[str, ...] = ()
    undefined: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> Floats | None:
        return _minus(self.source, self.mean)

    @property
    def light(self) -> Curves:
        """Without the curves of single languages, which are most of the memory."""
        return replace(self, languages={})

    def estimate(self, curve: Floats | None) -> Estimate | None:
        """One of the curves as a number with its interval."""
        return None if curve is None else intervals.estimate(curve, self.over, self.counted)

    def score(self, curve: Floats | None) -> Estimate | None:
        """The same for a score, which no interval takes below 0 or above 100."""
        if curve is None:
            return None
        return intervals.estimate(curve, self.over, self.counted, _SCORES)

    def ratio(self, part: Floats | None, whole: Floats | None) -> Estimate | None:
        """A ratio of two curves; None where `whole` may well be zero."""
        if part is None or whole is None:
            return None
        curve = intervals.ratio(part, whole)
        return self.estimate(curve) if np.isfinite(curve).all() else None


@dataclass(frozen=True)
class Reading:
    """Which part of a sample is read: these seeds and languages, with or without its items."""

    seeds: tuple[Seed, ...]
    languages: tuple[str, ...]
    items: bool

    @property
    def over(self) -> tuple[str, ...]:
        """What is known to vary in this reading."""
        return ("items",) * self.items + ("seeds",) * (len(self.seeds) > 1)


def curves(sample: Sample, reading: Reading) -> Curves:
    """The curves of one arm on one task."""
    cells = sample.cells
    if cells.problem is not None:
        return Curves(undefined=cells.problem)
    scores = _by_language(sample, reading)
    others = [scores[one] for one in reading.languages if one != cells.source_language]
    return Curves(
        source=scores.get(cells.source_language or ""),
        mean=np.mean(others, axis=0) if others else None,
        languages=scores,
        seeds=reading.seeds,
        counted=len(reading.seeds),
        over=reading.over,
        undefined=_why_no_gap(cells, reading.languages),
    )


def _by_language(sample: Sample, reading: Reading) -> dict[str, Floats]:
    cells = sample.cells
    seeds = [cells.seeds.index(one) for one in reading.seeds]
    values = (sample.values if reading.items else sample.constant)[:, seeds]
    return {one: values[:, :, cells.languages.index(one)] for one in reading.languages}


def whole(sample: Sample) -> Reading:
    """Everything a sample has."""
    return Reading(sample.cells.seeds, sample.cells.languages, bool(sample.items))


def difference(arm: Sample, base: Sample) -> Curves:
    """One arm minus another, on the seeds, languages and items that both have."""
    for sample in (arm, base):
        if sample.cells.problem is not None:
            return Curves(
                undefined=f"no score of '{sample.cells.strategy}': {sample.cells.problem}"
            )
    seeds = tuple(one for one in arm.cells.seeds if one in base.cells.seeds)
    languages = tuple(one for one in arm.cells.languages if one in base.cells.languages)
    unlike = _why_unlike(arm, base, seeds, languages)
    if unlike is not None:
        return Curves(undefined=unlike)
    reading = Reading(seeds, languages, bool(arm.items and base.items))
    ours, theirs = curves(arm, reading), curves(base, reading)
    return Curves(
        source=_minus(ours.source, theirs.source),
        mean=_minus(ours.mean, theirs.mean),
        languages={one: ours.languages[one] - theirs.languages[one] for one in languages},
        seeds=seeds,
        counted=len(seeds),
        over=reading.over,
        undefined=ours.undefined or theirs.undefined,
        notes=_compared_on(arm.cells, base.cells, seeds, languages),
    )


def _minus(ours: Floats | None, theirs: Floats | None) -> Floats | None:
    return None if ours is None or theirs is None else ours - theirs


def _why_no_gap(cells: Cells, languages: Sequence[str]) -> str | None:
    source = cells.source_language
    if source is None:
        return "no test set in the source language"
    if source not in languages:
        return f"no score in {name_of(source)}: {cells.absent.get(source, 'not in the rows')}"
    if len(languages) == 1:
        return f"no language beside {name_of(source)}"
    return None


def _why_unlike(
    arm: Sample, base: Sample, seeds: Sequence[Seed], languages: Sequence[str]
) -> str | None:
    """Why the two must not be subtracted."""
    against = f"'{base.cells.strategy}'"
    for name in _ALIKE:
        if getattr(arm.cells.any_row, name) != getattr(base.cells.any_row, name):
            return f"another {name} than {against}"
    if not seeds:
        return f"no seed in common with {against}"
    if not languages:
        return f"no language in common with {against}"
    if arm.items and base.items:
        for one in languages:
            if arm.items[one] != base.items[one]:
                return f"other items than {against} in {name_of(one)}"
    return None


def _compared_on(
    arm: Cells, base: Cells, seeds: Sequence[Seed], languages: Sequence[str]
) -> tuple[str, ...]:
    """What the comparison leaves out because only one of the two has it."""
    notes = []
    if not set(arm.seeds) == set(base.seeds) == set(seeds):
        notes.append(f"compared on seed {', '.join(map(str, seeds))}: all that both have")
    if not set(arm.languages) == set(base.languages) == set(languages):
        notes.append(f"compared on {len(languages)} languages: all that both have")
    return tuple(notes)
