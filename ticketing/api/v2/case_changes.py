"""`/api/v2/cases/{case_id}/…`: one thing of a case is changed, and the case is the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.schemas import create, schema_of
from config.lib.datadog_api.shapes import documented
from config.lib.datadog_api.views import PublicView
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from ticketing import details, services
from ticketing.api.v2.asking import Markdown, Priority
from ticketing.api.v2.case_asking import (
    Nothing,
    Title,
    day,
    find_case,
    find_person,
    read_attributes,
    read_nothing,
    refusal,
    status_of,
    text,
)
from ticketing.api.v2.cases import ONE_CASE, answer_of
from ticketing.api.v2.finding_cases import actor_of

View = TypeVar("View", bound=Callable[..., Any])
_WRITES = {"POST": Permission.CASES_WRITE}


class _Status(Struct):
    status: Literal["OPEN", "IN_PROGRESS", "CLOSED"] | None = None
    status_name: str | None = None


class _Priority(Struct):
    priority: Priority


class _Assignee(Struct):
    assignee_id: Annotated[str, documented(format="uuid")]


class _Title(Struct):
    title: Title


class _Description(Struct):
    description: Markdown


class _DueDate(Struct):
    due_date: Annotated[str, documented(format="date")]


class _Attributes(Struct):
    attributes: dict[str, list[str]]


class _Reason(Struct):
    security_resolved_reason: Annotated[str, documented(minLength=1, maxLength=details.MAX_REASON)]


def _changes(
    name: str, summary: str, attributes: Any = None, description: str = ""
) -> Callable[[View], View]:
    """How an operation that changes a case is documented, by the attributes that are sent."""
    asked = create(attributes, type_="case") if attributes else schema_of(Nothing)
    operation: Callable[[View], View] = extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request={JSON: asked},
        responses=ONE_CASE,
    )
    return operation


class StatusView(PublicView):
    required_permissions = _WRITES

    @_changes("update_status", "Change the status of a case", _Status)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Status)
        status = status_of(said.status, said.status_name)
        if status is None:
            raise ApiError(400, detail="Say a status.", pointer="/data/attributes/status")
        case = find_case(case_id)
        return answer_of(services.change_case(case, status=status, actor=actor_of(request)))


class PriorityView(PublicView):
    required_permissions = _WRITES

    @_changes("update_priority", "Change the priority of a case", _Priority)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Priority)
        case = find_case(case_id)
        return answer_of(
            services.change_case(case, priority=said.priority, actor=actor_of(request))
        )


class AssignView(PublicView):
    required_permissions = _WRITES

    @_changes("assign_case", "Assign a case", _Assignee)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Assignee)
        person_id = coded_uuid_of(said.assignee_id, "assigneeid")
        case, person = find_case(case_id), find_person(person_id)
        return answer_of(services.change_case(case, assignee=person, actor=actor_of(request)))


class UnassignView(PublicView):
    required_permissions = _WRITES

    @_changes("unassign_case", "Unassign a case")
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        case = find_case(case_id)
        return answer_of(services.change_case(case, assignee=None, actor=actor_of(request)))


class TitleView(PublicView):
    required_permissions = _WRITES

    @_changes("update_case_title", "Change the title of a case", _Title)
    def post(self, request: Request, case_id: str) -> Response:
        title = text(read_attributes(request, _Title).title, "title").strip()
        case = find_case(case_id)
        return answer_of(services.change_case(case, title=title, actor=actor_of(request)))


class DescriptionView(PublicView):
    required_permissions = _WRITES

    @_changes("update_case_description", "Change the description of a case", _Description)
    def post(self, request: Request, case_id: str) -> Response:
        said = text(read_attributes(request, _Description).description, "description")
        case = find_case(case_id)
        return answer_of(services.change_case(case, description=said, actor=actor_of(request)))


class DueDateView(PublicView):
    required_permissions = _WRITES

    @_changes(
        "update_case_due_date",
        "Say when a case is due",
        _DueDate,
        "An empty date takes it away: the case is due when its findings are.",
    )
    def post(self, request: Request, case_id: str) -> Response:
        due = day(read_attributes(request, _DueDate).due_date)
        case = find_case(case_id)
        return answer_of(details.set_due_date(case, due, actor=actor_of(request)))


class AttributesView(PublicView):
    required_permissions = _WRITES

    @_changes(
        "update_attributes",
        "Set the attributes of a case",
        _Attributes,
        "They take the place of all there were.",
    )
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Attributes).attributes
        case = find_case(case_id)
        try:
            return answer_of(details.set_attributes(case, said, actor=actor_of(request)))
        except ValidationError as error:
            raise refusal(error, "attributes") from None


class ResolvedReasonView(PublicView):
    required_permissions = _WRITES

    @_changes("update_case_resolved_reason", "Say why a case was resolved", _Reason)
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _Reason).security_resolved_reason
        case = find_case(case_id)
        try:
            return answer_of(details.set_resolved_reason(case, said, actor=actor_of(request)))
        except ValidationError as error:
            raise refusal(error, "security_resolved_reason") from None


class ArchiveView(PublicView):
    required_permissions = _WRITES

    @_changes("archive_case", "Archive a case")
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        return answer_of(services.archive(find_case(case_id), actor=actor_of(request)))


class UnarchiveView(PublicView):
    required_permissions = _WRITES

    @_changes("unarchive_case", "Unarchive a case")
    def post(self, request: Request, case_id: str) -> Response:
        read_nothing(request)
        return answer_of(services.unarchive(find_case(case_id), actor=actor_of(request)))
