"""Whether an id stands twice among millions, in sixteen bytes an id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_SIZE = 16  # bytes of a digest: equal ones are of equal ids
_MOST_NEW = 4096  # ids that are held as texts


class ItemIds:
    """Ids that came so far: the last ones as texts, digests of the others in sorted blocks."""

    def __init__(self) -> None:
        self._count = 0
        self._new: set[str] = set()
        self._blocks: list[NDArray[np.bytes_]] = []

    def __len__(self) -> int:
        return self._count

    def add(self, item: str) -> str | None:
        """Take an id; one that is known to stand twice, this one or one of the last few thousand.

        The very last ones are only compared with all others by `repeated`.
        """
        if item in self._new:
            return item
        self._count += 1
        self._new.add(item)
        return self.repeated() if len(self._new) >= _MOST_NEW else None

    def repeated(self) -> str | None:
        """One of the ids that stands twice; None where there is none."""
        items, self._new = [*self._new], set()
        digests = _digests(items)
        for block in self._blocks:
            indices = np.searchsorted(block, digests).clip(max=len(block) - 1)
            matches = np.flatnonzero(block[indices] == digests)
            if len(matches):
                return min(items[index] for index in matches)
        self._blocks.append(np.sort(digests))
        # Blocks of like size become one: few are searched, and each id is sorted a few times.
        while len(self._blocks) > 1 and len(self._blocks[-2]) <= len(self._blocks[-1]):
            merged = np.concatenate(self._blocks[-2:])
            merged.sort()
            self._blocks[-2:] = [merged]
        return None


def _digests(items: Iterable[str]) -> NDArray[np.bytes_]:
    texts = (item.encode("utf-8", "surrogatepass") for item in items)
    return np.array(
        [hashlib.blake2b(text, digest_size=_SIZE).digest() for text in texts], f"S{_SIZE}"
    )
