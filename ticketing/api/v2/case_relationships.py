"""`/api/v2/cases/{case_id}/relationships/…`: the issue a case has in Jira, and its project."""

from __future__ import annotations

from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import Actor
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import check_type, read_document
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.schemas import coded, create, schema_of
from config.lib.datadog_api.shapes import ToOne, documented, only
from config.lib.datadog_api.views import PublicView
from config.lib.jsonapi import ApiError, CodedError
from config.lib.request_body import JSON
from ticketing import outbox, services
from ticketing.api.v2.asking import IssueAddress, still_there
from ticketing.api.v2.case_asking import find_case, find_project, read_attributes
from ticketing.api.v2.cases import ONE_CASE, answer_of
from ticketing.api.v2.finding_cases import actor_of
from ticketing.api.v2.jira import find_account, issue_at, place_at
from ticketing.attaching import link_issue, promise_issue_at
from ticketing.issues import issue_of
from ticketing.models import Case, ExternalIssue
from ticketing.states import State


class _NewIssue(Struct):
    issue_type_id: str
    jira_account_id: Annotated[str, documented(format="uuid")]
    project_id: str
    fields: Annotated[
        dict[str, Any] | None, Meta(description="Fields of the issue, as Jira knows them.")
    ] = None


_ToProject = ToOne[Annotated[str, only("project")]]


class CaseIssueView(PublicView):
    required_permissions = dict.fromkeys(("POST", "PATCH", "DELETE"), Permission.CASES_WRITE)

    @extend_schema(
        operation_id="create_case_jira_issue",
        summary="Create a Jira issue for a case",
        description="It is promised: it is created in a moment, or the case says why not. Jira "
        "is asked first whether it has that space and that type of ticket.",
        request={JSON: create(_NewIssue, type_="issues")},
        responses=coded(202, None, 503),
    )
    def post(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, _NewIssue, type_="issues")
        account_id = coded_uuid_of(said.jira_account_id, "jiraaccountid")
        case = _open_case(case_id)
        account = find_account(account_id)
        place = place_at(account, space_id=said.project_id, type_id=said.issue_type_id)
        with still_there():
            promised = promise_issue_at(case, place.of_issue, said.fields or {}, account=account)
        if not promised:
            raise ApiError(400, detail=f"{case.key} has an issue in Jira already.")
        return Response(status=202)

    @extend_schema(
        operation_id="link_jira_issue_to_case",
        summary="Link a Jira issue to a case",
        request={JSON: create(IssueAddress, type_="issues")},
        responses=coded(204, None, 409, 503),
    )
    def patch(self, request: Request, case_id: str) -> Response:
        said = read_attributes(request, IssueAddress, type_="issues")
        case = _open_case(case_id)
        found = issue_at(said.jira_issue_url, pointer="/data/attributes/jira_issue_url")
        if isinstance(found, Case):
            if found.pk != case.pk:
                raise ApiError(409, detail=f"The issue belongs to {found.key}.")
            return Response(status=204)
        try:
            with still_there():
                link_issue(case, found, actor=actor_of(request))
        except outbox.IssueTaken as taken:
            raise ApiError(409, detail=str(taken)) from None
        return Response(status=204)

    @extend_schema(
        operation_id="unlink_jira_issue",
        summary="Unlink the Jira issue of a case",
        description="It stays in Jira. One that is not there yet is not created any more.",
        responses=coded(204, None, 409),
    )
    def delete(self, request: Request, case_id: str) -> Response:
        issue = issue_of(find_case(case_id))
        if issue is None:
            raise CodedError(404, "resource_not_found", "jira issue not found")
        if not _let_go(issue, actor=actor_of(request)):
            raise ApiError(409, detail="The issue is being created this moment. Try again.")
        return Response(status=204)


class CaseProjectView(PublicView):
    required_permissions = {"PATCH": Permission.CASES_WRITE}

    @extend_schema(
        operation_id="move_case_to_project",
        summary="Move a case to another project",
        description="It takes the next key there; its old key still leads to it.",
        request={JSON: schema_of(_ToProject)},
        responses=ONE_CASE,
    )
    def patch(self, request: Request, case_id: str) -> Response:
        ref = read_document(request, _ToProject).data
        check_type(ref.type, "project", pointer="/data/type")
        case, project = find_case(case_id), find_project(ref.id)
        with still_there():
            moved = services.move(case, project, actor=actor_of(request))
        return answer_of(moved)


def _let_go(issue: ExternalIssue, *, actor: Actor) -> bool:
    if issue.state != State.CREATED:
        return outbox.cancel(issue, actor=actor)
    outbox.detach_issue(issue, actor=actor)
    return True


def _open_case(case_id: str) -> Case:
    case = find_case(case_id)
    if case.archived_at:
        raise ApiError(400, detail=f"{case.key} is archived. Unarchive it first.")
    return case
