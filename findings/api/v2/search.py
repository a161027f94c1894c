"""`GET /api/v2/security/findings` and `POST /api/v2/security/findings/search`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal, NamedTuple

from django.urls import reverse
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.concurrency import LimitedSearch
from config.lib.datadog_api.documents import read_document
from config.lib.datadog_api.schemas import answers, schema_of
from config.lib.datadog_api.shapes import Document, ErrorSource, documented, only
from config.lib.datadog_api.views import PublicView
from config.lib.jsonapi import MEDIA_TYPE, ApiErrors
from config.lib.request_body import JSON
from config.lib.request_handling import Handling, Lane
from config.lib.statement_timeout import QueryTimeout
from findings.api.documents import After, FindingDocument, Next, finding_document
from findings.api.search_params import (
    AFTER,
    DEFAULT_LIMIT,
    LIMIT,
    MAX_LIMIT,
    PARAMETERS,
    QUERY,
    SORT,
    limit_of,
    order_of,
    query_of,
    search_page,
)
from findings.query.ast import Query
from findings.query.canonical import write
from findings.query.parse import MAX_CHARACTERS
from findings.selectors import Cursor, Order, Page

ABOUT = (
    "Findings that match a query, by when their detection changed last. Tags are queried as "
    "`key:value`, attributes as `@path:value`, e.g. `@severity:(critical OR high) @status:open "
    "team:platform`. Muted and closed findings come, too, unless the query leaves them out. Pages "
    "stay whole while findings arrive. `meta.status` is `timeout` if the search was given up."
)


class _PageParams(Struct):
    cursor: str | None = None
    limit: Annotated[int | None, documented(format="int64", minimum=1, maximum=MAX_LIMIT)] = None


class _Attributes(Struct):
    filter: str | None = None
    page: _PageParams | None = None
    sort: Annotated[str | None, only(*Order)] = None


class _Data(Struct):
    attributes: _Attributes | None = None


class _Error(Struct):
    status: str
    title: Annotated[str | UnsetType, Meta(description="Missing of a bad cursor alone.")] = UNSET
    detail: str | UnsetType = UNSET
    source: ErrorSource | UnsetType = UNSET


class _Errors(Struct):
    errors: list[_Error]


class _Meta(Struct):
    elapsed: Annotated[int, Meta(description="Milliseconds.")]
    page: After
    request_id: str
    status: Literal["done", "timeout"]


class _Found(Struct):
    data: list[FindingDocument]
    meta: _Meta
    links: Next


WITHOUT_TITLE = {(400, MEDIA_TYPE): schema_of(_Errors)}
_FOUND = answers(200, schema_of(_Found)) | WITHOUT_TITLE


class _SearchParams(NamedTuple):
    query: Query
    order: Order
    after: Cursor | None
    limit: int


class SecurityFindingsView(LimitedSearch, PublicView):
    handling = Handling(Lane.SEARCH)
    required_permissions = {"GET": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="list_security_findings",
        summary="List security findings",
        description=ABOUT,
        parameters=[*PARAMETERS],
        responses=_FOUND,
    )
    def get(self, request: Request) -> Response:
        raw = request.query_params
        params = _SearchParams(
            query=query_of(raw.get(QUERY, ""), parameter=QUERY),
            order=order_of(raw.get(SORT, Order.NEWEST), parameter=SORT),
            after=cursor_of(raw.get(AFTER, ""), parameter=AFTER),
            limit=limit_of(raw.get(LIMIT, str(DEFAULT_LIMIT)), parameter=LIMIT),
        )
        return _answer(request, params)


class SearchView(LimitedSearch, PublicView):
    handling = Handling(Lane.SEARCH)
    required_permissions = {"POST": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="search_security_findings",
        summary="Search security findings",
        description=ABOUT,
        request={JSON: schema_of(Document[_Data])},
        responses=_FOUND,
    )
    def post(self, request: Request) -> Response:
        raw = read_document(request, Document[_Data]).data.attributes or _Attributes()
        page = raw.page or _PageParams()
        start = "/data/attributes"
        limit = DEFAULT_LIMIT if page.limit is None else page.limit
        params = _SearchParams(
            query=query_of(raw.filter or "", pointer=f"{start}/filter"),
            order=order_of(raw.sort or Order.NEWEST, pointer=f"{start}/sort"),
            after=cursor_of(page.cursor or "", pointer=f"{start}/page/cursor"),
            limit=limit_of(str(limit), pointer=f"{start}/page/limit"),
        )
        return _answer(request, params)


def cursor_of(text: str, **at: str) -> Cursor | None:
    """The public API says no more of a bad cursor than this, without a title."""
    try:
        return Cursor.read(text) if text else None
    except ValueError:
        fault = {"status": "400", "detail": "Invalid filters", "source": at}
        raise ApiErrors(400, [fault]) from None


def _answer(request: Request, params: _SearchParams) -> Response:
    started = time.monotonic()
    status = "done"
    try:
        page = search_page(params.query, order=params.order, after=params.after, limit=params.limit)
    except QueryTimeout:
        status, page = "timeout", Page([], params.after)
    place = {"after": str(page.after)} if page.after else {}
    meta = {
        "elapsed": round((time.monotonic() - started) * 1000),
        "page": place,
        "request_id": getattr(request, "id", ""),
        "status": status,
    }
    links = {"next": _next_link(params, page.after)} if page.after else {}
    data = [finding_document(finding) for finding in page.findings]
    return Response({"data": data, "meta": meta, "links": links})


def _next_link(params: _SearchParams, after: Cursor) -> str:
    """A GET address, also after a POST, with the query as it is written canonically."""
    query = write(params.query.root)
    if len(query) > MAX_CHARACTERS:  # written out it can be longer than a query may be
        query = params.query.text
    address: dict[str, Any] = {QUERY: query} if query else {}
    address |= {AFTER: str(after), LIMIT: params.limit, SORT: params.order.value}
    return f"{reverse('findings-public:finding-list')}?{urlencode(address)}"
