"""Connections that go only where they may, and that say whether anything can have left.

Everything that fails before a connection stands is NotSent: surely nothing was sent, whatever
went wrong. That cannot be told from the exceptions of requests, which are the same for a TLS
handshake and for an answer that breaks off.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.exceptions import SSLError as UntrustedError

from ticketing.trackers.jira.addresses import may_be_called

ARRIVES_WITHIN = 30  # seconds
"""What the other side has not taken by then never arrives, not even when we have hung up: the
system would go on sending it for many minutes, and a request could come after we looked for it."""
_BOUND_TO_ARRIVE = (
    [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ARRIVES_WITHIN * 1000)]
    if hasattr(socket, "TCP_USER_TIMEOUT")  # Linux
    else []
)
_MOST_ADDRESSES = 3  # that are tried, one after the other, before a host counts as unreachable


class Obstacle(StrEnum):
    """Why there was no connection."""

    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    UNTRUSTED = "untrusted"
    FORBIDDEN = "forbidden"


class NotSent(Exception):
    """No connection, so nothing has left. Not an OSError, so no library takes it for its own."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle


@contextlib.contextmanager
def _naming_the_obstacle() -> Iterator[None]:
    try:
        yield
    except NameResolutionError:
        raise NotSent(Obstacle.UNRESOLVED) from None
    except NewConnectionError:  # before its parent
        raise NotSent(Obstacle.UNREACHABLE) from None
    except (ConnectTimeoutError, TimeoutError):
        raise NotSent(Obstacle.SLOW) from None
    except (ssl.SSLError, ssl.CertificateError, UntrustedError):
        raise NotSent(Obstacle.UNTRUSTED) from None
    except (HTTPError, OSError, ValueError):
        raise NotSent(Obstacle.UNREACHABLE) from None


def _resolve(host: str, port: int, *, may_be_private: bool) -> list[str]:
    """The addresses of a host. If one of them may not be called, none may."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise NotSent(Obstacle.UNRESOLVED) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(may_be_called(address, may_be_private=may_be_private) for address in addresses):
        raise NotSent(Obstacle.FORBIDDEN)
    return addresses[:_MOST_ADDRESSES]


_before_write: ContextVar[Callable[[], None] | None] = ContextVar("before_write", default=None)


@contextlib.contextmanager
def calling_before_write(check: Callable[[], None]) -> Iterator[None]:
    """Call `check` when the connection stands, right before the first byte of a request.

    What it raises goes through to the caller, and nothing has left.
    """
    token = _before_write.set(check)
    try:
        yield
    finally:
        _before_write.reset(token)


class _Guarded(HTTPConnection):
    """Connects to the very addresses that were checked: the name is resolved once."""

    may_be_private = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.socket_options = [*(self.socket_options or ()), *_BOUND_TO_ARRIVE]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if check := _before_write.get():
            _before_write.set(None)  # once: a body follows its head
            check()
        super().send(data)

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        addresses = _resolve(name, int(self.port or 443), may_be_private=self.may_be_private)
        try:
            for address in addresses[:-1]:
                self._dns_host = address
                with contextlib.suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = name  # which the certificate has to be for

    def connect(self) -> None:
        with _naming_the_obstacle():
            super().connect()


class _PublicTLS(_Guarded, HTTPSConnection):
    pass


class _AnyTLS(_Guarded, HTTPSConnection):
    may_be_private = True


class _AnyPlain(_Guarded):
    may_be_private = True


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLS


class _AnyTLSPool(HTTPSConnectionPool):
    ConnectionCls = _AnyTLS


class _AnyPlainPool(HTTPConnectionPool):
    ConnectionCls = _AnyPlain


class GuardedAdapter(HTTPAdapter):
    """Sends once, without a proxy. Plain HTTP only where an address may be private."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._may_be_private = may_be_private
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = (
            {"https": _AnyTLSPool, "http": _AnyPlainPool}
            if self._may_be_private
            else {"https": _PublicTLSPool}
        )
