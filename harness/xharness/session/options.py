"""What the user asked for on the command line; light, because `--help` must not wait for more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The flags that say what is run, on what, and where; None: the study decides."""

    study: Path | None = None
    data_root: Path | None = None
    store: Path | None = None
    output: Path | None = None
    plugins: tuple[str, ...] = ()
    cards: tuple[Path, ...] = ()
    split: str | None = None
    limit: int | None = None
    languages: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    device: str | None = None
    executor: str | None = None
    address: str | None = None
    offline: bool = False
    strict_data: bool = False
    debug: bool = False
    deterministic: bool = False

    @property
    def changes_question(self) -> bool:
        """Whether the flags make it another question than the one in the file."""
        return bool(self.split or self.limit or self.languages or self.seeds)
