"""A server of one board's own files and of the items behind its numbers, on this machine alone.

Nothing else is reachable: a request is looked up among the board's files, never joined to a path,
and a name other than this machine's own is refused, so that no page elsewhere can ask for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from xharness.errors import ConfigurationError, reason_of
from xharness.leaderboard import FILES
from xharness.session.item_pages import ADDRESS, ItemPages, with_script

HOST = "127.0.0.1"
_PAGE = "leaderboard.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
}


def open_server(
    folder: Path, port: int, item_pages: ItemPages | None = None
) -> ThreadingHTTPServer:
    """A server of the folder's board that listens already; port 0 takes a free one.

    With `item_pages`, the cells of the board's map lead to their items.

    Raises:
        ConfigurationError: there is no board, or the port is taken.
    """
    board_files = _board_files(folder)

    class Handler(_Handler):
        files = board_files
        items = item_pages

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except (OSError, OverflowError) as error:
        reason = reason_of(error)
        raise ConfigurationError(
            f"can't listen on port {port}: {reason}", hint="name another with --port, or 0 for any"
        ) from None


def _board_files(folder: Path) -> dict[str, Path]:
    """Address to file."""
    files = {
        f"/{path.relative_to(folder).as_posix()}": path
        for pattern in FILES
        for path in sorted(folder.glob(pattern))
        # A link may lead anywhere; what it leads to is no part of the board.
        if path.resolve().is_relative_to(folder.resolve())
    }
    if f"/{_PAGE}" not in files:
        raise ConfigurationError(
            "there is no board to serve",
            where=str(folder / _PAGE),
            hint=f"make it first: xharness leaderboard build {folder}",
        )
    return {"/": files[f"/{_PAGE}"], **files}


class _Handler(BaseHTTPRequestHandler):
    files: Mapping[str, Path] = {}
    items: ItemPages | None = None

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        address, _, query = self.path.split("#")[0].partition("?")
        path = self.files.get(address)
        # DNS rebinding: a page elsewhere may give its own name this machine's address.
        if self.headers.get("Host", "").rpartition(":")[0] not in (HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN, "Asked by another name")
        elif self.items is not None and address == ADDRESS:
            try:
                content = self.items.page(query).encode()
            except ConfigurationError:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self._send(content, ".html", with_body=with_body)
        elif path is None or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            content = path.read_bytes()
            if self.items is not None and path.name == _PAGE:
                content = with_script(content)
            self._send(content, path.suffix, with_body=with_body)

    def _send(self, content: bytes, ending: str, *, with_body: bool) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES[ending])
        self.send_header("Content-Length", str(len(content)))
        # No file of numbers is to be taken for a script, whatever stands in it.
        self.send_header("X-Content-Type-Options", "nosniff")
        # A board is often built anew while it is looked at.
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: nobody needs a line for each file."""
