"""Addresses of our own pages: many at once, and absolute ones for texts that leave the site."""

from __future__ import annotations

import ipaddress
from functools import cache
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse

_ANY = ("any0text", "4d0a15d6-60c5-4bd9-a1b5-3f2c1c7e9a00")  # in no address; a view takes either
_SAFE = "!$&'()*+,;=~:@"  # in a part of a path, as `reverse` has it


def address(view: str, text: str | None = None) -> str:
    """What `reverse` says of a view without arguments, or with one: a text without a slash, or
    a UUID's.

    The view is looked up once for all texts: lists have hundreds, chunks of findings thousands.
    """
    if text is None:
        return _whole(view, get_script_prefix())
    before, after = _around(view, get_script_prefix())
    return f"{before}{quote(text, safe=_SAFE)}{after}"


@cache
def _whole(view: str, _prefix: str) -> str:
    return reverse(view)


@cache
def _around(view: str, _prefix: str) -> tuple[str, str]:
    text, uuid = _ANY
    try:
        before, _, after = reverse(view, args=[text]).partition(text)
    except NoReverseMatch:
        before, _, after = reverse(view, args=[uuid]).partition(uuid)
    return before, after


def absolute(view: str, text: str | None = None, *, query: dict[str, str] | None = None) -> str:
    suffix = f"?{urlencode(query)}" if query else ""
    return f"{settings.BASE_URL}{address(view, text)}{suffix}"


def is_this_computer(host: str) -> bool:
    """Whether the name or address leads nowhere else, by itself."""
    name = host.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
