"""`/api/v2/cases/{case_id}/comment` and `…/timelines`: what people say about a case."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES
from config.lib.datadog_api.paging import NUMBER, SIZE
from config.lib.datadog_api.schemas import coded, create, schema_of
from config.lib.datadog_api.shapes import documented
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError, CodedError
from config.lib.request_body import JSON
from ticketing import commenting, services
from ticketing.api.v2.case_asking import (
    cell_number,
    find_case,
    find_comment,
    read_attributes,
    text,
)
from ticketing.api.v2.cases import is_true, page_from_one
from ticketing.api.v2.documents import Cells, CellsPage, PageCounts, PageMeta, cell
from ticketing.api.v2.finding_cases import actor_of
from ticketing.forms.cases import MAX_COMMENT
from ticketing.models import TimelineEntry
from ticketing.selectors import timeline

DEFAULT_SIZE, MAX_SIZE = 10, 100
ASCENDING = "sort[ascending]"


class _Comment(Struct):
    comment: Annotated[
        str, Meta(description="Markdown."), documented(minLength=1, maxLength=MAX_COMMENT)
    ]


class CommentsView(PublicView):
    required_permissions = {"POST": Permission.CASES_WRITE}

    @extend_schema(
        operation_id="comment_case",
        summary="Comment on a case",
        description="It goes to the case's issue in Jira, too, where comments are synced.",
        parameters=[idempotency.PARAMETER],
        request={JSON: create(_Comment, type_="case")},
        responses=coded(200, schema_of(Cells), 409, 422),
    )
    def post(self, request: Request, case_id: str) -> Response:
        work = partial(_comment, request, case_id)
        return idempotency.answer_once(request, work, limit=MAX_BYTES)


class CommentView(PublicView):
    required_permissions = {"PUT": Permission.CASES_WRITE, "DELETE": Permission.CASES_WRITE}

    @extend_schema(
        operation_id="update_case_comment",
        summary="Edit a comment on a case",
        description="A person's own; a key edits what it wrote itself. A comment that was written "
        "in Jira is edited there.",
        request={JSON: create(_Comment, type_="case")},
        responses=coded(200, schema_of(Cells)),
    )
    def put(self, request: Request, case_id: str, cell_id: str) -> Response:
        said = text(read_attributes(request, _Comment).comment, "comment")
        number = cell_number(cell_id)
        entry = find_comment(find_case(case_id), number)
        try:
            entry = commenting.edit_comment(entry, said, actor=actor_of(request))
        except commenting.Refusal as error:
            raise _refused(error) from None
        return answer(Cells([cell(entry)]))

    @extend_schema(
        operation_id="delete_case_comment",
        summary="Delete a comment on a case",
        description="A person's own; a key deletes what it wrote itself. Its words are gone from "
        "the case; the timeline still says that there was one. A comment that was written in Jira "
        "is deleted there.",
        responses=coded(204, None),
    )
    def delete(self, request: Request, case_id: str, cell_id: str) -> Response:
        number = cell_number(cell_id)
        entry = find_comment(find_case(case_id), number)
        try:
            commenting.delete_comment(entry, actor=actor_of(request))
        except commenting.Refusal as error:
            raise _refused(error) from None
        return Response(status=204)


class TimelineView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="list_case_timeline",
        summary="List the comments on a case",
        description="The newest first. Pages count from 1.",
        parameters=[
            OpenApiParameter(SIZE, int, description=f"1 to {MAX_SIZE}; {DEFAULT_SIZE}."),
            OpenApiParameter(NUMBER, int),
            OpenApiParameter(ASCENDING, bool, description="The oldest first."),
        ],
        responses=coded(200, schema_of(CellsPage)),
    )
    def get(self, request: Request, case_id: str) -> Response:
        page = page_from_one(request, default=DEFAULT_SIZE, most=MAX_SIZE)
        oldest_first = is_true(request, ASCENDING)
        comments = timeline(find_case(case_id), kinds=(TimelineEntry.Kind.COMMENT,))
        order = ("created_at", "pk") if oldest_first else ("-created_at", "-pk")
        shown = [cell(entry) for entry in comments.order_by(*order)[page.rows]]
        counts = PageCounts(current=page.number + 1, size=page.size, total=comments.count())
        return answer(CellsPage(shown, PageMeta(counts)))


def _comment(request: Request, case_id: str) -> Response:
    said = text(read_attributes(request, _Comment).comment, "comment")
    entry = services.comment(find_case(case_id), said, actor=actor_of(request))
    return answer(Cells([cell(entry)]))


def _refused(error: commenting.Refusal) -> ApiError:
    if isinstance(error, commenting.Gone):
        return CodedError(404, "resource_not_found", "comment not found")
    return ApiError(403 if isinstance(error, commenting.NotYours) else 400, detail=str(error))
