"""The source `file`: rows from files beside a study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from xharness import (
    Row,
    Source,
    SourceRequest,
    UnavailableError,
    digest,
    path_inside,
    suggestion,
)
from xharness_hub import digests, locations, readers

_FOLDERS = "paths count from the study's folder, else from the data root (--data-root)"


class FileOptions(readers.ReaderOptions):
    """Files, and how they are read."""

    path: locations.Locations = Field(
        description="a file, several, or a mapping from split to these; relative to the study, "
        "else to the data root"
    )


class FileSource(Source):
    """Rows from files; relative paths count from the study's folder, else the data root."""

    name = "file"
    options: type[BaseModel] = FileOptions

    def fingerprint(self, request: SourceRequest) -> str:
        """A digest of the files' bytes and of how they are read; where they lie stays out."""
        sha256 = digests.sha256(_paths(request), request.environment.cache)
        return digest({"files": sha256, "reading": request.options.meaning()})

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        """The rows of all files, in order."""
        paths = _paths(request)
        return readers.read(paths, request.options, ", ".join(map(str, paths)))


def _paths(request: SourceRequest) -> list[Path]:
    environment = request.environment
    names = locations.of_split(request.options.path, request.split, "source 'file', key 'path'")
    try:
        paths = [_path(name, environment.base, environment.data_root) for name in names]
    except ValueError as error:
        raise UnavailableError(
            str(error), where="source 'file', key 'path'", hint=_FOLDERS
        ) from None
    for path in paths:
        if not path.is_file():
            folder = path.parent
            neighbours = [entry.name for entry in folder.glob("*")] if folder.is_dir() else []
            near = f"{suggestion(path.name, neighbours)}; " if neighbours else ""
            raise UnavailableError(
                "there is no such file", where=str(path), hint=f"{near}{_FOLDERS}"
            )
    return paths


def _path(name: str, base: Path, root: Path | None) -> Path:
    """The file beside the study; the one in the data root where only that is there."""
    path = path_inside(base, name)
    copy = path_inside(root, name) if root else None
    return copy if copy is not None and not path.is_file() and copy.is_file() else path
