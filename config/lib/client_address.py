"""Who sent a request: the only place that believes, or does not believe, what a header says.

A proxy appends the address it was called from to `X-Forwarded-For`. What stands left of that
the client may have written itself, so only the last PROXY_COUNT addresses are worth anything,
and the client is the first of those.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104  no socket is bound to it
"""Of a peer without an address, such as a Unix socket: all of them count as one client."""


def client_address(request: HttpRequest) -> str:
    """The client's IP address in its canonical spelling, without port, brackets or zone.

    It is the PROXY_COUNT-th from the right in `X-Forwarded-For` (several such headers are one
    list); the peer's own where PROXY_COUNT is 0, or where there are fewer addresses than
    proxies, or something else than an address.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    peer = request.META.get("REMOTE_ADDR", "")
    return _forwarded_address(forwarded, settings.PROXY_COUNT) or _parse(peer) or UNKNOWN


def client_network(request: HttpRequest) -> str:
    """What a limit counts by: the address, or of an IPv6 address the first in its /64.

    A single machine is given a whole /64, so it could use another address for every request.
    """
    address = ipaddress.ip_address(client_address(request))
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)


def _forwarded_address(header: str, proxy_count: int) -> str | None:
    if proxy_count < 1:
        return None
    last = header.rsplit(",", proxy_count)[-proxy_count:]
    return _parse(last[0]) if len(last) == proxy_count else None


def _parse(text: str) -> str | None:
    """The address in `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`."""
    text = text.strip()
    if text.startswith("["):
        text, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            return None
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
    else:
        port = ""
    if port and not (port.isascii() and port.isdigit()):
        return None
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
