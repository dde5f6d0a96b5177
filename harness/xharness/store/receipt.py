"""The receipt of a finished stage: facts about it, and the digest of every file and of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.digests import digest, file_digest
from xharness.errors import StageError
from xharness.files import json_text, make_durable, write_json

RECEIPT = "receipt.json"
WITHOUT_WEIGHTS = "receipt-without-weights.json"
"""The receipt of a training that is done, and whose weights were removed."""
SCRATCH = "unfinished"
"""Folder inside a stage's folder for what does not outlive its completion."""


class DamagedStageError(StageError):
    """A finished stage that is not as it was stored; it is moved aside and done again."""

    def __init__(self, what: str, *, folder: Path, where: str) -> None:
        super().__init__(what, where=where, hint="run again: the stage is done once more")
        self.key = folder.name
        self._folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return _damaged, (self.what, self._folder, self.where)


def _damaged(what: str, folder: Path, where: str) -> DamagedStageError:
    return DamagedStageError(what, folder=folder, where=where)


@dataclass(frozen=True)
class Receipt:
    """What a finished stage leaves: facts about it, and the digest of every file."""

    key: str
    facts: Mapping[str, Any]
    files: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Receipt:
        """The receipt in a stage's folder.

        Raises:
            DamagedStageError: the receipt is missing, or is not what was written.
        """
        path = folder / RECEIPT
        if not path.is_file() and (folder / WITHOUT_WEIGHTS).is_file():
            path = folder / WITHOUT_WEIGHTS
        try:
            content = path.read_bytes()
            values = json.loads(content)
            receipt = cls(folder.name, dict(values["facts"]), dict(values["files"]))
            # Byte by byte, because two texts can be one value: 1e-05 and 1E-05.
            sound = content == json_text(receipt.values).encode("utf-8", "backslashreplace")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedStageError(
                f"not a readable receipt ({type(error).__name__}: {error})",
                folder=folder,
                where=str(path),
            ) from None
        if not sound:
            raise DamagedStageError(
                "this receipt is not the one that was stored", folder=folder, where=str(path)
            )
        return receipt

    @classmethod
    def write(cls, folder: Path, facts: Mapping[str, Any]) -> Receipt:
        """Digest all files of a stage's folder, and write the receipt that says it is done.

        Raises:
            StageError: the facts are nothing that JSON can say.
        """
        files = {
            path.relative_to(folder).as_posix(): file_digest(path)
            # In order, so that equal folders have equal receipts.
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not _is_unlisted(path.relative_to(folder))
        }
        receipt = cls(folder.name, _as_stored(facts), files)
        # All that the receipt vouches for must outlive a power cut that it outlives.
        make_durable(folder)
        write_json(folder / RECEIPT, receipt.values)
        (folder / WITHOUT_WEIGHTS).unlink(missing_ok=True)
        return receipt

    @property
    def values(self) -> dict[str, Any]:
        """What stands in the file: the digest tells that the facts too are those of the stage."""
        values = {"key": self.key, "facts": self.facts, "files": self.files}
        return values | {"digest": digest([self.key, self.facts, self.files])}

    def check(self, folder: Path) -> None:
        """Compare the files in `folder` with their digests.

        Raises:
            DamagedStageError: a file is missing or differs from what was written.
        """
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file() or file_digest(path) != expected:
                raise DamagedStageError(
                    "this file is not the one that was stored", folder=folder, where=str(path)
                )


def _is_unlisted(path: Path) -> bool:
    return path.parts[0] in (RECEIPT, WITHOUT_WEIGHTS, SCRATCH)


def _as_stored(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`facts` as they will be read: tuples are lists, and what is no number is a word."""
    try:
        values: dict[str, Any] = json.loads(json.dumps(facts), parse_constant=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise StageError(f"a fact for the receipt is nothing that JSON can say: {error}") from None
    return values
