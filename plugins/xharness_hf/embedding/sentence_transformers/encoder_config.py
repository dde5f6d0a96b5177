"""What a folder declares of its sentence vectors, read as JSON before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from xharness import ConfigurationError, Document, UnavailableError, read_json, validate
from xharness_hf.embedding.sentence_transformers.layout import (
    Dense,
    ModuleEntries,
    ModuleEntry,
    Normalize,
    PoolingConfig,
    PromptsConfig,
    TransformerSettings,
)
from xharness_hf.embedding.sentence_transformers.prompts import (
    Prompts,
    PromptsByRole,
    prompts_by_role,
    prompts_file,
)
from xharness_hf.files.folders import MODULES, PROMPTS, SETTINGS

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class SentenceEncoderConfig:
    """The modules of a sentence encoder, its longest text in sub-words, and its prompts."""

    pooling: PoolingConfig
    upper_modules: Mapping[str, Dense | Normalize]
    """What stands on the pooled vector, in order, by its folder."""
    settings: TransformerSettings
    prompts: PromptsByRole
    files: Mapping[str, Any]
    """The files that say so, by their paths; these prompts stand in place of the folder's."""

    @property
    def dense_modules(self) -> Mapping[str, Dense]:
        """The dense layers by their folders."""
        return {
            path: module for path, module in self.upper_modules.items() if isinstance(module, Dense)
        }

    @property
    def width(self) -> int:
        """Of a vector."""
        return [self.pooling.out, *(module.out_features for module in self.dense_modules.values())][
            -1
        ]

    def meaning(self) -> dict[str, Any]:
        """Everything that changes vectors, weights aside, as a JSON value."""
        upper = [
            [type(module).__name__, _meaning(module)] for module in self.upper_modules.values()
        ]
        lower = {"pooling": _meaning(self.pooling), "settings": _meaning(self.settings)}
        return lower | {"above": upper, "prompts": dict(self.prompts)}


def is_sentence_encoder(folder: Path) -> bool:
    """Whether `folder` is in the layout of sentence-transformers."""
    return (folder / MODULES).is_file()


def read(folder: Path, prompts: Prompts) -> SentenceEncoderConfig:
    """What `folder` declares; `prompts` are a study's own.

    Raises:
        UnavailableError: a file is missing or damaged.
        ConfigurationError: it declares what is not read here.
    """
    files = {MODULES: _json(folder, MODULES)}
    _transformer, pooling_entry, *entries = _validated(folder, MODULES, files, ModuleEntries).root
    pooling = _module_config(folder, pooling_entry, files, PoolingConfig)
    upper_modules = {entry.path: _upper_module(folder, entry, files) for entry in entries}
    # Older releases of the library named the file after the class of the model.
    settings = next((file.name for file in sorted(folder.glob(SETTINGS))), None)
    if settings is not None:
        files[settings] = _json(folder, settings)
    files[PROMPTS] = _json(folder, PROMPTS) if (folder / PROMPTS).is_file() else {}
    encoder = SentenceEncoderConfig(
        pooling,
        upper_modules,
        TransformerSettings()
        if settings is None
        else _validated(folder, settings, files, TransformerSettings),
        prompts_by_role(_validated(folder, PROMPTS, files, PromptsConfig), prompts),
        files,
    )
    # what is saved reads alike without the study that chose the prompts
    files[PROMPTS] = files[PROMPTS] | prompts_file(encoder.prompts)
    _check_widths(encoder, folder)
    return encoder


def _meaning(content: BaseModel) -> dict[str, Any]:
    return content.model_dump(mode="json", exclude_defaults=True)


def _upper_module(folder: Path, entry: ModuleEntry, files: dict[str, Any]) -> Dense | Normalize:
    if entry.module_type == "Normalize" and not (folder / _config_path(entry)).is_file():
        return Normalize()  # older ones have nothing to say, and git keeps no empty folder
    if entry.module_type == "Normalize":
        return _module_config(folder, entry, files, Normalize)
    return _module_config(folder, entry, files, Dense)


def _module_config(
    folder: Path, entry: ModuleEntry, files: dict[str, Any], model: type[_Model]
) -> _Model:
    files[_config_path(entry)] = _json(folder, _config_path(entry))
    return _validated(folder, _config_path(entry), files, model)


def _config_path(entry: ModuleEntry) -> str:
    return f"{entry.path}/config.json"


def _validated(folder: Path, name: str, files: Mapping[str, Any], model: type[_Model]) -> _Model:
    return validate(Document(str(folder / name), files[name], {}), model)


def _json(folder: Path, name: str) -> Any:
    file = folder / name
    try:
        return read_json(file)
    except FileNotFoundError:
        raise UnavailableError(
            "there is no such file",
            where=str(file),
            expected="a sentence encoder in the layout of sentence-transformers",
            hint="fetch it, or leave out 'embeddings: sentence-transformers': vectors are "
            "then made by the recipe's 'pooling' and 'layer'",
        ) from None
    except (OSError, ValueError) as error:
        raise UnavailableError(f"not to be read as JSON: {error}", where=str(file)) from None


def _check_widths(encoder: SentenceEncoderConfig, folder: Path) -> None:
    widths = [(MODULES, 0, encoder.pooling.out)]
    widths += [
        (path, module.in_features, module.out_features)
        for path, module in encoder.dense_modules.items()
    ]
    for (_, _, output_width), (path, input_width, _) in pairwise(widths):
        if output_width != input_width:
            raise ConfigurationError(
                f"the dense layer takes vectors of width {input_width} and is given {output_width}",
                where=str(folder / path),
            )
