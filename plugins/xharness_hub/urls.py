"""The source `url`: rows from files behind https addresses, or their copies in the data root."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from xharness import (
    ConfigurationError,
    Download,
    Row,
    RunEnvironment,
    Source,
    SourceRequest,
    UnavailableError,
    digest,
    path_inside,
)
from xharness_hub import digests, locations, network, readers
from xharness_hub.lock import Lock


class UrlOptions(readers.ReaderOptions):
    """Addresses, and how the files behind them are read."""

    url: locations.Locations = Field(
        description="an https address, several, or a mapping from split to these"
    )
    sha256: str | dict[str, str] | None = Field(
        default=None, description="what the file must contain; for several, a mapping from address"
    )

    @model_validator(mode="after")
    def _only_https(self) -> UrlOptions:
        for url in locations.all_locations(self.url):
            _path_in_root(url)
        return self


def _path_in_root(url: str) -> Path:
    """Where a copy of `url` lies, relative to the data root: host/path.

    Raises:
        ValueError: not a plain https address of a file.
    """
    # The place must be the same for everybody, so what could differ (queries, users) is refused.
    parts = urlsplit(url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise ValueError(f"'{url}' is not an https address")
    if parts.query or not parts.path:
        raise ValueError(f"'{url}' does not name a file")
    try:
        return Path(parts.netloc) / path_inside(Path(), parts.path[1:])
    except ValueError as error:
        raise ValueError(f"'{url}' does not name a file: {error}") from None


_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?")


def _download(url: str, target: Path) -> None:
    from xharness_hub.download import download  # urllib.request is not for every start to pay

    download(url, target)


def _content_length(url: str) -> int | None:
    from xharness_hub.download import content_length

    return content_length(url)


@dataclass(frozen=True)
class UrlSource(Source):
    """Rows from https addresses; what lies in the data root is taken from there."""

    fetch: Callable[[str, Path], None] = _download
    measure: Callable[[str], int | None] = _content_length
    name = "url"
    options: type[BaseModel] = UrlOptions

    def fingerprint(self, request: SourceRequest) -> str:
        """A digest of the files' bytes and of how they are read, equal for every copy of them."""
        sha256 = digests.sha256(self._paths(request), request.environment.cache)
        return digest({"files": sha256, "reading": request.options.meaning()})

    def rows(self, request: SourceRequest) -> Iterator[Row]:
        """The rows of all files, in order."""
        urls = _urls(request)
        return readers.read(self._paths(request), request.options, ", ".join(urls))

    def downloads(self, request: SourceRequest) -> Iterable[Download]:
        """The files that are neither in the data root nor downloaded before."""
        for url in _urls(request):
            root, copy = _locations(url, request.environment)
            if copy.is_file() or (root is not None and root.is_file()):
                continue
            size = None
            if not network.is_offline(request.environment):
                with suppress(OSError):  # some servers answer no such question
                    size = self.measure(url)
            yield Download(urlsplit(url).netloc, url, size)

    def _paths(self, request: SourceRequest) -> list[Path]:
        urls = _urls(request)
        paths = [self._path(url, request.environment) for url in urls]
        # The card's digest holds everywhere; the lock file only where the study is.
        expected = request.options.sha256 or {}
        if isinstance(expected, str) and len(urls) > 1:
            raise ConfigurationError(
                f"one sha256 for {len(urls)} files", where="source 'url'", expected="a mapping"
            )
        for url, sha256 in zip(urls, digests.sha256(paths, request.environment.cache), strict=True):
            expected_sha256 = expected if isinstance(expected, str) else expected.get(url, sha256)
            if sha256 != expected_sha256.lower():
                raise UnavailableError(
                    f"sha256 {sha256[:12]}…, which is not what the card says",
                    where=url,
                    expected=f"{expected_sha256[:12]}…",
                )
        return paths

    def _path(self, url: str, environment: RunEnvironment) -> Path:
        """The file that stands for `url`: in the data root, or downloaded before, or now."""
        root_copy, copy = _locations(url, environment)
        # The data root comes first: what lies there is never asked of the network.
        if root_copy is not None and root_copy.is_file():
            return root_copy
        if not copy.is_file():
            if network.is_offline(environment):
                raise _missing(url, environment, "is not here, and this run is offline")
            try:
                self.fetch(url, copy)
            except OSError as error:
                raise _missing(url, environment, f"cannot be had: {error}") from error
        (sha256,) = digests.sha256([copy], environment.cache)
        try:
            Lock(environment).hold_url(url, sha256)
        except UnavailableError:
            # A damaged copy must not stand in the way of the true file.
            copy.unlink(missing_ok=True)
            raise
        return copy


def _locations(url: str, environment: RunEnvironment) -> tuple[Path | None, Path]:
    """Where a copy may lie in the data root, if there is one, and where a download does."""
    relative_path, root = _path_in_root(url), environment.data_root
    # Under the same host and path as in a data root, so that it can be moved there.
    return root and root / relative_path, environment.cache / "downloads" / relative_path


def _urls(request: SourceRequest) -> tuple[str, ...]:
    return locations.of_split(request.options.url, request.split, "source 'url', key 'url'")


def _missing(url: str, environment: RunEnvironment, problem: str) -> UnavailableError:
    root = environment.data_root
    copy = f"{root or '<root>'}/{_path_in_root(url).as_posix()}"
    return UnavailableError(
        f"'{url}' {problem}",
        where=f"looked at {copy}" if root else None,
        hint=network.hint_without_network(f"put a copy at {copy}", environment),
    )
