"""The source `url`, with a stub in place of the network."""

from __future__ import annotations

import hashlib
import io
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment, SourceRequest
from xharness_hub.download import _OnlyHttps, download
from xharness_hub.urls import UrlOptions, UrlSource

Ask = Callable[..., SourceRequest]
URL = "https://host.example/data/x.txt"


class Web:
    """Serves texts by address, and counts how often it was asked."""

    def __init__(self, **pages: str) -> None:
        self.pages = {URL: "one\n"} | pages
        self.asked: list[str] = []

    def __call__(self, url: str, target: Path) -> None:
        self.asked.append(url)
        if url not in self.pages:
            raise OSError("HTTP Error 404: Not Found")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.pages[url])


def texts(source: UrlSource, request: SourceRequest) -> list[str]:
    return [row["text"] for row in source.rows(request)]


def test_a_copy_in_the_data_root_is_taken(ask: Ask, environment: RunEnvironment) -> None:
    assert environment.data_root is not None
    copy = environment.data_root / "host.example/data/x.txt"
    copy.parent.mkdir(parents=True)
    copy.write_text("copy\n")
    web = Web()
    source = UrlSource(web)
    assert texts(source, ask(source, url=URL, reader="lines")) == ["copy"]
    assert web.asked == []


def test_a_download_happens_once_and_is_locked(ask: Ask, environment: RunEnvironment) -> None:
    web = Web()
    source = UrlSource(web)
    request = ask(source, url=URL, reader="lines")
    source.fingerprint(request)
    assert texts(source, request) == ["one"]
    assert web.asked == [URL]
    lock = (environment.base / "xharness.lock").read_text()
    assert hashlib.sha256(b"one\n").hexdigest() in lock


def test_copies_and_downloads_have_one_fingerprint(ask: Ask, environment: RunEnvironment) -> None:
    source = UrlSource(Web())
    request = ask(source, url=URL, reader="lines")
    downloaded = source.fingerprint(request)
    assert environment.data_root is not None
    copy = environment.data_root / "host.example/data/x.txt"
    copy.parent.mkdir(parents=True)
    copy.write_text("one\n")
    assert source.fingerprint(request) == downloaded
    copy.write_text("two\n")
    assert source.fingerprint(request) != downloaded


def test_a_changed_download_is_refused_until_accepted(
    ask: Ask, environment: RunEnvironment
) -> None:
    web = Web()
    source = UrlSource(web)
    request = ask(source, url=URL, reader="lines")
    assert texts(source, request) == ["one"]
    (environment.cache / "downloads/host.example/data/x.txt").unlink()
    web.pages[URL] = "two\n"
    for _ in range(2):
        with pytest.raises(UnavailableError, match="has changed since it was first downloaded"):
            source.fingerprint(request)
    (environment.base / "xharness.lock").unlink()
    assert texts(source, request) == ["two"]


def test_splits_have_their_own_addresses(ask: Ask) -> None:
    pages = {f"https://a.example/{name}.txt": name for name in ("x-dev", "y-dev", "y-test")}
    source = UrlSource(Web(**pages))
    url = ["https://a.example/x-{split}.txt", "https://a.example/y-{split}.txt"]
    assert texts(source, ask(source, "dev", url=url, reader="lines")) == ["x-dev", "y-dev"]
    by_split = {"test": "https://a.example/y-test.txt"}
    assert texts(source, ask(source, url=by_split, reader="lines")) == ["y-test"]
    with pytest.raises(UnavailableError, match="no split 'dev'"):
        source.rows(ask(source, "dev", url=by_split, reader="lines"))


