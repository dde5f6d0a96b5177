"""The guard that every test runs behind: what would leave this machine fails, here and below."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ELSEWHERE = ("192.0.2.1", 9)  # an address for documents, which nobody has


@pytest.fixture
def notes(refused_connections: Path) -> Iterator[Path]:
    """What was refused in this test, where that is no fault."""
    yield refused_connections
    refused_connections.unlink(missing_ok=True)


def _connect() -> None:
    socket.create_connection(ELSEWHERE, timeout=5)


def _send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ELSEWHERE)


def _look_up() -> None:
    urllib.request.urlopen("https://data.example/x", timeout=5)


@pytest.mark.parametrize("leave", [_connect, _send, _look_up])
def test_nothing_leaves_this_machine(leave: Callable[[], None], notes: Path) -> None:
    with pytest.raises(OSError, match="no test may leave this machine"):
        leave()
    assert notes.read_text(encoding="utf-8").count("\n") == 1


def test_nothing_leaves_it_from_a_process_that_a_test_starts(notes: Path) -> None:
    code = f"import socket; socket.create_connection({ELSEWHERE}, timeout=5)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "no test may leave this machine" in child.stderr
    assert ELSEWHERE[0] in notes.read_text(encoding="utf-8")


def test_an_error_that_nobody_minds_fails_the_test(tmp_path: Path, notes: Path) -> None:
    (tmp_path / "test_quiet.py").write_text(
        "import contextlib, socket\n"
        "def test_quiet():\n"
        "    with contextlib.suppress(OSError):\n"
        f"        socket.create_connection({ELSEWHERE})\n"
    )
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_quiet.py")]
    child = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert "1 passed, 1 error" in child.stdout
    assert f"refused: a connection to {ELSEWHERE[0]}" in child.stdout


def test_this_machine_may_be_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("\0xharness-test")
        server.listen()
        client.connect("\0xharness-test")
