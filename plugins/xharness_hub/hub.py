"""The source `hub`: rows of Hugging Face data sets, from a clone in the data root or from the hub.

A download is a folder like a clone, so both are read in the same way; only what stands for their
content differs: the bytes of a clone, the commit of a download.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from xharness import (
    Download,
    Row,
    RunEnvironment,
    Source,
    SourceRequest,
    Strict,
    UnavailableError,
    digest,
)
from xharness_hub import arrow, bucc, clones, digests, network, parquet
from xharness_hub.lock import Lock
from xharness_hub.remote import HuggingFace, Remote

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLANK = re.compile(r"\{(language|code)\}")  # a card is checked before these are filled in


def _dataset_id(value: str) -> str:
    if not _ID.fullmatch(_BLANK.sub("x", value)):
        raise ValueError(f"'{value}' is not the id of a data set, such as 'facebook/xnli'")
    return value


def _config(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"'{value}' is not the name of a config")
    return value


class HubOptions(Strict):
    """A data set on the hub."""

    id: Annotated[str, AfterValidator(_dataset_id)] = Field(description="org/name")
    config: Annotated[str, AfterValidator(_config)] | None = Field(
        default=None, description="needed where there are several and none is the default"
    )
    revision: str | None = Field(
        default=None, description="a commit, branch or tag; else the lock file holds the commit"
    )
    reader: bucc.Side | None = Field(
        default=None, description="how lists in one row become rows; default: rows stay as they are"
    )


@dataclass(frozen=True)
class HubSource(Source):
    """Rows of data sets on the Hugging Face hub."""

    remote: Remote = field(default_factory=HuggingFace)
    name = "hub"
    options: type[BaseModel] = HubOptions

    def fingerprint(self, request: SourceRequest) -> str:
        """A digest of the bytes of a clone's files, or of the commit a download is held to."""
        options: HubOptions = request.options
        environment = request.environment
        contents = {"config": options.config, "split": request.split}
        # Only where there is one, so that the digests of all other data stay what they were.
        contents |= {"reader": options.reader} if options.reader else {}
        clone = clones.find(environment.data_root, options.id)
        if clone is not None:
            paths = clone.files(options.config, request.split)
            sha256 = digests.sha256(paths, environment.cache)
            names = map(clone.relative, paths)
            return digest(contents | {"files": [*map(list, zip(names, sha256, strict=True))]})
        commit = self._commit(options, environment)
        if network.is_offline(environment):
            # Planning must say now what `rows` could not have later, when nothing can be fetched.
            self._downloaded(request, commit).files(options.config, request.split)
        return digest(contents | {"id": options.id, "commit": commit})

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        """The rows of the split, in order; classes as their numbers."""
        options: HubOptions = request.options
        environment = request.environment
        network.is_offline(environment)  # tells the libraries, before they are imported
        clone = clones.find(environment.data_root, options.id)
        if clone is None:
            commit = self._commit(options, environment)
            clone = self._downloaded(request, commit)
            paths = clone.files(options.config, request.split)
            sha256 = digests.sha256(paths, environment.cache)
            names = map(clone.relative, paths)
            # The files are there only now: planning asked for the commit alone.
            Lock(environment).hold_files(
                _lock_name(options), commit, dict(zip(names, sha256, strict=True))
            )
        rows = arrow.rows(clone, options.config, request.split)
        if options.reader is None:
            return rows
        return bucc.rows_of_lists(rows, options.reader, f"data set '{options.id}'")

    def label_names(self, request: SourceRequest) -> Mapping[str, Sequence[str]]:
        """The names of classes, where the files are Parquet and say them."""
        options: HubOptions = request.options
        environment = request.environment
        clone = clones.find(environment.data_root, options.id)
        if clone is None:
            clone = self._downloaded(request, self._commit(options, environment))
        paths = clone.files(options.config, request.split)
        return parquet.label_names(paths[0]) if paths[0].suffix == ".parquet" else {}

    def config_names(self, request: SourceRequest) -> Sequence[str]:
        """Those that the README declares, else the folders, which are then its configs."""
        options: HubOptions = request.options
        clone = clones.find(request.environment.data_root, options.id)
        if clone is None:
            clone = self._declared(request, self._commit(options, request.environment))
        return clone.config_names()

    def downloads(self, request: SourceRequest) -> Iterable[Download]:
        """The files of the split that are in no clone and were not downloaded before.

        Raises:
            UnavailableError: no such data set or split, or no network.
        """
        options: HubOptions = request.options
        if clones.find(request.environment.data_root, options.id) is not None:
            return
        commit = self._current_commit(options, request.environment)
        if network.is_offline(request.environment):
            return  # it is here, or `fingerprint` says that it is not
        clone = self._declared(request, commit)
        patterns = clone.patterns(options.config, request.split)
        for name, size in self.remote.sizes(options.id, commit).items():
            is_needed = patterns is None or any(fnmatchcase(name, item) for item in patterns)
            if is_needed and not (clone.folder / name).is_file():
                yield Download(f"data set {options.id}", name, size)

    def _commit(self, options: HubOptions, environment: RunEnvironment) -> str:
        """The commit the data set is read at, and held to from now on."""
        commit = self._current_commit(options, environment)
        if options.revision and _COMMIT.fullmatch(options.revision):
            return commit
        return Lock(environment).hold_commit(_lock_name(options), commit)

    def _current_commit(self, options: HubOptions, environment: RunEnvironment) -> str:
        """The commit that is asked for, else the one held, else today's."""
        if options.revision and _COMMIT.fullmatch(options.revision):
            return options.revision
        locked_commit = Lock(environment).commit(_lock_name(options))
        if locked_commit is not None:
            return locked_commit
        if network.is_offline(environment):
            raise _missing(options, environment, "is not here, and this run is offline")
        try:
            return self.remote.commit(options.id, options.revision)
        except UnavailableError as error:
            raise _with_clone_hint(error, options, environment) from error

    def _downloaded(self, request: SourceRequest, commit: str) -> clones.Clone:
        """The folder of the commit, with the files of the split in it."""
        options: HubOptions = request.options
        offline = network.is_offline(request.environment)
        try:
            patterns = self._declared(request, commit).patterns(options.config, request.split)
            folder = self.remote.download(options.id, commit, patterns, offline)
        except UnavailableError as error:
            if error.hint:
                raise
            raise _with_clone_hint(error, options, request.environment) from error
        return clones.Clone(options.id, folder)

    def _declared(self, request: SourceRequest, commit: str) -> clones.Clone:
        """The README alone: it says which files the split needs, of often many more."""
        name = request.options.id
        names = ["README.md", f"{name.rpartition('/')[2]}.py"]
        offline = network.is_offline(request.environment)
        return clones.Clone(name, self.remote.download(name, commit, names, offline))


def _lock_name(options: HubOptions) -> str:
    return f"{options.id}@{options.revision or 'main'}"


def _missing(options: HubOptions, environment: RunEnvironment, problem: str) -> UnavailableError:
    root = environment.data_root
    folder = f"{root or '<root>'}/{options.id}"
    command = clones.how_to_clone(options.id, folder, options.revision)
    copy = f"make a clone where there is a network: {command}"
    return UnavailableError(
        f"data set '{options.id}' {problem}",
        where=f"looked at {folder}" if root else None,
        hint=network.hint_without_network(copy, environment),
    )


def _with_clone_hint(
    error: UnavailableError, options: HubOptions, environment: RunEnvironment
) -> UnavailableError:
    """What the hub said, with where was looked before and how to do without the hub."""
    hints = _missing(options, environment, "")
    hint = f"{error.hint}\n  or {hints.hint}" if error.hint else hints.hint
    return UnavailableError(error.what, where=error.where or hints.where, hint=hint)
