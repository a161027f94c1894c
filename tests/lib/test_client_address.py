"""The client's address: what headers may say about it, and what they may not."""

from __future__ import annotations

import pytest
from django.test import RequestFactory, override_settings

from config.lib.client_address import client_address, client_network

PEER = "10.0.0.1"
A, B, C = "192.0.2.1", "198.51.100.2", "203.0.113.3"


def request(forwarded=None, peer=PEER):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)


@pytest.mark.parametrize(
    ("forwarded", "none", "one", "two"),
    [
        (None, PEER, PEER, PEER),
        ("", PEER, PEER, PEER),
        (A, PEER, A, PEER),
        (f"{A}, {B}", PEER, B, A),
        (f"{A}, {B}, {C}", PEER, C, B),
        (f"{A},{B},{C}", PEER, C, B),  # as servers join several headers
        (f"rubbish, {C}", PEER, C, PEER),
        (f"{C}, rubbish", PEER, PEER, C),
        (f", {C}", PEER, C, PEER),
        (f"{C},", PEER, PEER, C),
        (f"{A}, {B}, " * 5000 + C, PEER, C, B),
    ],
)
def test_it_believes_as_many_addresses_as_there_are_proxies(forwarded, none, one, two):
    for count, expected in enumerate((none, one, two)):
        with override_settings(PROXY_COUNT=count):
            assert client_address(request(forwarded)) == expected
    with override_settings(PROXY_COUNT=-1):
        assert client_address(request(forwarded)) == PEER


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.1:51234", A),
        ("[192.0.2.1]:51234", A),
        ("::ffff:192.0.2.1", A),
        ("[::FFFF:C000:0201]:443", A),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("  192.0.2.1\t", A),
    ],
)
@override_settings(PROXY_COUNT=1)
def test_it_knows_one_address_in_every_spelling(written, read):
    assert client_address(request(written)) == read
    assert client_address(request(peer=written)) == read


@pytest.mark.parametrize(
    "rubbish",
    [
        *("unknown", "_hidden", "localhost", "for=192.0.2.1", '"192.0.2.1"', "192.0.2.1;", "\0"),
        *("192.0.2.1 198.51.100.2", "192.0.2.256", "192.0.2", "0192.0.2.1", "3221225985", "1/8"),
        *("192.0.2.1:port", "192.0.2.1:٤", "[2001:db8::1", "[2001:db8::1]443", "[]:1", "é", "%"),
        "2001:db8::1::2",
    ],
)
@override_settings(PROXY_COUNT=1)
def test_it_takes_the_peer_for_rubbish(rubbish):
    assert client_address(request(f"{A}, {rubbish}")) == PEER


@pytest.mark.parametrize("peer", ["", "unix:", "@"])
def test_it_counts_peers_without_an_address_as_one(peer):
    assert client_address(request(peer=peer)) == "0.0.0.0"
    assert client_network(request(peer=peer)) == "0.0.0.0"


def test_it_counts_the_addresses_of_one_machine_as_one():
    networks = {client_network(request(peer=f"2001:db8:0:1::{n:x}")) for n in range(1, 40)}
    assert networks == {"2001:db8:0:1::"}
    assert client_network(request(peer="2001:db8:0:2::1")) == "2001:db8:0:2::"
    assert client_network(request(peer=A)) == A
