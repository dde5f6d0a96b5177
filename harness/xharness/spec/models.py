"""The models of a study: a backend with its options, or queries of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from xharness.spec.documents import Name, Strict
from xharness.spec.languages import LanguageCode
from xharness.spec.published import Size
from xharness.spec.recipe import Changes, Grid
from xharness.spec.registry import RegistryQuery, find_model


class Pretraining(Strict):
    """The stage that turns a scratch model into a multilingual one."""

    corpus: Name = Field(description="a bitext card with a train split")
    objectives: tuple[Literal["mlm", "tlm", "align"], ...] = Field(
        default=("mlm", "tlm"),
        min_length=1,
        description="masked words, masked words in aligned pairs, aligned sub-word embeddings",
    )
    languages: tuple[LanguageCode, ...] | None = Field(default=None, description="default: all")
    limit: int | None = Field(default=None, gt=0, description="sentence pairs per language")
    seed: int = 0
    recipe: Changes = Field(
        default={}, description="its recipe; the study's own, which is for tasks, does not apply"
    )


class ModelSpec(BaseModel):
    """A model: its name on the board, the backend that makes it, and the backend's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    backend: str = "hf"
    size: Size = Field(default="base", description="which column of a published recipe is for it")
    family: str | None = Field(
        default=None, description="models of one family share a trend; default: the registry's"
    )
    pretrained_on: tuple[LanguageCode, ...] | None = Field(
        default=None, description="the languages of its pretraining, for the board to tell apart"
    )
    pretrain: Pretraining | None = None
    recipe: Grid = Field(default={}, description="recipe fields that differ for it")

    def saw(self, language: str) -> bool | None:
        """Whether its pretraining included `language`, where that is known."""
        languages = self.pretrained_on or (self.pretrain.languages if self.pretrain else None)
        return None if languages is None else language in languages

    @property
    def known_family(self) -> str | None:
        """Its family: as the study says, or as the registry does of a model on the hub."""
        if self.family or "hub" not in self.backend_options:
            return self.family
        registered = find_model(str(self.backend_options["hub"]))
        return registered.family if registered else None

    @property
    def backend_options(self) -> dict[str, Any]:
        """What is left for the backend itself to read."""
        return dict(self.model_extra or {})


def _models(value: Any) -> Any:
    """Models, each query such as `{max_total: 1e9, family: mmbert}` replaced by those it matches.

    What else a query says is for each of its models; one that is listed by name is not repeated.
    """
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list | tuple):
        return value
    hubs = {entry.get("hub") for entry in entries if isinstance(entry, dict)}
    models: list[Any] = []
    for entry in entries:
        if _is_query(entry):
            matches = [model for model in _matches(entry) if model["hub"] not in hubs]
            models += matches
            hubs |= {model["hub"] for model in matches}
        else:
            models.append(entry)
    return models


def _is_query(entry: Any) -> bool:
    query_fields = RegistryQuery.model_fields
    return isinstance(entry, dict) and "name" not in entry and bool(entry.keys() & query_fields)


def _matches(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    fields = RegistryQuery.model_fields
    query = RegistryQuery(**{key: value for key, value in entry.items() if key in fields})
    options = {key: value for key, value in entry.items() if key not in fields}
    for model in query.matching():
        yield {"name": model.name, "hub": model.hub, **options}


Models = Annotated[tuple[ModelSpec, ...], BeforeValidator(_models), Field(min_length=1)]
"""At least one model, queries of the registry already replaced."""
