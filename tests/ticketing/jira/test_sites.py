from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.trackers.jira.sites import BadAddress, cloud_id_of, gateway, normal_address

CLOUD_ID = "11223344-a1b2-3c4d-5e6f-112233445566"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("acme.atlassian.net", "https://acme.atlassian.net"),
        (" https://ACME.atlassian.net/ ", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/jira/your-work?a=b#c", "https://acme.atlassian.net"),
        ("https://jira.corp.example/jira/", "https://jira.corp.example/jira"),
        ("https://jira.corp.example:443", "https://jira.corp.example"),
        ("https://jira.corp.example:8443/j", "https://jira.corp.example:8443/j"),
        ("https://jira.münchen.example", "https://jira.xn--mnchen-3ya.example"),
        ("https://8.8.8.8", "https://8.8.8.8"),
        ("https://[2606:4700::1]", "https://[2606:4700::1]"),
    ],
)
def test_it_keeps_the_address_people_mean(typed, kept):
    assert normal_address(typed) == kept
    assert normal_address(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://acme.atlassian.net",
        "ftp://acme.atlassian.net",
        "javascript://acme.atlassian.net",
        "https://",
        "https://me:secret@acme.atlassian.net",
        "https://acme.atlassian.net@evil.example",
        "https://acme.atlassian.net\\@evil.example",
        "https://jira.example/a/../b",
        "https://jira.example/%2e%2e/b",
        "https://jira.example//b",
        "https://jira.example/a?b=c",
        "https://jira.example/a#b",
        "https://jira.example:port",
        "https://jira.example:99999",
        "https://jira exa.mple",
        "https://jira.example\n/x",
        "https://[::1",
        "https://" + "a" * 300 + ".example",
    ],
)
def test_it_refuses_what_is_no_address(typed):
    with pytest.raises(BadAddress):
        normal_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "https://localhost:2990/jira",
        "https://jira.localhost",
        "https://jira.internal",
        "https://127.0.0.1",
        "https://127.1",
        "https://0x7f.0.0.1",
        "https://2130706433",
        "https://10.1.2.3",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[fd00::1]",
    ],
)
def test_it_refuses_private_networks_unless_they_are_allowed(typed):
    with pytest.raises(BadAddress, match="private network"):
        normal_address(typed)
    assert normal_address(typed, may_be_private=True) == typed


def test_it_takes_http_only_in_private_networks():
    assert normal_address("http://127.0.0.1:8090", may_be_private=True) == "http://127.0.0.1:8090"


def test_it_knows_the_gateway_by_its_cloud_id():
    assert gateway(CLOUD_ID.upper()) == f"https://api.atlassian.com/ex/jira/{CLOUD_ID}"
    assert cloud_id_of(gateway(CLOUD_ID)) == CLOUD_ID
    assert cloud_id_of("https://acme.atlassian.net") == ""


@pytest.mark.parametrize("typed", ["", "acme", f"{CLOUD_ID}/../x", f"{CLOUD_ID}\n"])
def test_it_refuses_what_is_no_cloud_id(typed):
    with pytest.raises(BadAddress):
        gateway(typed)


@given(st.text(max_size=60) | st.from_regex(r"(https?://)?[a-z0-9.@:/%\[\]\\?#-]{1,40}"))
def test_it_refuses_or_keeps_an_address_that_stays_as_it_is(typed):
    try:
        kept = normal_address(typed)
    except BadAddress:
        return
    assert kept.startswith("https://")
    assert normal_address(kept) == kept
