"""`GET /api/v1/findings` and `GET /api/v1/findings/{finding_id}`; sending them is `intake`."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.accounts import idempotency
from config.accounts.idempotency import answer_once
from config.accounts.roles import Permission
from config.lib.concurrency import LimitedSearch
from config.lib.datadog_api.schemas import OUR_ERRORS, our_answers, schema_of
from config.lib.datadog_api.shapes import Document
from config.lib.jsonapi import MEDIA_TYPE, ApiError
from config.lib.request_body import JSON
from config.lib.request_handling import Handling, Lane
from config.lib.statement_timeout import QueryTimeout
from findings.api.documents import After, FindingDocument, Next, finding_document
from findings.api.intake import Envelope, Received, take_in
from findings.api.search_params import (
    AFTER,
    DEFAULT_LIMIT,
    LIMIT,
    PARAMETERS,
    QUERY,
    SORT,
    limit_of,
    order_of,
    query_of,
    search_page,
)
from findings.selectors import Cursor, Order, Page, finding_by_id


class _Meta(Struct):
    page: After


class _Page(Struct):
    data: list[FindingDocument]
    meta: _Meta
    links: Next


_RECEIVED = schema_of(Received)


class FindingsView(LimitedSearch):
    handling = {
        "GET": Handling(Lane.SEARCH),
        "POST": Handling(Lane.INTAKE, settings.INTAKE_MAX_BYTES, Permission.FINDINGS_INTAKE),
    }
    limited_methods = frozenset({"GET"})
    required_permissions = {"GET": Permission.FINDINGS_READ, "POST": Permission.FINDINGS_INTAKE}

    @extend_schema(
        operation_id="list_findings",
        summary="List findings",
        description="Findings that match a query, by when their detection changed last. Pages "
        "stay whole while findings arrive.",
        parameters=[*PARAMETERS],
        responses=our_answers(200, schema_of(_Page), 503),
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        try:
            page = search_page(
                query_of(params.get(QUERY, ""), parameter=QUERY),
                order=order_of(params.get(SORT, Order.NEWEST), parameter=SORT),
                after=_cursor(request),
                limit=limit_of(params.get(LIMIT, str(DEFAULT_LIMIT)), parameter=LIMIT),
            )
        except QueryTimeout:
            detail = "The search took too long and was given up. Narrow your request."
            raise ApiError(503, detail=detail, parameter=QUERY) from None
        return Response(_page_document(request, page))

    @extend_schema(
        operation_id="send_findings",
        summary="Send findings",
        description="Each finding is new, seen again or open again, by its fingerprint: sending "
        "the same again changes nothing. Bad ones are rejected one by one while the good ones "
        "go in; when all are bad the same answer comes with status 400. gzip is welcome.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schema_of(Envelope)},
        responses=our_answers(200, _RECEIVED, 409, 422)
        | {(400, MEDIA_TYPE): {"anyOf": [_RECEIVED, OUR_ERRORS]}},
    )
    def post(self, request: Request) -> Response:
        return answer_once(request, partial(take_in, request), limit=settings.INTAKE_MAX_BYTES)


class FindingView(APIView):
    required_permissions = {"GET": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="get_finding",
        summary="Show a finding",
        responses=our_answers(200, schema_of(Document[FindingDocument])),
    )
    def get(self, request: Request, finding_id: str) -> Response:
        finding = finding_by_id(finding_id)
        if finding is None:
            raise ApiError(404, detail="finding does not exist")
        return Response({"data": finding_document(finding)})


def _cursor(request: Request) -> Cursor | None:
    text = request.query_params.get(AFTER, "")
    try:
        return Cursor.read(text) if text else None
    except ValueError:
        detail = "A cursor comes from `meta.page.after`."
        raise ApiError(400, detail=detail, parameter=AFTER) from None


def _page_document(request: Request, page: Page) -> dict[str, Any]:
    document: dict[str, Any] = {
        "data": [finding_document(finding) for finding in page.findings],
        "meta": {"page": {}},
        "links": {},
    }
    if page.after is not None:
        parameters = request.query_params.copy()
        parameters[AFTER] = str(page.after)
        document["meta"]["page"]["after"] = str(page.after)
        document["links"]["next"] = f"{request.path}?{parameters.urlencode()}"
    return document
