"""Models that publications speak of: sizes, families and where to find them, from one YAML file.

Sizes are what the publisher or a model index says, else computed from the configuration; what
nobody verified is None. A study measures the sizes of its own models itself.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field

from xharness import documents
from xharness.documents import Strict

_SAME = re.compile(r"[\s_-]+")
_REMARK = re.compile(r"\s*\([^()]*\)\s*$")


class Known(Strict):
    """One model of the registry; counts are parameters."""

    name: str
    hub: str
    family: str
    total: int | None
    embedding: int | None = Field(description="parameters of the token embedding")
    non_embedding: int | None
    tokenizer: str | None
    max_length: int | None
    licence: str | None
    confidence: Literal["published", "computed", "approximate"]
    note: str | None = None
    aliases: tuple[str, ...] = ()


class _Registry(Strict):
    models: tuple[Known, ...]


@cache
def models() -> tuple[Known, ...]:
    """Every model of the registry, in the order of the file."""
    file = resources.files("xharness") / "registry.yaml"
    return documents.validate(documents.read(file, "registry.yaml"), _Registry).models


def find(name: str) -> Known | None:
    """The model of that name, hub id or alias; a remark in brackets behind it is ignored."""
    return _index().get(_plain(name)) or _index().get(_plain(_REMARK.sub("", name)))


@cache
def _index() -> dict[str, Known]:
    return {
        _plain(name): one
        for one in models()
        for name in (one.name, one.hub, one.hub.rpartition("/")[2], *one.aliases)
    }


def _plain(name: str) -> str:
    return _SAME.sub("-", name.strip().casefold())
