"""Which files, or addresses, hold a split."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from xharness import UnavailableError, suggestion

_OneOrMore = str | tuple[str, ...]
_Written = _OneOrMore | dict[str, _OneOrMore]
_PICKLES = {".pkl", ".pickle", ".dill", ".joblib"}


def _no_pickles(
    locations: _OneOrMore | dict[str, _OneOrMore],
) -> _OneOrMore | dict[str, _OneOrMore]:
    for location in all_locations(locations):
        if _PICKLES & {*PurePosixPath(location.lower()).suffixes}:
            raise ValueError(
                f"'{location}' is a pickle, and reading one runs whatever code is in it; "
                "export its rows as JSON lines where it may be trusted (docs/metrics.md, checklist)"
            )
    return locations


Locations = Annotated[_Written, AfterValidator(_no_pickles)]
"""One, several, or several for each split; `{split}` stands for the split's name."""


def all_locations(locations: _Written) -> Iterable[str]:
    """All locations, of whatever split."""
    parts = locations.values() if isinstance(locations, dict) else (locations,)
    return (location for part in parts for location in ((part,) if isinstance(part, str) else part))


def of_split(locations: Locations, split: str, error_place: str) -> tuple[str, ...]:
    """The locations of `split`, in order.

    Raises:
        UnavailableError: the locations are given for each split, but not for this one.
    """
    if isinstance(locations, dict):
        if split not in locations:
            raise UnavailableError(
                f"there is no split '{split}'", where=error_place, hint=suggestion(split, locations)
            )
        locations = locations[split]
    split_locations = (locations,) if isinstance(locations, str) else locations
    return tuple(location.replace("{split}", split) for location in split_locations)
