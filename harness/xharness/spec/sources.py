"""Where a card's rows come from: a source by name, its options, and the rows to keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from xharness.spec.languages import LanguageCode

Split = Literal["train", "validation", "test"]
_SPLIT_NAMES = dict.fromkeys(("dev", "val", "valid", "eval"), "validation")


def split_name(name: Any) -> Any:
    """A split as cards call it: `dev` is validation; what has no other name stays as it is."""
    normalized = name.strip().casefold() if isinstance(name, str) else name
    return _SPLIT_NAMES.get(normalized, normalized) if isinstance(name, str) else name


SplitName = Annotated[Split, BeforeValidator(split_name)]
"""A split as people write it: `dev` is understood."""


class SourceSpec(BaseModel):
    """Where rows come from: the name of a source, its own options, and how splits are called.

    `{language}` expands to the language's code, `{code}` to what `codes` calls that language,
    everywhere in the source's own options, in `splits`, in `filter` and in `exclude`.
    """

    # What is left over is for the source, whose `options` check it when the card is.
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    source: str = Field(alias="from", description="a source by name: hub, url, file, mini, …")
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="the languages served here; all of the card's when absent"
    )
    codes: dict[LanguageCode, str] = Field(
        default={}, description="what the source calls a language, where it is not its code"
    )
    splits: dict[SplitName, str] = Field(
        default={"train": "train", "validation": "validation", "test": "test"},
        description="what the source calls each split that it has",
    )
    filter: dict[str, str] = Field(
        default={}, description="keep the rows whose column matches this pattern (* and ?)"
    )
    exclude: dict[str, str] = Field(
        default={}, description="drop the rows whose column matches this pattern: {label: '-1'}"
    )
    join: bool = Field(
        default=False, description="its rows come after those of the source above, as one data set"
    )
    download_instructions: str | None = Field(
        default=None, description="for data that no address gives: what to put there, and how"
    )
    explode: str | None = Field(
        default=None,
        description="a column that lists things: one row for each, its columns added to the row's",
    )

    @property
    def source_options(self) -> dict[str, Any]:
        """What is left for the source itself to read."""
        return dict(self.model_extra or {})

    def serves(self, language: str, split: Split) -> bool:
        """Whether rows of `language` and `split` are looked for here."""
        return split in self.splits and (self.languages is None or language in self.languages)

    def expand(self, value: Any, language: str) -> Any:
        """`value` with `{language}` and `{code}` filled in, inside lists and mappings too."""
        if isinstance(value, str):
            code = self.codes.get(language, language)
            # Not `str.format`: an address or a pattern may hold braces of its own.
            return value.replace("{language}", language).replace("{code}", code)
        if isinstance(value, list | tuple):
            return [self.expand(item, language) for item in value]
        if isinstance(value, dict):
            return {key: self.expand(item, language) for key, item in value.items()}
        return value
