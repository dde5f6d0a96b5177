"""Which state of a training is its result."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from xharness.spec.fields import Strict


class SelectionSpec(Strict):
    """Which state of a training is its result."""

    by: Literal["last", "source-dev", "target-dev", "average"] = Field(
        description="the last state; the best on dev data in the source language, or in the "
        "target's languages (an oracle: zero-shot transfer has none); the mean of several"
    )
    num_evals: int = Field(default=10, ge=1, description="evenly spaced evaluations")
    patience: int | None = Field(
        default=None,
        gt=0,
        description="evaluations without improvement before training ends early",
    )
    limit: int | None = Field(default=None, gt=0, description="dev items per language, at most")

    @model_validator(mode="after")
    def _dev_data_is_read(self) -> SelectionSpec:
        for name in ("patience", "limit"):
            if getattr(self, name) is not None and self.by in ("last", "average"):
                raise ValueError(f"'{name}' needs dev data: source-dev or target-dev")
        return self

    def label(self, strategy: str, *, first: bool) -> str:
        """How the board calls an arm of `strategy`; an oracle never hides."""
        # Whoever reads a board must see that such a number knew the target languages.
        if self.by == "target-dev":
            return f"{strategy} (target-dev, oracle)"
        return strategy if first else f"{strategy} ({self.by})"


def _selections(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    return [{"by": entry} if isinstance(entry, str) else entry for entry in entries]


def _unique(value: tuple[SelectionSpec, ...]) -> tuple[SelectionSpec, ...]:
    names = [selection.by for selection in value]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate:
        raise ValueError(f"'{duplicate}' stands twice")
    return value


Selections = Annotated[
    tuple[SelectionSpec, ...],
    BeforeValidator(_selections),
    AfterValidator(_unique),
    Field(min_length=1),
]
"""One selection or several; each after the first is an arm of its own."""
