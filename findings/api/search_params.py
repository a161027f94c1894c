"""Searches of the API: what they may ask, in an address or in a body, and how long they take.

Each reader raises `ApiError` 400; `at` says where what was read stands, as `ApiError` takes it:
`parameter="sort"` or `pointer="/data/attributes/sort"`.
"""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from config.lib.jsonapi import ApiError
from config.lib.statement_timeout import force_index_order, statement_timeout
from findings.columnar.pinned import pinned
from findings.explorer.search import Search
from findings.query.ast import Query, QueryError
from findings.query.parse import parse
from findings.selectors import Cursor, Order, Page, page_of_findings

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


SECONDS = 30
"""The longest that a search may take; the explorer, where a person waits, gives up sooner."""


def search_page(query: Query, *, order: Order, after: Cursor | None, limit: int) -> Page:
    """Raises `QueryTimeout`; on PostgreSQL alone, see `statement_timeout`."""
    has_words = Search(query.root).has_words
    with pinned(for_words=has_words), statement_timeout(SECONDS):
        # Measured at 200,000 findings: a word that all hold 24 s → 0.3 s, one that none holds
        # 0.9 → 1.3 s.
        if has_words:
            force_index_order()
        return page_of_findings(query, order=order, after=after, limit=limit)


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
