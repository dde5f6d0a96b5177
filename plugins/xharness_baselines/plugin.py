"""The baselines this package offers."""

from __future__ import annotations

from collections.abc import Iterable

from xharness import Backend, hookimpl
from xharness_baselines.backend import Baseline
from xharness_baselines.chance import RandomModel
from xharness_baselines.majority import MajorityModel
from xharness_baselines.ngrams import NgramModel
from xharness_baselines.text import NgramOptions

_LABELLED = frozenset(
    {"classification", "multiple_choice", "tagging", "extractive_qa_unanswerable"}
)
_VECTORS = frozenset({"bitext_retrieval", "retrieval", "entity_linking", "bitext_mining"})
_ALL = _LABELLED | _VECTORS | {"extractive_qa"}


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return (
        Baseline("majority", _LABELLED, MajorityModel),
        Baseline("random", _ALL, RandomModel),
        Baseline("ngrams", _ALL, NgramModel, NgramOptions),
    )
