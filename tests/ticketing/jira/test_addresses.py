from __future__ import annotations

import pytest

from ticketing.trackers.jira.addresses import may_be_called


@pytest.mark.parametrize("address", ["104.192.142.18", "2600:1f18::1", "::ffff:104.192.142.18"])
def test_it_calls_public_addresses(address):
    assert may_be_called(address, may_be_private=False)


PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "fec0::1",
    "feff::1",
    "192.0.2.1",
    "198.18.0.1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_it_calls_private_addresses_only_where_that_is_allowed(address):
    assert not may_be_called(address, may_be_private=False)
    assert may_be_called(address, may_be_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "2002:a9fe:a9fe::1",
        "0.1.2.3",
        "100::1",
        "4000::1",
        "::ffff:0.1.2.3",
        "64:ff9b:1::a9fe:a9fe",
        "::169.254.169.254",
        "::ffff:0:a9fe:a9fe",
        "2001:0:a9fe:a9fe::1",
        "2600::5efe:a9fe:a9fe",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "ff02::1",
        "ff0e::1",
        "not an address",
        "",
    ],
)
def test_it_never_calls_what_cannot_be_a_jira(address):
    assert not may_be_called(address, may_be_private=False)
    assert not may_be_called(address, may_be_private=True)


def test_it_sees_through_addresses_that_wrap_others():
    assert may_be_called("64:ff9b::68c0:8e12", may_be_private=False)
    assert not may_be_called("64:ff9b::a00:1", may_be_private=False)
    assert not may_be_called("2002:a00:1::", may_be_private=False)
