"""The models of a study: a backend with its options, or queries of the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from xharness.spec.fields import Name, Strict
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
    # One of its own: all seeds of a study begin with the same pretrained model.
    seed: int = 0
    recipe: Changes = Field(
        default={}, description="its recipe; the study's own, which is for tasks, does not apply"
    )


class ModelSpec(BaseModel):
    """A model: its name on the board, the backend that makes it, and the backend's own options."""

    # What is left over is for the backend, whose `options` check it while planning.
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


_FOLDER = re.compile(r"[./~].*|.*\\.*|[^/]*/[^/]*/.*|[A-Za-z]:.*")
"""What can be no id of the hub, which is a name or organisation/name."""
_OUTSIDE_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def model_name(entry: Any) -> str | None:
    """What the board calls a model of the study's file; None for a query of the registry."""
    if isinstance(entry, str):
        entry = {"model": entry}
    if not isinstance(entry, dict) or "name" in entry or not isinstance(entry.get("model"), str):
        return entry.get("name") if isinstance(entry, dict) else None
    last_part = re.split(r"[/\\]", entry["model"].rstrip("/\\"))[-1]
    return _OUTSIDE_NAMES.sub("-", last_part).strip(".-")[:80] or "model"


def _located(entry: Any, base: Path | None) -> Any:
    """A model's entry with `hub` or `path` in place of `model: ID-or-folder`, or of the bare text.

    A folder that is there comes first, as for `from_pretrained`; then what the registry knows.
    """
    if isinstance(entry, str):
        entry = {"model": entry}
    if not isinstance(entry, dict) or entry.get("backend", "hf") != "hf" or "model" not in entry:
        return entry
    location = entry["model"]
    if not isinstance(location, str) or not location.strip():
        raise ValueError("'model' is organisation/name on the hub, or a folder")
    second = next((key for key in ("hub", "path", "gguf", "scratch") if key in entry), None)
    if second is not None:
        raise ValueError(f"'model' says what '{second}' says; keep one of the two")
    options = {key: value for key, value in entry.items() if key != "model"}
    options = {"name": model_name(entry), **options}
    is_folder = _FOLDER.fullmatch(location) or (base is not None and (base / location).is_dir())
    if is_folder:
        return {**options, "path": location}
    registered = find_model(location)
    return {**options, "hub": registered.hub if registered is not None else location}


def _models(value: Any, info: ValidationInfo) -> Any:
    """Models, each query such as `{max_total: 1e9, family: mmbert}` replaced by those it matches.

    What else a query says is for each of its models; one that is listed by name is not repeated.
    """
    entries = [value] if isinstance(value, dict | str) else value
    if not isinstance(entries, list | tuple):
        return value
    base = info.context["base"] if info.context else None
    located: list[Any] = [_located(entry, base) for entry in entries]
    # As text: an id that is a list is refused later, with its line.
    hubs = {str(entry.get("hub")) for entry in located if isinstance(entry, dict)}
    models: list[Any] = []
    for entry in located:
        if _is_query(entry):
            # Those named anywhere in the list were taken in first: the ones below count too.
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
