"""Addresses of our own pages."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import NoReverseMatch, reverse, set_script_prefix

from config.lib.links import absolute, address

VIEW = "findings:finding-show"


@pytest.mark.parametrize(
    "text", ["ZmluZGluZw-9", "a b", "ü€", "50%", "q?a=1&b#c", "it's:@!$*+,;=~", "0"]
)
def test_an_address_of_many_is_that_of_one(text):
    assert address(VIEW, text) == reverse(VIEW, args=[text])


def test_an_argument_may_be_a_uuid():
    text = str(uuid4())
    assert address("automation:rule-edit", text) == reverse("automation:rule-edit", args=[text])
    with pytest.raises(NoReverseMatch):
        address("findings:finding-list", text)


def test_it_follows_the_place_that_the_site_is_served_at():
    before = address(VIEW, "x")
    set_script_prefix("/inner/")
    try:
        assert address(VIEW, "x") == reverse(VIEW, args=["x"]) == f"/inner{before}"
    finally:
        set_script_prefix("/")


def test_no_text_ends_up_elsewhere():
    assert address(VIEW, "a/b") == f"{address(VIEW, 'a')}%2Fb"


def test_an_absolute_one_begins_with_the_site(settings):
    settings.BASE_URL = "https://findings.example.com"
    assert absolute(VIEW, "a b", query={"tab": "x y"}) == (
        "https://findings.example.com/findings/a%20b?tab=x+y"
    )
