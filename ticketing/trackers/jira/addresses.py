"""Which addresses a Jira may have. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def may_be_called(address: str, *, may_be_private: bool) -> bool:
    """Whether a request may go there.

    Link-local, multicast and reserved addresses never are a Jira, whatever is allowed: the
    metadata service of a cloud machine is at one of them.
    """
    try:
        meant = list(_meant(ipaddress.ip_address(address.partition("%")[0])))
    except ValueError:
        return False
    return all(_may_be_called(one, may_be_private=may_be_private) for one in meant)


def _may_be_called(address: _Address, *, may_be_private: bool) -> bool:
    if address.is_loopback:  # before the rest: ::1 counts as reserved, too
        return may_be_private
    if (
        address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    ):
        return False
    return address.is_global or may_be_private


def _meant(address: _Address) -> Iterator[_Address]:
    """The address itself, or the IPv4 address that it only wraps."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
