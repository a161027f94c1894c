"""`/api/v2/cases/{case_id}/…`: one thing of a case is changed, and the case is the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError
from config.lib.public.schemas import Schema
from config.lib.public.views import PublicView
from config.lib.request_body import JSON
from ticketing import details, services
from ticketing.api.v2 import case_schemas as schemas
from ticketing.api.v2.asking import Priority
from ticketing.api.v2.case_asking import (
    day,
    find_case,
    find_person,
    read_attributes,
    read_nothing,
    refusal,
    status_of,
    text,
)
from ticketing.api.v2.case_schemas import coded
from ticketing.api.v2.cases import answer_of
from ticketing.api.v2.finding_cases import actor_of
from ticketing.models import Case

View = TypeVar("View", bound=Callable[..., Any])
_WRITES = {"POST": Permission.CASES_WRITE}


class _Status(msgspec.Struct):
    status: schemas.Status | None = None
    status_name: str | None = None


class _Priority(msgspec.Struct):
    priority: Priority


class _Assignee(msgspec.Struct):
    assignee_id: str


class _Title(msgspec.Struct):
    title: str


class _Description(msgspec.Struct):
    description: str


class _DueDate(msgspec.Struct):
    due_date: str


class _Attributes(msgspec.Struct):
    attributes: dict[str, list[str]]


class _Reason(msgspec.Struct):
    security_resolved_reason: str


def _changes(
    name: str, summary: str, asked: Schema, description: str = ""
) -> Callable[[View], View]:
    """How an operation that changes a case is documented."""
    documented: Callable[[View], View] = extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request={JSON: asked},
        responses=coded(200, schemas.ONE_CASE),
    )
    return documented


class StatusView(PublicView):
    required_permissions = _WRITES

    @_changes("update_status", "Change the status of a case", schemas.STATUS_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Status)
        status = status_of(said.status, said.status_name)
        if status is None:
            raise ApiError(400, detail="Say a status.", pointer="/data/attributes/status")
        case = find_case(case_id)
        return _answer(services.change_case(case, status=status, actor=actor_of(request)))


class PriorityView(PublicView):
    required_permissions = _WRITES

    @_changes("update_priority", "Change the priority of a case", schemas.PRIORITY_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Priority)
        case = find_case(case_id)
        return _answer(services.change_case(case, priority=said.priority, actor=actor_of(request)))


class AssignView(PublicView):
    required_permissions = _WRITES

    @_changes("assign_case", "Assign a case", schemas.ASSIGNEE_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Assignee)
        case, person = find_case(case_id), find_person(said.assignee_id)
        return _answer(services.change_case(case, assignee=person, actor=actor_of(request)))


class UnassignView(PublicView):
    required_permissions = _WRITES

    @_changes("unassign_case", "Unassign a case", schemas.NOTHING_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        case = find_case(case_id)
        return _answer(services.change_case(case, assignee=None, actor=actor_of(request)))


class TitleView(PublicView):
    required_permissions = _WRITES

    @_changes("update_case_title", "Change the title of a case", schemas.TITLE_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        title = text(read_attributes(request, _Title).title, "title").strip()
        case = find_case(case_id)
        return _answer(services.change_case(case, title=title, actor=actor_of(request)))


class DescriptionView(PublicView):
    required_permissions = _WRITES

    @_changes(
        "update_case_description", "Change the description of a case", schemas.DESCRIPTION_SAID
    )
    def post(self, request: Request, case_id: str) -> Response:
        said = text(read_attributes(request, _Description).description, "description")
        case = find_case(case_id)
        return _answer(services.change_case(case, description=said, actor=actor_of(request)))


class DueDateView(PublicView):
    required_permissions = _WRITES

    @_changes(
        "update_case_due_date",
        "Say when a case is due",
        schemas.DUE_DATE_SAID,
        "An empty date takes it away.",
    )
    def post(self, request: Request, case_id: str) -> Response:
        due = day(read_attributes(request, _DueDate).due_date)
        case = find_case(case_id)
        return _answer(details.set_due_date(case, due, actor=actor_of(request)))


class AttributesView(PublicView):
    required_permissions = _WRITES

    @_changes(
        "update_attributes",
        "Set the attributes of a case",
        schemas.ATTRIBUTES_SAID,
        "They take the place of all there were.",
    )
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Attributes).attributes
        case = find_case(case_id)
        try:
            return _answer(details.set_attributes(case, said, actor=actor_of(request)))
        except ValidationError as error:
            raise refusal(error, "attributes") from None


class ResolvedReasonView(PublicView):
    required_permissions = _WRITES

    @_changes("update_case_resolved_reason", "Say why a case was resolved", schemas.REASON_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Reason).security_resolved_reason
        case = find_case(case_id)
        try:
            return _answer(details.set_resolved_reason(case, said, actor=actor_of(request)))
        except ValidationError as error:
            raise refusal(error, "security_resolved_reason") from None


class ArchiveView(PublicView):
    required_permissions = _WRITES

    @_changes("archive_case", "Archive a case", schemas.NOTHING_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        return _answer(services.archive(find_case(case_id), actor=actor_of(request)))


class UnarchiveView(PublicView):
    required_permissions = _WRITES

    @_changes("unarchive_case", "Unarchive a case", schemas.NOTHING_SAID)
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        return _answer(services.unarchive(find_case(case_id), actor=actor_of(request)))


def _answer(case: Case) -> Response:
    return Response(answer_of(case))
