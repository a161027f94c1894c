"""Clients of a real web server that keep to no rules, each on a socket of its own."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

EVERY_SECONDS = 0.1


class Said(str):
    """All that the server sent until it closed the connection, and after how many seconds."""

    seconds = 0.0

    @property
    def statuses(self) -> list[int]:
        return [int(line.split()[1]) for line in self.split("\r\n") if line.startswith("HTTP/1.")]


def say(port: int, parts: Iterable[bytes], *, patience: float) -> Said:
    """Send the parts and read until the server closes; fails where it does not within patience."""
    began, heard = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                assert time.monotonic() - began < patience, f"still open after {patience} s"
                connection.sendall(part)
        connection.settimeout(max(0.1, patience - (time.monotonic() - began)))
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                heard += piece
    said = Said(heard.decode("latin-1"))
    said.seconds = time.monotonic() - began
    return said


def drip(start: bytes, piece: bytes = b"x") -> Iterator[bytes]:
    """Never ends by itself."""
    yield start
    while True:
        time.sleep(EVERY_SECONDS)
        yield piece


def flood(start: bytes, piece: bytes, *, times: int) -> Iterator[bytes]:
    yield start
    for _ in range(times):
        yield piece


def request(line: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", body]).encode(
        "latin-1"
    )


@contextlib.contextmanager
def unread(port: int, path: str, cookie: str) -> Iterator[socket.socket]:
    """An answer that was asked for and is not read, or not yet."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    with connection:
        connection.connect(("127.0.0.1", port))
        connection.sendall(request(f"GET {path}", f"Cookie: {cookie}"))
        yield connection


def megabytes_of(pid: int) -> float:
    """Resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def megabytes_on_disk(pid: int) -> float:
    """In temporary files that it holds open."""
    sizes = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if "(deleted)" in str(entry.readlink()):
                sizes.append(entry.stat().st_size)
    return sum(sizes) / 1024 / 1024
