"""Which addresses a Jira may have. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # all that is ever routed between networks
_NEVER = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "64:ff9b:1::/48",  # NAT64 of a site: what it wraps stands at a place of the site's choice
        # Where clouds keep the credentials of a machine, apart from the link-local addresses:
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
    )
]
_ISATAP = (0x00005EFE, 0x02005EFE)


def may_be_called(address: str, *, may_be_private: bool) -> bool:
    """Whether a request may go there: to what is global, and to the rest where that is allowed.

    Link-local, multicast and reserved addresses never are a Jira, whatever is allowed, and
    neither is the metadata service of a cloud machine.
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
        or any(address in network for network in _NEVER)
    ):
        return False
    return may_be_private or _is_global(address)


def _is_global(address: _Address) -> bool:
    """`is_global` alone takes for global what is in no list of its, as fec0:: is in none."""
    return address.is_global and (address.version == 4 or address in _GLOBAL_IPV6)


def _meant(address: _Address) -> Iterator[_Address]:
    """The address itself, or the IPv4 address that it only wraps."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield _lowest_bits(address)
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            yield _lowest_bits(address)


def _lowest_bits(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
