"""The mean of the others, taken apart: by language family, by script, by pretraining."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from xharness.gaps.cells import Cells
from xharness.gaps.curves import Curves
from xharness.gaps.values import Estimate, Part
from xharness.spec.languages import LANGUAGES


def families(cells: Cells, own: Curves) -> dict[str, Part]:
    """By family, as the benchmarks count them: Germanic and Slavic are both Indo-European."""
    return _parts(cells, own, lambda one: _known(one, "family"))


def scripts(cells: Cells, own: Curves) -> dict[str, Part]:
    """By ISO 15924 script."""
    return _parts(cells, own, lambda one: _known(one, "script"))


def pretraining(cells: Cells, own: Curves) -> dict[str, Part]:
    """By whether the model's pretraining included the language, where the rows say so."""
    seen: Mapping[str, bool | None] = {row.language: row.seen for row in cells.rows.values()}
    names = {True: "seen", False: "unseen", None: None}
    return _parts(cells, own, lambda one: names[seen[one]])


def _known(language: str, what: str) -> str | None:
    if language not in LANGUAGES:
        return None
    return cast(str, getattr(LANGUAGES[language], what)).partition(":")[0]


def _parts(cells: Cells, own: Curves, part_of: Callable[[str], str | None]) -> dict[str, Part]:
    found: dict[str, list[str]] = defaultdict(list)
    for language in cells.others:
        name = part_of(language)
        if name is not None:
            found[name].append(language)
    return {name: _part(own, tuple(found[name])) for name in sorted(found)}


def _part(own: Curves, languages: tuple[str, ...]) -> Part:
    mean = np.mean([own.languages[one] for one in languages], axis=0)
    gap = None if own.source is None else own.source - mean
    return Part(languages, cast(Estimate, own.score(mean)), own.estimate(gap))
