"""What the files of a sentence encoder say, in the layout of sentence-transformers.

Reimers and Gurevych 2019 (1908.10084); the names are those of the library's configurations, the
older ones too. What else they say is not asked for, and what would change vectors is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    field_validator,
    model_validator,
)

from xharness import path_inside, suggestion

Mode = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
Activation = Literal["ELU", "GELU", "Identity", "ReLU", "Sigmoid", "SiLU", "Tanh"]

MODULE_TYPES = ("Transformer", "Pooling", "Dense", "Normalize")

_VECTOR = "sentence_embedding"
_BOOLEANS: Mapping[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""How older configurations name their modes, in the order in which they are concatenated."""


class _FileContent(BaseModel):
    # the library adds keys with most releases, which change no vector
    model_config = ConfigDict(extra="ignore", frozen=True)


class ModuleEntry(_FileContent):
    """A module in its place: what it is, and the folder of its own files."""

    type: str
    path: str

    @property
    def module_type(self) -> str:
        """The last part of its type."""
        return self.type.rpartition(".")[2]

    @field_validator("type")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if not value.startswith("sentence_transformers."):
            raise ValueError(f"'{value}' is code from outside of sentence-transformers: never run")
        module_type = value.rpartition(".")[2]
        if module_type not in MODULE_TYPES:
            raise ValueError(
                f"no module '{module_type}' is read here; {suggestion(module_type, MODULE_TYPES)}"
            )
        return value

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        if value:  # the transformer itself lies beside the file
            path_inside(Path(), value)
        return value


class ModuleEntries(RootModel[list[ModuleEntry]]):
    """`modules.json`: a backbone, its pooling, then any dense layers and normalisations."""

    @model_validator(mode="after")
    def _in_order(self) -> ModuleEntries:
        types = [entry.module_type for entry in self.root]
        if types[:2] != ["Transformer", "Pooling"] or {*types[2:]} - {"Dense", "Normalize"}:
            listing = ", ".join(types) or "none"
            raise ValueError(
                f"the modules are {listing}; expected Transformer, Pooling, then Dense or Normalize"
            )
        if self.root[0].path:
            raise ValueError(f"the backbone lies in '{self.root[0].path}', not beside this file")
        if len({entry.path for entry in self.root}) < len(types):
            raise ValueError("two modules have one folder")
        return self


class PoolingConfig(_FileContent):
    """How hidden states become one vector; several modes are concatenated."""

    width: int = Field(
        gt=0, validation_alias=AliasChoices("embedding_dimension", "word_embedding_dimension")
    )
    modes: tuple[Mode, ...] = Field(min_length=1, validation_alias="pooling_mode")
    include_prompt: bool = True

    @model_validator(mode="before")
    @classmethod
    def _in_the_newer_form(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        mode = content.get("pooling_mode")
        if isinstance(mode, str):
            return content | {"pooling_mode": [mode]}
        if mode is not None:
            return content
        flags = [
            key
            for key, value in content.items()
            if key.startswith("pooling_mode_") and value is True
        ]
        unknown = [key for key in flags if key not in _BOOLEANS]
        if unknown:
            raise ValueError(f"no '{unknown[0]}' is read here; {suggestion(unknown[0], _BOOLEANS)}")
        modes = [mode for key, mode in _BOOLEANS.items() if key in flags]
        return content | {"pooling_mode": modes or ["mean"]}

    @property
    def out(self) -> int:
        """The width of the vector."""
        return self.width * len(self.modes)


class _OnVectors(_FileContent):
    module_input_name: str = _VECTOR
    module_output_name: str | None = None

    @field_validator("module_input_name", "module_output_name")
    @classmethod
    def _the_pooled_one(cls, value: str | None) -> str | None:
        if value not in (None, _VECTOR):
            raise ValueError(f"'{value}' is not read here, only '{_VECTOR}'")
        return value


class Normalize(_OnVectors):
    """A vector is made 1 long."""


class Dense(_OnVectors):
    """A linear layer and an activation function on the vector."""

    in_features: int = Field(gt=0)
    out_features: int = Field(gt=0)
    bias: bool = True
    # The library's own default, which its files need not state.
    activation_function: Activation = "Tanh"
    use_residual: bool = False

    @field_validator("activation_function", mode="before")
    @classmethod
    def _of_torch(cls, value: Any) -> Any:
        qualified = isinstance(value, str) and value.startswith("torch.nn.")
        return value.rpartition(".")[2] if qualified else value

    @field_validator("use_residual")
    @classmethod
    def _without_residual(cls, value: bool) -> bool:
        if value:
            raise ValueError("no dense layer with a residual connection is read here")
        return value


class TransformerSettings(_FileContent):
    """`sentence_bert_config.json`: how the backbone reads texts."""

    max_seq_length: int | None = Field(default=None, gt=0)
    """Sub-words of the longest text; newer folders leave it to the tokenizer."""
    do_lower_case: bool = False
    transformer_task: Literal["feature-extraction"] = "feature-extraction"


class PromptsConfig(_FileContent):
    """`config_sentence_transformers.json`: what stands before texts, by name."""

    prompts: Mapping[str, str | None] = Field(default_factory=dict)
    default_prompt_name: str | None = None