def test_offline_says_where_a_copy_belongs(ask: Ask, environment: RunEnvironment) -> None:
    web = Web()
    source = UrlSource(web)
    offline = replace(environment, offline=True)
    with pytest.raises(UnavailableError, match="this run is offline") as caught:
        source.fingerprint(ask(source, within=offline, url=URL, reader="lines"))
    assert f"put a copy at {environment.data_root}/host.example/data/x.txt" in str(caught.value)
    assert "a card whose source is {from: file, path: FILE}" in str(caught.value)
    rootless = replace(offline, data_root=None)
    with pytest.raises(UnavailableError, match="XHARNESS_DATA_ROOT is set"):
        source.fingerprint(ask(source, within=rootless, url=URL, reader="lines"))
    assert web.asked == []


def test_a_failed_download_is_explained(ask: Ask) -> None:
    source = UrlSource(Web())
    with pytest.raises(UnavailableError, match="404: Not Found"):
        source.rows(ask(source, url="https://host.example/none.txt", reader="lines"))


def test_a_stated_sha256_is_checked(ask: Ask) -> None:
    source = UrlSource(Web())
    right = hashlib.sha256(b"one\n").hexdigest().upper()
    assert texts(source, ask(source, url=URL, reader="lines", sha256=right)) == ["one"]
    with pytest.raises(UnavailableError, match="not what the card says"):
        source.rows(ask(source, url=URL, reader="lines", sha256={URL: "0" * 64}))
    with pytest.raises(ConfigurationError, match="one sha256 for 2 files"):
        source.rows(ask(source, url=[URL, URL], reader="lines", sha256=right))


@pytest.mark.parametrize(
    "url",
    [
        "http://host.example/x", "file:///etc/passwd", "https://host.example/", "https://a/../b",
        "https://a/b/../../../c", "https://user@host.example/x", "https://a//b", "/etc/passwd",
        "https://a/x?y=1",
    ],
)  # fmt: skip
def test_only_plain_https_addresses(url: str) -> None:
    with pytest.raises(ValidationError, match=r"not an https address|does not name a file"):
        UrlOptions.model_validate({"url": {"test": [url]}, "reader": "lines"})


class Answer(io.BytesIO):
    def __init__(self, body: bytes, length: int | None) -> None:
        super().__init__(body)
        self.headers = Message()
        if length is not None:
            self.headers["Content-Length"] = str(length)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, int | None], None]:
    def give(body: bytes, length: int | None) -> None:
        def open_(self: Any, url: str, timeout: float) -> Answer:
            return Answer(body, length)

        monkeypatch.setattr(urllib.request.OpenerDirector, "open", open_)

    return give


def test_download(tmp_path: Path, answers: Callable[[bytes, int | None], None]) -> None:
    for length in (3, None):
        answers(b"one", length)
        download(URL, tmp_path / "deep/x.txt")
        assert (tmp_path / "deep/x.txt").read_bytes() == b"one"


def test_a_download_cut_short_leaves_nothing(
    tmp_path: Path, answers: Callable[[bytes, int | None], None]
) -> None:
    answers(b"one", 5)
    with pytest.raises(OSError, match="cut short after 3 of 5 bytes"):
        download(URL, tmp_path / "x.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_away_from_https_is_not_followed() -> None:
    request = urllib.request.Request(URL)
    with pytest.raises(OSError, match="not https"):
        _OnlyHttps().redirect_request(
            request, io.BytesIO(), 302, "Found", Message(), "http://host.example/x"
        )


def test_what_is_not_here_is_listed_with_its_size(ask: Ask, environment: RunEnvironment) -> None:
    web = Web()
    source = UrlSource(web, lambda url: len(web.pages[url]))
    request = ask(source, url=URL, reader="lines")
    (download_entry,) = source.downloads(request)
    assert (download_entry.name, download_entry.bytes) == ("host.example", 4)
    assert not web.asked
    texts(source, request)
    assert not [*source.downloads(request)]
    copy = environment.cache / "downloads" / "host.example" / "data" / "x.txt"
    copy.unlink()
    offline = replace(request, environment=replace(environment, offline=True))
    assert [entry.bytes for entry in source.downloads(offline)] == [None]
