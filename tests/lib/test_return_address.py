"""Going back to where a request came from, and never to another site."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from config.lib.return_address import return_address


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("/findings?q=a", True),
        ("https://testserver/cases", True),
        ("http://testserver/cases", False),  # this request is encrypted
        ("//evil.example", False),
        ("https://evil.example/", False),
        ("javascript:alert(1)", False),
        ("\\\\evil.example", False),
        ("", False),
    ],
)
def test_it_stays_on_this_site(address, is_safe):
    request = RequestFactory().get("/", secure=True)
    assert return_address(request, address) == (address if is_safe else "")
    assert return_address(request, address, "/next") == (address if is_safe else "/next")
