"""Which files, or addresses, hold a split."""

from __future__ import annotations

from xharness.errors import UnavailableError, suggestion

Locations = str | tuple[str, ...] | dict[str, str | tuple[str, ...]]
"""One, several, or several for each split; `{split}` stands for the split's name."""


def of_split(locations: Locations, split: str, where: str) -> tuple[str, ...]:
    """The locations of `split`, in order.

    Raises:
        UnavailableError: the locations are given for each split, but not for this one.
    """
    if isinstance(locations, dict):
        if split not in locations:
            raise UnavailableError(
                f"there is no split '{split}'", where=where, hint=suggestion(split, locations)
            )
        locations = locations[split]
    several = (locations,) if isinstance(locations, str) else locations
    return tuple(one.replace("{split}", split) for one in several)
