"""`/api/v2/cases/count` and `…/aggregate`: how many cases there are of each kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from uuid import uuid4

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import answerable
from config.accounts.roles import Permission
from config.lib.datadog_api.schemas import coded, create, schema_of
from config.lib.datadog_api.shapes import Count, Document, Shown
from config.lib.datadog_api.views import PublicView, answer
from config.lib.echo import cut
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from config.lib.statement_timeout import statement_timeout
from ticketing.api.v2.case_asking import find, read_attributes
from ticketing.api.v2.finding_cases import actor_of
from ticketing.models import Case
from ticketing.selectors import GROUPS, count_by

FILTER, GROUP_BYS, LIMIT = "query_filter", "group_bys", "limit"
DEFAULT_LIMIT, MAX_LIMIT = 10, 1_000


class _GroupBy(Struct):
    groups: list[str]
    limit: int


class _Aggregate(Struct):
    query_filter: str
    group_by: _GroupBy


class _Value(Struct):
    value: str
    count: Count


class _Group(Struct):
    group: str
    group_values: list[_Value]


class _Groups(Struct):
    groups: list[_Group]


class _Counted(Struct):
    group: str
    value: list[float]


class _Totals(Struct):
    groups: list[_Counted]
    total: float


_Counts = Document[Shown[Literal["count"], _Groups]]
_Aggregates = Document[Shown[Literal["aggregate"], _Totals]]


class CountView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="count_cases",
        summary="Count cases",
        description="For each group, how many cases have which value; without groups, how many "
        "there are in all, as the group `total`. Archived cases are left out. An assignee is the "
        "id of a user, or, of somebody in Jira who is no user here, the name.",
        parameters=[
            OpenApiParameter(FILTER, str, description="As `filter` of the search."),
            OpenApiParameter(
                GROUP_BYS, str, description=f"Some of {', '.join(GROUPS)}, with commas between."
            ),
            OpenApiParameter(LIMIT, int, description="Values of each group, the most cases first."),
        ],
        responses=coded(200, schema_of(_Counts)),
    )
    def get(self, request: Request) -> Response:
        words = request.query_params.get(FILTER, "")
        condition = find(words, me=answerable(actor_of(request)), parameter=FILTER)
        found = Case.objects.filter(condition, archived_at=None)
        limit = _limit(request)
        asked = request.query_params.get(GROUP_BYS, "")
        names = _known(asked.split(",") if asked else (), parameter=GROUP_BYS)
        with statement_timeout():
            groups = [
                _Group(name, _values(count_by(found, [name], limit=limit))) for name in names
            ] or [_Group("total", [_Value("total", found.count())])]
        return answer(Document(Shown(uuid4(), "count", _Groups(groups))))


class AggregateView(PublicView):
    required_permissions = {"POST": Permission.CASES_READ}

    @extend_schema(
        operation_id="aggregate_cases",
        summary="Count cases by several fields at once",
        description="A group is the values of its fields with commas between.",
        request={JSON: create(_Aggregate, type_="aggregate")},
        responses=coded(200, schema_of(_Aggregates)),
    )
    def post(self, request: Request) -> Response:
        said = read_attributes(request, _Aggregate, type_="aggregate")
        pointer = "/data/attributes/query_filter"
        me = answerable(actor_of(request))
        condition = find(said.query_filter, me=me, parameter=None, pointer=pointer)
        found = Case.objects.filter(condition, archived_at=None)
        pointer = "/data/attributes/group_by"
        names = _known(said.group_by.groups, pointer=f"{pointer}/groups")
        if not 1 <= said.group_by.limit <= MAX_LIMIT or not names:
            detail = f"Name a field, and a limit from 1 to {MAX_LIMIT}."
            raise ApiError(400, detail=detail, pointer=pointer)
        with statement_timeout():
            counted = count_by(found, names, limit=said.group_by.limit)
            total = found.count()
        groups = [_Counted(",".join(values), [count]) for values, count in counted]
        return answer(Document(Shown(uuid4(), "aggregate", _Totals(groups, total))))


def _values(counted: list[tuple[tuple[str, ...], int]]) -> list[_Value]:
    return [_Value(values[0], count) for values, count in counted]


def _known(
    names: Iterable[str], *, parameter: str | None = None, pointer: str | None = None
) -> list[str]:
    """The groups, once each. Raises ApiError 400."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in GROUPS:
            detail = f"{cut(name)!r} is not one of {', '.join(GROUPS)}."
            raise ApiError(400, detail=detail, parameter=parameter, pointer=pointer)
    return wanted


def _limit(request: Request) -> int:
    said = request.query_params.get(LIMIT, str(DEFAULT_LIMIT))
    is_number = said.isascii() and said.isdigit() and len(said) < 5
    if not (is_number and 1 <= int(said) <= MAX_LIMIT):
        raise ApiError(400, detail=f"A limit lies from 1 to {MAX_LIMIT}.", parameter=LIMIT)
    return int(said)
