"""What users write into files is made of: strict models, names, prose and addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from xharness.errors import suggestion


class Strict(BaseModel):
    """The base of everything users write: frozen, and unknown keys are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or cls.model_config.get("extra") != "forbid":
            return data
        # Pydantic would refuse them too, but after all else and without the nearest name.
        keys = {field.alias or name for name, field in cls.model_fields.items()}
        for key in data:
            if key not in keys and key not in cls.model_fields:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key '{key}'; {hint}",
                    {"key": str(key), "hint": suggestion(str(key), keys)},
                )
        return data


def _name(value: str) -> str:
    inner = value.replace("_", "").replace("-", "").replace(".", "")
    if not value.isascii() or not inner.isalnum() or value[0] == "." or value[-1] == ".":
        raise ValueError(
            f"'{value}' must be made of ASCII letters, digits, '_', '-' and, within it, '.'"
        )
    return value


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_name)]
"""A name that is safe as a file name on any system."""


def _prose(value: str) -> str:
    for match in _DESTINATION.finditer(value):
        if not _ADDRESS.fullmatch(match["inline"] or match["reference"] or ""):
            raise ValueError(
                f"'{match[0].strip()}' must lead to an address with https:// or http://"
            )
    return value


_DESTINATION = re.compile(
    r"\]\(\s*<?(?P<inline>[^)\s>]*)|^\s{0,3}\[[^\]]+\]:\s*<?(?P<reference>\S*)", re.MULTILINE
)
_ADDRESS = re.compile(r"(?:https?://|mailto:|#)[^&]*(?:&(?!#)[^&]*)*|[^:&]*")

Prose = Annotated[str, AfterValidator(_prose)]
"""Markdown that pages show; its links lead to addresses of the web alone."""


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"]+", value):
        raise ValueError(f"'{value}' is not an address with https:// or http://")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""Of a page."""
