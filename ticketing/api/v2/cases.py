"""`/api/v2/cases`: cases are created, shown, found and counted."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.access import answerable
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES, check_type, read_document
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.paging import NUMBER, SIZE, NumberedPage, read_page
from config.lib.datadog_api.schemas import coded, schema_of
from config.lib.datadog_api.shapes import Document, Ref, ToOne, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError, CodedError
from config.lib.request_body import JSON
from ticketing.api.v2.asking import Markdown, Priority, still_there
from ticketing.api.v2.case_asking import (
    STATUS_NAMES,
    Title,
    find,
    find_case,
    find_person,
    find_project,
    status_of,
    text,
)
from ticketing.api.v2.documents import (
    STANDARD_TYPE,
    Cases,
    OneCase,
    PageCounts,
    many_cases,
    one_case,
)
from ticketing.api.v2.finding_cases import actor_of
from ticketing.asked import Asked, open_one
from ticketing.models import Case
from ticketing.records import records, records_of
from ticketing.selectors import API_SORTS

DEFAULT_SIZE, MAX_SIZE = 10, 100
FIELD, ASCENDING, FILTER = "sort[field]", "sort[asc]", "filter"


ONE_CASE = coded(200, schema_of(OneCase))


class _Assignee(Struct):
    data: Ref[Annotated[str, only("user")]] | UnsetType | None = UNSET


class _Relationships(Struct):
    project: ToOne[Annotated[str, only("project")]]
    assignee: _Assignee | None = None


class _Words(Struct):
    title: Title
    type_id: str
    description: Markdown = ""
    priority: Priority = "NOT_DEFINED"
    status_name: Annotated[str | None, only(*STATUS_NAMES)] = None
    custom_attributes: Annotated[dict[str, Any] | None, Meta(description="None exist.")] = None


class _NewCase(Struct):
    type: Annotated[str, only("case")]
    attributes: _Words
    relationships: _Relationships


class CasesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ, "POST": Permission.CASES_WRITE}

    @extend_schema(
        operation_id="search_cases",
        summary="Search cases",
        description="`filter` takes words and `status:`, `priority:`, `assignee:`, `project:`, "
        "`origin:` terms, as the page of cases does. Archived cases are left out. Pages count "
        "from 1.",
        parameters=[
            OpenApiParameter(SIZE, int, description=f"1 to {MAX_SIZE}; {DEFAULT_SIZE}."),
            OpenApiParameter(NUMBER, int),
            OpenApiParameter(FIELD, str, enum=list(API_SORTS)),
            OpenApiParameter(ASCENDING, bool),
            OpenApiParameter(FILTER, str, description="e.g. `status:(OPEN OR IN_PROGRESS)`"),
        ],
        responses=coded(200, schema_of(Cases)),
    )
    def get(self, request: Request) -> Response:
        page = page_from_one(request, default=DEFAULT_SIZE, most=MAX_SIZE)
        words = request.query_params.get(FILTER, "")
        condition = find(words, me=answerable(actor_of(request)), parameter=FILTER)
        found = Case.objects.filter(condition, archived_at=None)
        shown = records(found.order_by(*_order(request)), page.rows)
        counts = _page_counts(page, shown=len(shown), total=found.count())
        return answer(many_cases(shown, counts))

    @extend_schema(
        operation_id="create_case",
        summary="Create a case",
        description=f"`type_id` is {STANDARD_TYPE}, the one type of case there is.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schema_of(Document[_NewCase])},
        responses=coded(201, schema_of(OneCase), 409, 422),
    )
    def post(self, request: Request) -> Response:
        return idempotency.answer_once(request, partial(_create, request), limit=MAX_BYTES)


class CaseView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_case",
        summary="Show a case",
        description="By its id or its key; the key it had before it moved works, too.",
        responses=ONE_CASE,
    )
    def get(self, request: Request, case_id: str) -> Response:
        return answer_of(find_case(case_id))


def _create(request: Request) -> Response:
    data = read_document(request, Document[_NewCase]).data
    status = _check(data)
    assignee_id = _assignee_id(data.relationships.assignee)
    asked = Asked(
        project=find_project(data.relationships.project.data.id),
        finding_pks=(),
        title=data.attributes.title.strip(),
        description=data.attributes.description,
        priority=data.attributes.priority,
        assignee=find_person(assignee_id) if assignee_id else None,
    )
    with still_there():
        case = open_one(asked, status=status, actor=actor_of(request))
    return answer_of(case, status=201)


def answer_of(case: Case, *, status: int = 200) -> Response:
    """The case as it is now."""
    [record] = records_of([case.pk])
    return answer(one_case(record), status=status)


def page_from_one(request: Request, *, default: int, most: int) -> NumberedPage:
    """Case management counts pages from 1, and takes 0 for the first as well."""
    page = read_page(request, default=default, most=most)
    return page._replace(number=max(page.number - 1, 0))


def is_true(request: Request, name: str) -> bool:
    """A parameter that is `true` or `false`; `false` if it is not there. Raises ApiError 400."""
    said = request.query_params.get(name, "false").lower()
    if said not in ("true", "false"):
        raise ApiError(400, detail="Say true or false.", parameter=name)
    return said == "true"


def _page_counts(page: NumberedPage, *, shown: int, total: int) -> PageCounts:
    """As the public API counts them: `size` rows are here, `total` pages in all."""
    pages = -(-total // page.size)
    return PageCounts(current=page.number + 1, size=shown, total=pages, total_cases=total)


def _order(request: Request) -> tuple[Any, ...]:
    name = request.query_params.get(FIELD, "created_at")
    if name not in API_SORTS:
        detail = f"Sort by one of {', '.join(API_SORTS)}."
        raise ApiError(400, detail=detail, parameter=FIELD)
    return API_SORTS[name][is_true(request, ASCENDING)]


def _check(data: _NewCase) -> str | None:
    """The shape of a new case; the status it is to have, if one is named."""
    check_type(data.type, "case", pointer="/data/type")
    pointer = "/data/relationships/project/data/type"
    check_type(data.relationships.project.data.type, "project", pointer=pointer)
    text(data.attributes.title, "title")
    text(data.attributes.description, "description")
    if data.attributes.custom_attributes:
        detail = "There are no custom attributes; use `attributes` of the case."
        raise ApiError(400, detail=detail, pointer="/data/attributes/custom_attributes")
    if coded_uuid_of(data.attributes.type_id, "typeid") != UUID(STANDARD_TYPE):
        raise CodedError(404, "resource_not_found", "case type not found")
    return status_of(None, data.attributes.status_name)


def _assignee_id(named: _Assignee | None) -> UUID | None:
    """The shape of who is named; nobody is looked up."""
    if named is None or not named.data:
        return None
    pointer = "/data/relationships/assignee/data/type"
    check_type(named.data.type, "user", pointer=pointer)
    return coded_uuid_of(named.data.id, "assigneeid")
