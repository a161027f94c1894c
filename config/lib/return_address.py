"""Where a request goes back to, if the address that came with it stays on this site."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def return_address(request: HttpRequest, *candidates: str) -> str:
    """The first of the candidates that leads to nowhere else; empty if there is none."""
    host, is_secure = request.get_host(), request.is_secure()
    for address in candidates:
        if address and url_has_allowed_host_and_scheme(address, {host}, require_https=is_secure):
            return address
    return ""


def referring_page(request: HttpRequest) -> str:
    """The page of this site that the request came from; empty if it is not known."""
    referer = urlsplit(request.headers.get("Referer", ""))
    if referer.netloc != request.get_host():
        return ""
    return referer._replace(scheme="", netloc="").geturl()
