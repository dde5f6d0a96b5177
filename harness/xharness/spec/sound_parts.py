"""What of a document is right although other parts of it are not, so that its names can be checked.

A user mends a file once, not once for what is wrong in it and once more for the names in the rest.
"""

from __future__ import annotations

from typing import Any

from xharness.spec.documents import Document
from xharness.spec.examination import Examination
from xharness.spec.yaml_nodes import KeyPath


def sound_document(
    document: Document, examination: Examination[Any], whole_keys: frozenset[str] = frozenset()
) -> Document:
    """The document without its wrong parts: keys, or items where a key holds a list.

    Of `whole_keys` no part is right once another is not.
    """
    data = examination.data if isinstance(examination.data, dict) else {}
    wrong_parts = {_part(data, path, whole_keys) for path in examination.wrong_paths}
    sound_data: dict[str, Any] = {}
    written_paths: dict[KeyPath, KeyPath] = {}
    for key, value in data.items():
        if (key,) in wrong_parts:
            continue
        if isinstance(value, list) and value:
            indices = [index for index in range(len(value)) if (key, index) not in wrong_parts]
            written_paths |= {(key, new): (key, index) for new, index in enumerate(indices)}
            value = [value[index] for index in indices]
            if not value:
                continue
        sound_data[key] = value
    return Document(document.file, sound_data, document.positions, written_paths=written_paths)


def _part(data: dict[str, Any], path: KeyPath, whole_keys: frozenset[str]) -> KeyPath:
    """What falls with the value at `path`: an item of a list at the top, or all of a key."""
    is_item = (
        len(path) > 1 and isinstance(path[1], int) and isinstance(data.get(str(path[0])), list)
    )
    return path[:2] if is_item and path[0] not in whole_keys else path[:1]
