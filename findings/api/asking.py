"""What a search may ask, wherever it stands: in the address or in a body.

Each raises `ApiError` 400; `at` says where what was read stands, as `ApiError` takes it:
`parameter="sort"` or `pointer="/data/attributes/sort"`.
"""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from config.lib.jsonapi import ApiError
from findings.query.ast import Query, QueryError
from findings.query.parse import parse
from findings.selectors import Order

QUERY, SORT, AFTER, LIMIT = "filter[query]", "sort", "page[cursor]", "page[limit]"
"""What an address calls them."""
DEFAULT_LIMIT, MAX_LIMIT = 10, 150
PARAMETERS = (
    OpenApiParameter(QUERY, str, description="e.g. `@severity:critical team:payments`"),
    OpenApiParameter(SORT, str, enum=[order.value for order in Order]),
    OpenApiParameter(AFTER, str, description="`meta.page.after` of the page before."),
    OpenApiParameter(
        LIMIT,
        {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_LIMIT},
        description=f"1 to {MAX_LIMIT}; {DEFAULT_LIMIT} if it is left out.",
    ),
)


def query_of(text: str, **at: str) -> Query:
    try:
        return parse(text)
    except QueryError as error:
        detail = f"{error.message} (at character {error.position + 1})"
        raise ApiError(400, detail=detail, **at) from None


def order_of(text: str, **at: str) -> Order:
    try:
        return Order(text)
    except ValueError:
        raise ApiError(400, detail=f"Sort by one of {', '.join(Order)}.", **at) from None


def limit_of(text: str, **at: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 4
    if not (is_number and 1 <= int(text) <= MAX_LIMIT):
        raise ApiError(400, detail=f"A limit lies from 1 to {MAX_LIMIT}.", **at)
    return int(text)
