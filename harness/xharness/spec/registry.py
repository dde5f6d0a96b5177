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

from xharness.errors import suggestion
from xharness.spec import documents
from xharness.spec.documents import Strict

_SAME = re.compile(r"[\s_-]+")
_REMARK = re.compile(r"\s*\([^()]*\)\s*$")


class RegisteredModel(Strict):
    """One model of the registry; counts are parameters."""

    name: str
    hub: str
    family: str
    total: int | None
    embedding: int | None = Field(description="parameters of the token embedding")
    non_embedding: int | None
    tokenizer: str | None
    max_length: int | None
    license: str | None
    confidence: Literal["published", "computed", "approximate"]
    note: str | None = None
    aliases: tuple[str, ...] = ()
    options: dict[str, str] = Field(
        default={}, description="what a study says beside `hub` so that all parameters are used"
    )


class RegistryQuery(Strict):
    """Which models of the registry are meant; one of no verified size fits no question of size."""

    family: str | tuple[str, ...] | None = Field(default=None, description="mmBERT, or a list")
    min_total: float | None = Field(default=None, gt=0, description="parameters, at least")
    max_total: float | None = Field(default=None, gt=0, description="parameters, at most")
    min_non_embedding: float | None = Field(default=None, gt=0)
    max_non_embedding: float | None = Field(default=None, gt=0)

    def matching(self) -> tuple[RegisteredModel, ...]:
        """The models that fit, in the order of the registry.

        Raises:
            ValueError: no model does, or a family that no model has.
        """
        families = (self.family,) if isinstance(self.family, str) else self.family or ()
        known = {one.family for one in models()}
        for family in families:
            if family.casefold() not in map(str.casefold, known):
                raise ValueError(
                    f"no model of the registry is of family '{family}'; {suggestion(family, known)}"
                )
        found = tuple(one for one in models() if self._fits(one, families))
        if not found:
            asked = ", ".join(f"{name}: {value}" for name, value in self if value is not None)
            raise ValueError(f"no model of the registry fits ({asked})")
        return found

    def _fits(self, one: RegisteredModel, families: tuple[str, ...]) -> bool:
        if families and one.family.casefold() not in map(str.casefold, families):
            return False
        return _between(one.total, self.min_total, self.max_total) and _between(
            one.non_embedding, self.min_non_embedding, self.max_non_embedding
        )


def _between(size: int | None, least: float | None, most: float | None) -> bool:
    if size is None:
        return least is None and most is None
    return (least or 0) <= size <= (most if most is not None else size)


class _Registry(Strict):
    models: tuple[RegisteredModel, ...]


@cache
def models() -> tuple[RegisteredModel, ...]:
    """Every model of the registry, in the order of the file."""
    file = resources.files("xharness.spec") / "registry.yaml"
    return documents.validate(documents.read(file, "registry.yaml"), _Registry).models


def find_model(name: str) -> RegisteredModel | None:
    """The model of that name, hub id or alias; a remark in brackets behind it is ignored."""
    return _index().get(_plain(name)) or _index().get(_plain(_REMARK.sub("", name)))


@cache
def _index() -> dict[str, RegisteredModel]:
    return {
        _plain(name): one
        for one in models()
        for name in (one.name, one.hub, one.hub.rpartition("/")[2], *one.aliases)
    }


def _plain(name: str) -> str:
    return _SAME.sub("-", name.strip().casefold())
