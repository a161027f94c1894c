"""`/api/v2/cases/count` and `…/aggregate`: how many cases there are of each kind."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import answerable
from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError
from config.lib.public.views import PublicView
from config.lib.request_body import JSON
from ticketing.api.v2 import case_schemas as schemas
from ticketing.api.v2.case_asking import find, read_attributes
from ticketing.api.v2.case_schemas import coded
from ticketing.api.v2.finding_cases import actor_of
from ticketing.models import Case
from ticketing.selectors import GROUPS, count_by

FILTER, GROUP_BYS, LIMIT = "query_filter", "group_bys", "limit"
DEFAULT_LIMIT, MAX_LIMIT = 10, 1_000


class _GroupBy(msgspec.Struct):
    groups: list[str]
    limit: int


class _Aggregate(msgspec.Struct):
    query_filter: str
    group_by: _GroupBy


class CountView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="count_cases",
        summary="Count cases",
        description="For each group, how many cases have which value; without groups, how many "
        "there are in all, as the group `total`. Archived cases are left out.",
        parameters=[
            OpenApiParameter(FILTER, str, description="As `filter` of the search."),
            OpenApiParameter(
                GROUP_BYS, str, description=f"Some of {', '.join(GROUPS)}, with commas between."
            ),
            OpenApiParameter(LIMIT, int, description="Values of each group, the most cases first."),
        ],
        responses=coded(200, schemas.COUNTS),
    )
    def get(self, request: Request) -> Response:
        words = request.query_params.get(FILTER, "")
        condition = find(words, me=answerable(actor_of(request)), parameter=FILTER)
        found = Case.objects.filter(condition, archived_at=None)
        limit = _limit(request)
        asked = request.query_params.get(GROUP_BYS, "")
        names = _known(asked.split(",") if asked else (), parameter=GROUP_BYS)
        groups = [
            {"group": name, "group_values": _values(count_by(found, [name], limit=limit))}
            for name in names
        ]
        if not groups:
            total = {"value": "total", "count": found.count()}
            groups = [{"group": "total", "group_values": [total]}]
        return Response(
            {"data": {"id": str(uuid4()), "type": "count", "attributes": {"groups": groups}}}
        )


class AggregateView(PublicView):
    required_permissions = {"POST": Permission.CASES_READ}

    @extend_schema(
        operation_id="aggregate_cases",
        summary="Count cases by several fields at once",
        description="A group is the values of its fields with commas between.",
        request={JSON: schemas.AGGREGATE},
        responses=coded(200, schemas.AGGREGATES),
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
        counted = count_by(found, names, limit=said.group_by.limit)
        groups = [{"group": ",".join(values), "value": [count]} for values, count in counted]
        attributes = {"groups": groups, "total": found.count()}
        return Response(
            {"data": {"id": str(uuid4()), "type": "aggregate", "attributes": attributes}}
        )


def _values(counted: list[tuple[tuple[str, ...], int]]) -> list[dict[str, object]]:
    return [{"value": values[0], "count": count} for values, count in counted]


def _known(
    names: Iterable[str], *, parameter: str | None = None, pointer: str | None = None
) -> list[str]:
    """The groups, once each. Raises ApiError 400."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in GROUPS:
            detail = f"{name[:100]!r} is not one of {', '.join(GROUPS)}."
            raise ApiError(400, detail=detail, parameter=parameter, pointer=pointer)
    return wanted


def _limit(request: Request) -> int:
    said = request.query_params.get(LIMIT, str(DEFAULT_LIMIT))
    is_number = said.isascii() and said.isdigit() and len(said) < 5
    if not (is_number and 1 <= int(said) <= MAX_LIMIT):
        raise ApiError(400, detail=f"A limit lies from 1 to {MAX_LIMIT}.", parameter=LIMIT)
    return int(said)
