"""Parts: what an interrupted attempt left of a stage, believed only where its seal says so.

No receipt vouches for a file before its stage is finished. So each part that the next attempt goes
on from has a seal, its digest in a file of its own; a part without one, or with another, is as good
as none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xharness.digests import file_digest
from xharness.files import atomic_file, make_folder, write_text
from xharness.store.receipt import SCRATCH


class Parts:
    """The parts of the stage in `folder`, wherever in it they lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sealed: set[Path] = set()

    def has(self, path: Path) -> bool:
        """Whether the part at `path` is there as it was written; a damaged one is told, once."""
        # Digested once a process: parts are asked for again and again.
        if path in self._sealed:
            return path.is_file()
        if not path.is_file():
            return False
        if not self._is_sound(path):
            print(f"{path}: damaged or half written, made again", file=sys.stderr)
            path.unlink()
            return False
        self._sealed.add(path)
        return True

    @contextmanager
    def write(self, path: Path) -> Iterator[Path]:
        """A file to write to, which becomes the part at `path` and is sealed at the block's end."""
        make_folder(path.parent)
        with atomic_file(path) as partial:
            yield partial
            seal = file_digest(partial)
        make_folder(self._seal(path).parent)
        write_text(self._seal(path), seal)
        self._sealed.add(path)

    def _is_sound(self, path: Path) -> bool:
        try:
            return self._seal(path).read_bytes() == file_digest(path).encode()
        except OSError:
            return False

    def _seal(self, path: Path) -> Path:
        # Among what does not outlive the stage: its receipt then vouches for all files.
        sealed_file = self._folder / SCRATCH / "seals" / path.relative_to(self._folder)
        return sealed_file.with_name(f"{path.name}.seal")
