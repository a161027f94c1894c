"""Absolute addresses of our own pages, for texts that leave the site."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


def absolute(view: str, *args: object, query: dict[str, str] | None = None) -> str:
    suffix = f"?{urlencode(query)}" if query else ""
    return f"{settings.BASE_URL}{reverse(view, args=args)}{suffix}"


def is_this_computer(host: str) -> bool:
    """Whether the name or address leads nowhere else, by itself."""
    name = host.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
