"""Files over https, all of each or nothing."""

from __future__ import annotations

import shutil
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from xharness_hub.atomic import atomic_binary_file

_TIMEOUT = 30  # seconds without a byte


# A redirect must not take the download off an encrypted line.
class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        if not newurl.startswith("https://"):
            raise OSError(f"sent on to '{newurl}', which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def content_length(url: str) -> int | None:
    """The bytes behind `url` as its server tells them, without fetching them.

    Raises:
        OSError: no answer.
    """
    opener = urllib.request.build_opener(_OnlyHttps)
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  # https: checked before
    try:
        with opener.open(request, timeout=_TIMEOUT) as answer:
            length = answer.headers.get("Content-Length")
    except HTTPException as error:
        raise OSError(f"not a proper answer: {error!r}") from error
    return None if length is None else int(length)


def download(url: str, target: Path) -> None:
    """Fetch `url` into the file `target`, all of it or nothing.

    Raises:
        OSError: no answer, an answer that is no file, or one cut short.
    """
    opener = urllib.request.build_opener(_OnlyHttps)
    try:
        with opener.open(url, timeout=_TIMEOUT) as answer, atomic_binary_file(target) as file:
            shutil.copyfileobj(answer, file)
            length = answer.headers.get("Content-Length")
            if length is not None and file.tell() != int(length):
                raise OSError(f"cut short after {file.tell()} of {length} bytes")
    except HTTPException as error:
        raise OSError(f"not a proper answer: {error!r}") from error
