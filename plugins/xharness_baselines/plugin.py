"""The baselines this package offers."""

from __future__ import annotations

from collections.abc import Iterable

from xharness.extend import Backend
from xharness.hookspecs import hookimpl
from xharness_baselines.backend import Baseline
from xharness_baselines.chance import RandomModel
from xharness_baselines.majority import MajorityModel
from xharness_baselines.model import NoOptions
from xharness_baselines.ngrams import NgramModel
from xharness_baselines.text import NgramOptions

_LABELLED = frozenset({"classification", "choice", "tagging", "span_or_none"})
_VECTORS = frozenset({"bitext", "retrieval", "linking", "mining"})
_ALL = _LABELLED | _VECTORS | {"span"}


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return (
        Baseline("majority", NoOptions, _LABELLED, MajorityModel),
        Baseline("random", NoOptions, _ALL, RandomModel),
        Baseline("ngrams", NgramOptions, _ALL, NgramModel),
    )
