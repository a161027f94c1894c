"""Addresses of the web as reports write them, some of which are none."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    site: str  # "https://shop.example:8080"
    host: str
    path: str  # without the query, which holds values


def address_of(url: str) -> Address:
    """Its parts; empty ones for what is no address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # "http://[x"
        return Address("", "", "")
    where = parts.netloc.rpartition("@")[2]
    return Address(f"{parts.scheme}://{where}" if host else "", host, parts.path)
