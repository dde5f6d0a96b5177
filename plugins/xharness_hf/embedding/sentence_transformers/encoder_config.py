"""What a folder declares of its sentence vectors, read as JSON before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from xharness import ConfigurationError, UnavailableError
from xharness.spec.documents import Document, validate
from xharness_hf.embedding.sentence_transformers.layout import (
    Dense,
    ModuleEntries,
    ModuleEntry,
    Normalize,
    PoolingConfig,
    PromptsConfig,
    TransformerSettings,
)
from xharness_hf.embedding.sentence_transformers.prompts import ByRole, Prompts, resolved, written
from xharness_hf.files.folders import MODULES, PROMPTS, SETTINGS

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class SentenceEncoderConfig:
    """The modules of a sentence encoder, its longest text in sub-words, and its prompts."""

    pooling: PoolingConfig
    above: Mapping[str, Dense | Normalize]
    """What stands on the pooled vector, in order, by its folder."""
    settings: TransformerSettings
    prompts: ByRole
    files: Mapping[str, Any]
    """The files that say so, by their paths; these prompts stand in place of the folder's."""

    @property
    def dense(self) -> Mapping[str, Dense]:
        """The dense layers by their folders."""
        return {path: one for path, one in self.above.items() if isinstance(one, Dense)}

    @property
    def width(self) -> int:
        """Of a vector."""
        return [self.pooling.out, *(one.out_features for one in self.dense.values())][-1]

    def meaning(self) -> dict[str, Any]:
        """Everything that changes vectors, weights aside, as a JSON value."""
        above = [[type(one).__name__, _meaning(one)] for one in self.above.values()]
        own = {"pooling": _meaning(self.pooling), "settings": _meaning(self.settings)}
        return own | {"above": above, "prompts": dict(self.prompts)}


def declares(folder: Path) -> bool:
    """Whether `folder` is in the layout of sentence-transformers."""
    return (folder / MODULES).is_file()


def read(folder: Path, prompts: Prompts) -> SentenceEncoderConfig:
    """What `folder` declares; `prompts` are a study's own.

    Raises:
        UnavailableError: a file is missing or damaged.
        ConfigurationError: it declares what is not read here.
    """
    files = {MODULES: _json(folder, MODULES)}
    _body, pooled, *entries = _said(folder, MODULES, files, ModuleEntries).root
    pooling = _own(folder, pooled, files, PoolingConfig)
    above = {entry.path: _above(folder, entry, files) for entry in entries}
    settings = next((file.name for file in sorted(folder.glob(SETTINGS))), None)
    if settings is not None:
        files[settings] = _json(folder, settings)
    files[PROMPTS] = _json(folder, PROMPTS) if (folder / PROMPTS).is_file() else {}
    found = SentenceEncoderConfig(
        pooling,
        above,
        TransformerSettings()
        if settings is None
        else _said(folder, settings, files, TransformerSettings),
        resolved(_said(folder, PROMPTS, files, PromptsConfig), prompts),
        files,
    )
    files[PROMPTS] = files[PROMPTS] | written(found.prompts)
    _check_widths(found, folder)
    return found


def _meaning(said: BaseModel) -> dict[str, Any]:
    return said.model_dump(mode="json", exclude_defaults=True)


def _above(folder: Path, entry: ModuleEntry, files: dict[str, Any]) -> Dense | Normalize:
    if entry.kind == "Normalize" and not (folder / _config(entry)).is_file():
        return Normalize()  # older ones have nothing to say, and git keeps no empty folder
    if entry.kind == "Normalize":
        return _own(folder, entry, files, Normalize)
    return _own(folder, entry, files, Dense)


def _own(folder: Path, entry: ModuleEntry, files: dict[str, Any], model: type[_Model]) -> _Model:
    files[_config(entry)] = _json(folder, _config(entry))
    return _said(folder, _config(entry), files, model)


def _config(entry: ModuleEntry) -> str:
    return f"{entry.path}/config.json"


def _said(folder: Path, name: str, files: Mapping[str, Any], model: type[_Model]) -> _Model:
    return validate(Document(str(folder / name), files[name], {}), model)


def _json(folder: Path, name: str) -> Any:
    file = folder / name
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnavailableError(
            "there is no such file",
            where=str(file),
            expected="a sentence encoder in the layout of sentence-transformers",
            hint="fetch it, or leave out 'embeddings: sentence-transformers': vectors are then made by the "
            "recipe's 'pooling' and 'layer'",
        ) from None
    except (OSError, ValueError) as error:
        raise UnavailableError(f"not to be read as JSON: {error}", where=str(file)) from None


def _check_widths(found: SentenceEncoderConfig, folder: Path) -> None:
    parts = [(MODULES, 0, found.pooling.out)]
    parts += [(path, one.in_features, one.out_features) for path, one in found.dense.items()]
    for (_, _, given), (path, taken, _) in pairwise(parts):
        if given != taken:
            raise ConfigurationError(
                f"the dense layer takes vectors of width {taken} and is given {given}",
                where=str(folder / path),
            )
