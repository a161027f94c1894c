"""Numbered pages, counted from 0, with the links that lead through them."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from rest_framework.request import Request

from config.lib.jsonapi import ApiError

SIZE, NUMBER = "page[size]", "page[number]"
_LARGEST_NUMBER = 1_000_000


class NumberedPage(NamedTuple):
    size: int
    number: int

    @property
    def rows(self) -> slice:
        start = self.size * self.number
        return slice(start, start + self.size)


def read_page(request: Request, *, default: int, most: int) -> NumberedPage:
    """The page that a request asks for. Raises `ApiError` 400 with the parameter."""
    return NumberedPage(
        size=_whole(request, SIZE, default=default, least=1, most=most),
        number=_whole(request, NUMBER, default=0, least=0, most=_LARGEST_NUMBER),
    )


def page_links(request: Request, page: NumberedPage, *, total: int) -> dict[str, str]:
    """`first` and `last` always, `next` and `prev` where there is one.

    The brackets stay as they are, which is how the public API writes them.
    """
    last = max(0, (total - 1) // page.size)
    numbers = {"first": 0, "last": last}
    if page.number < last:
        numbers["next"] = page.number + 1
    if page.number > 0:
        numbers["prev"] = min(page.number - 1, last)
    others = "".join(
        f"{name}={quote(str(value), safe='')}&"
        for name, value in request.query_params.items()
        if name not in (SIZE, NUMBER)
    )
    start = f"{request.path}?{others}{SIZE}={page.size}&{NUMBER}="
    return {name: f"{start}{number}" for name, number in numbers.items()}


def _whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    sent = request.query_params.get(name, str(default))
    number = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else -1
    if not least <= number <= most:
        detail = f"{name} is a whole number from {least} to {most:,}."
        raise ApiError(400, detail=detail, parameter=name)
    return number
