"""Where a request goes back to, if the address that came with it stays on this site."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def return_address(request: HttpRequest, *candidates: str) -> str:
    """The first of the candidates that leads to nowhere else; empty if there is none."""
    host, is_secure = request.get_host(), request.is_secure()
    for address in candidates:
        if address and url_has_allowed_host_and_scheme(address, {host}, require_https=is_secure):
            return address
    return ""
