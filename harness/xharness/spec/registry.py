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
from xharness.spec.examination import validate
from xharness.spec.fields import Strict

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
    """A query of the registry; a model of no verified size fits no question of size."""

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
        names = {model.family for model in models()}
        for family in families:
            if family.casefold() not in map(str.casefold, names):
                raise ValueError(
                    f"no model of the registry is of family '{family}'; {suggestion(family, names)}"
                )
        matches = tuple(model for model in models() if self._fits(model, families))
        if not matches:
            query = ", ".join(f"{name}: {value}" for name, value in self if value is not None)
            raise ValueError(f"no model of the registry fits ({query})")
        return matches

    def _fits(self, model: RegisteredModel, families: tuple[str, ...]) -> bool:
        if families and model.family.casefold() not in map(str.casefold, families):
            return False
        return _is_between(model.total, self.min_total, self.max_total) and _is_between(
            model.non_embedding, self.min_non_embedding, self.max_non_embedding
        )


def _is_between(size: int | None, minimum: float | None, maximum: float | None) -> bool:
    # A model whose size nobody verified must not slip into a study about sizes.
    if size is None:
        return minimum is None and maximum is None
    return (minimum or 0) <= size <= (maximum if maximum is not None else size)


class _Registry(Strict):
    models: tuple[RegisteredModel, ...]


@cache
def models() -> tuple[RegisteredModel, ...]:
    """Every model of the registry, in the order of the file."""
    file = resources.files("xharness.spec") / "registry.yaml"
    return validate(documents.read(file, "registry.yaml"), _Registry).models


def find_model(name: str) -> RegisteredModel | None:
    """The model of that name, hub id or alias; a remark in brackets behind it is ignored."""
    # As it is written first: a few names have brackets of their own.
    return _index().get(_normal_name(name)) or _index().get(_normal_name(_REMARK.sub("", name)))


@cache
def _index() -> dict[str, RegisteredModel]:
    return {
        _normal_name(name): model
        for model in models()
        for name in (model.name, model.hub, model.hub.rpartition("/")[2], *model.aliases)
    }


def _normal_name(name: str) -> str:
    return _SAME.sub("-", name.strip().casefold())
