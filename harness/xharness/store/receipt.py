"""The receipt of a finished stage: facts about it, and the digest of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.digests import file_digest
from xharness.errors import StageError
from xharness.files import write_json

RECEIPT = "receipt.json"
WITHOUT_WEIGHTS = "receipt-without-weights.json"
"""The receipt of a training that is done, and whose weights were removed."""


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
            StageError: the receipt is missing or damaged.
        """
        path = folder / RECEIPT
        if not path.is_file() and (folder / WITHOUT_WEIGHTS).is_file():
            path = folder / WITHOUT_WEIGHTS
        try:
            receipt = json.loads(path.read_text(encoding="utf-8"))
            return cls(folder.name, dict(receipt["facts"]), dict(receipt["files"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StageError(
                f"not a readable receipt ({error})",
                where=str(path),
                hint=f"delete {folder} and run again",
            ) from None

    @classmethod
    def write(cls, folder: Path, facts: Mapping[str, Any]) -> Receipt:
        """Digest all files of a stage's folder, and write the receipt that says it is done."""
        files = {
            path.relative_to(folder).as_posix(): file_digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in (RECEIPT, WITHOUT_WEIGHTS)
        }
        write_json(folder / RECEIPT, {"key": folder.name, "facts": facts, "files": files})
        (folder / WITHOUT_WEIGHTS).unlink(missing_ok=True)
        return cls(folder.name, facts, files)

    def check(self, folder: Path) -> None:
        """Compare the files in `folder` with their digests.

        Raises:
            StageError: a file is missing or differs from what was written.
        """
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file() or file_digest(path) != expected:
                raise StageError(
                    "this file is not the one that was stored",
                    where=str(path),
                    hint=f"delete {folder} and run again",
                )
