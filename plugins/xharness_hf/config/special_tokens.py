"""The special tokens that tokenizer files name, read before a tokenizer is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from xharness import UnavailableError, read_json

_FILES = ("special_tokens_map.json", "tokenizer_config.json", "tokenizer.json")


def special_tokens(find: Callable[[str], Path | None]) -> frozenset[str]:
    """Those that the tokenizer's files, found by name, list beside the named ones.

    Raises:
        UnavailableError: one of the files is damaged, or is on the hub and cannot be fetched.
    """
    files = [file for name in _FILES if (file := find(name)) is not None]
    # With the time of change as a key: planning asks often, and a folder may be mended meanwhile.
    return frozenset(token for file in files for token in _tokens_in(file, file.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def _tokens_in(file: Path, modified_ns: int) -> frozenset[str]:
    """What one file lists, read again only when it has changed: some have many megabytes."""
    return frozenset(_entries(_json_object(file)))


def _entries(content: dict[str, Any]) -> Iterator[str]:
    # transformers has listed them under each of these names
    for key in ("additional_special_tokens", "extra_special_tokens", "added_tokens"):
        entries = content.get(key)
        for entry in entries if isinstance(entries, list) else ():
            text = entry.get("content") if isinstance(entry, dict) else entry
            if isinstance(text, str):
                yield text


def _json_object(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UnavailableError(
            "the tokenizer's file is damaged",
            where=str(file),
            expected="a JSON object",
            hint="fetch the model again",
        )
    return content
