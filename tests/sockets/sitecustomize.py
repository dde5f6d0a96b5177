"""No connection leaves this machine: for the tests, and for every Python that they start.

Python imports a module of this name by itself, from the folders in PYTHONPATH. What was refused is
also noted in a file, because a program may go on after an error as if there were no network.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

NOTES = "XHARNESS_TEST_CONNECTIONS"
"""The environment variable that names the file."""
_resolve = socket.getaddrinfo


def install() -> None:
    """Refuse connections from now on."""
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    socket.getaddrinfo = _getaddrinfo


def _guarded(operation: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        # A datagram's socket is connected without a packet: so a program learns its own address.
        sends = self.type != socket.SOCK_DGRAM or operation.__name__ == "sendto"
        if sends and isinstance(address, tuple) and not _is_this_machine(address[0], self.family):
            _refuse(f"a connection to {address[0]} port {address[1]}")
        return operation(self, *arguments)

    return guarded


def _getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    name = os.fsdecode(host) if isinstance(host, str | bytes) else ""
    if not (name in ("", "localhost", socket.gethostname()) or _is_number(name)):
        _refuse(f"a question for the address of {name}")
    return _resolve(host, *arguments, **options)


def _is_number(name: str) -> bool:
    try:
        _resolve(name, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True


def _is_this_machine(host: str, family: int) -> bool:
    """Whether one of this machine's own addresses is called so: those alone can be bound."""
    if host != "localhost" and not _is_number(host):
        return False
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _refuse(deed: str) -> None:
    path = os.environ.get(NOTES)
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{deed}\n".encode())
        os.close(descriptor)
    raise OSError(f"no test may leave this machine: {deed}")


if os.environ.get(NOTES):
    install()
