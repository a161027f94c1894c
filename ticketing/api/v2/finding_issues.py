"""`/api/v2/security/findings/jira_issues`: findings' cases that have an issue in Jira, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.access import Actor
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES, check_type, read_document
from config.lib.datadog_api.schemas import answers, schema_of
from config.lib.datadog_api.shapes import Document, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from ticketing import placeholders
from ticketing.api.v2.asking import (
    IssueAddress,
    OfNew,
    find_findings,
    find_people,
    find_projects,
    read_findings,
    read_project,
    still_there,
)
from ticketing.api.v2.finding_cases import (
    MANY,
    ONE,
    NewCases,
    Wish,
    actor_of,
    assignees_of,
    attach,
    check_once,
    documents_of,
    projects_of,
    read_wishes,
)
from ticketing.api.v2.jira import enabled_places, issue_at
from ticketing.asked import Asked, open_asked
from ticketing.attaching import attach_to_issue, promises_by_hand
from ticketing.delivery import deliver_these
from ticketing.issues import issues_by_case
from ticketing.models import Case, Destination, Project
from ticketing.outbox import Promise

PATIENCE = 10.0
"""Seconds a request waits for Jira; what is not there by then is delivered in the background."""


_Issues = Annotated[str, only("jira_issues")]


class _Attached(msgspec.Struct):
    type: _Issues
    attributes: IssueAddress
    relationships: OfNew


class FindingIssuesView(PublicView):
    required_permissions = {
        "POST": Permission.FINDINGS_WRITE,
        "PATCH": Permission.FINDINGS_WRITE,
    }

    @extend_schema(
        operation_id="create_jira_issues",
        summary="Create Jira issues for findings",
        description="A case and an issue in the Jira of its project for each item, all cases or "
        f"none. The answer waits up to {PATIENCE:.0f} seconds for Jira. An issue that is not "
        "there by then is IN_PROGRESS and is delivered later; one that Jira refuses is FAILED, "
        "says why, and its case stays.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schema_of(NewCases[_Issues])},
        responses=answers(201, MANY, 404, 409, 422),
    )
    def post(self, request: Request) -> Response:
        opened = idempotency.answer_once(request, partial(_open, request), limit=MAX_BYTES)
        case_pks = [UUID(each["id"]) for each in opened.data["data"]]
        _deliver(case_pks)
        opened.data = answer(
            Document(documents_of(case_pks))
        ).data  # as it is now, also the second time
        return opened

    @extend_schema(
        operation_id="attach_jira_issue",
        summary="Attach findings to a Jira issue",
        description="The findings come to the case that has the issue. If none has, one is "
        "created in the project that is named.",
        request={JSON: schema_of(Document[_Attached])},
        responses=answers(200, ONE, 404, 503),
    )
    def patch(self, request: Request) -> Response:
        data = read_document(request, Document[_Attached]).data
        check_type(data.type, "jira_issues", pointer="/data/type")
        named = read_findings(data.relationships.findings, pointer="/data")
        project_id = read_project(data.relationships.project, pointer="/data")
        [pks] = find_findings([named])
        pointer = "/data/relationships/project/data/id"
        project = find_projects({project_id: pointer})[project_id]
        case = _attach_at(data.attributes.jira_issue_url, project, pks, actor=actor_of(request))
        return answer(Document(documents_of([case.pk])[0]))


def _open(request: Request) -> Response:
    """The cases, each with its promise."""
    wishes = read_wishes(read_document(request, NewCases[_Issues]).data, "jira_issues")
    for wish in wishes:
        _check_fields(wish)
    findings = find_findings(wish.findings for wish in wishes)
    projects = find_projects(projects_of(wishes))
    places = enabled_places(projects.values(), projects_of(wishes))
    check_once(wishes, findings)
    people = find_people(assignees_of(wishes))
    asked = _asked(wishes, findings, projects, places, people)
    with still_there():
        cases = open_asked(asked, actor=actor_of(request))
    return Response({"data": [{"id": str(case.pk)} for case in cases]}, status=201)


def _attach_at(url: str, project: Project, pks: Sequence[int], *, actor: Actor) -> Case:
    found = issue_at(url, pointer="/data/attributes/jira_issue_url")
    if isinstance(found, Case):
        attach(found, pks, actor=actor)
        return found
    with still_there():
        return attach_to_issue(found, project, pks, actor=actor, origin=Case.Origin.API)


def _check_fields(wish: Wish) -> None:
    try:
        placeholders.check(wish.words.fields or {})
    except placeholders.PlaceholderError as error:
        pointer = f"{wish.pointer}/attributes/fields"
        raise ApiError(400, detail=str(error), pointer=pointer) from None


def _asked(
    wishes: Sequence[Wish],
    findings: Sequence[Sequence[int]],
    projects: dict[str, Project],
    places: dict[Any, Destination],
    people: dict[str, User],
) -> list[Asked]:
    """The priority is that of the findings where none is given."""
    assignees = [people.get(wish.words.assignee_id or "") for wish in wishes]
    place_of = [places[projects[wish.project].pk] for wish in wishes]
    promises = promises_by_hand(list(zip(place_of, assignees, strict=True)))
    return [
        Asked(
            project=projects[wish.project],
            finding_pks=pks,
            title=wish.words.title or "",
            description=wish.words.description or "",
            priority=wish.words.priority or "",
            assignee=assignee,
            promise=Promise({**promise.fields, **(wish.words.fields or {})}),
        )
        for wish, pks, assignee, promise in zip(wishes, findings, assignees, promises, strict=True)
    ]


def _deliver(case_pks: Sequence[UUID]) -> None:
    """Wait for Jira: no transaction is open any more, and what is promised is kept anyway."""
    issues = issues_by_case(case_pks)
    deliver_these([issues[pk].pk for pk in case_pks if pk in issues], patience=PATIENCE)
