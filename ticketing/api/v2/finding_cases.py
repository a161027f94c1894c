"""`/api/v2/security/findings/cases`: cases for findings, and findings for cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Generic, NamedTuple, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from msgspec import Struct, field
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.access import Actor
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES, check_type, read_document
from config.lib.datadog_api.schemas import Schema, answers, schema_of
from config.lib.datadog_api.shapes import Document, Type, documented, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from ticketing import services
from ticketing.api.v2.asking import (
    FindingIds,
    OfNew,
    OfOld,
    Words,
    check_words,
    find_findings,
    find_people,
    find_projects,
    read_findings,
    read_project,
    still_there,
)
from ticketing.api.v2.documents import FindingCase, finding_case
from ticketing.asked import MAX_CASES, Asked, open_asked
from ticketing.models import Case
from ticketing.records import records_of
from ticketing.selectors import case_by_id

_Cases = Annotated[str, only("cases")]


class NewCase(Struct, Generic[Type]):
    type: Type
    relationships: OfNew
    attributes: Words = field(default_factory=Words)


class NewCases(Struct, Generic[Type]):
    data: Annotated[list[NewCase[Type]], documented(minItems=1, maxItems=MAX_CASES)]


class _Detached(Struct):
    type: _Cases
    relationships: OfOld
    id: Annotated[Any, documented(type="string")] = None  # nobody reads it


class _Attached(Struct):
    id: str
    type: _Cases
    relationships: OfOld


_DETACH = schema_of(Document[_Detached])
ONE = schema_of(Document[FindingCase])
MANY = schema_of(Document[list[FindingCase]])


class Wish(NamedTuple):
    """One resource of a request for cases, its shape checked and nothing of it looked up."""

    pointer: str
    words: Words
    findings: FindingIds
    project: str


class FindingCasesView(PublicView):
    required_permissions = {
        "POST": Permission.FINDINGS_WRITE,
        "DELETE": Permission.FINDINGS_WRITE,
    }

    @extend_schema(
        operation_id="create_cases",
        summary="Create cases for findings",
        description="Up to 50 cases of up to 50 findings each: all of them, or none. A finding "
        "that is on another case moves. Title and description are made from the findings where "
        "they are not given.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schema_of(NewCases[_Cases])},
        responses=answers(201, MANY, 404, 409, 422),
    )
    def post(self, request: Request) -> Response:
        return idempotency.answer_once(request, partial(_create, request), limit=MAX_BYTES)

    @extend_schema(
        operation_id="detach_case",
        summary="Detach findings from their cases",
        description="Up to 50 findings. Those without a case are ignored; the cases stay.",
        request={JSON: _DETACH},
        responses=answers(204, None, 404),
    )
    def delete(self, request: Request) -> Response:
        data = read_document(request, Document[_Detached]).data
        check_type(data.type, "cases", pointer="/data/type")
        named = read_findings(data.relationships.findings, pointer="/data")
        [pks] = find_findings([named])
        services.detach(pks, actor=actor_of(request))
        return Response(status=204)


class FindingCaseView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="attach_case",
        summary="Attach findings to a case",
        description="Up to 50 findings; those on another case move. The answer shows all "
        "findings of the case.",
        request={JSON: schema_of(Document[_Attached])},
        responses=answers(200, ONE),
    )
    def patch(self, request: Request, case_id: str) -> Response:
        data = read_document(request, Document[_Attached]).data
        check_type(data.type, "cases", pointer="/data/type")
        named = read_findings(data.relationships.findings, pointer="/data")
        case = case_by_id(case_id)
        if case is None:
            raise ApiError(404, detail="failed to get case: case not found")
        if data.id not in (case_id, str(case.pk), case.key):
            detail = "The id must be that of the case in the address."
            raise ApiError(400, detail=detail, pointer="/data/id")
        [pks] = find_findings([named])
        attach(case, pks, actor=actor_of(request))
        return answer(Document(documents_of([case.pk])[0]))


def _create(request: Request) -> Response:
    wishes = read_wishes(read_document(request, NewCases[_Cases]).data, "cases")
    projects = find_projects(projects_of(wishes))
    findings = find_findings(wish.findings for wish in wishes)
    check_once(wishes, findings)
    people = find_people(assignees_of(wishes))
    asked = [
        Asked(
            project=projects[wish.project],
            finding_pks=pks,
            title=wish.words.title or "",
            description=wish.words.description or "",
            priority=wish.words.priority or Case.Priority.NOT_DEFINED,
            assignee=people.get(wish.words.assignee_id or ""),
        )
        for wish, pks in zip(wishes, findings, strict=True)
    ]
    with still_there():
        cases = open_asked(asked, actor=actor_of(request))
    return answer(Document(documents_of([case.pk for case in cases])), status=201)


def attach(case: Case, pks: Sequence[int], *, actor: Actor) -> None:
    if case.archived_at:
        raise ApiError(400, detail=f"{case.key} is archived. Unarchive it first.")
    services.attach(case, pks, actor=actor)


def read_wishes(data: Sequence[NewCase[str]], type_: str) -> list[Wish]:
    """Raises ApiError 400 for none, for too many, and for what is wrong in the shape of one."""
    if not data:
        raise ApiError(400, detail="no case provided", pointer="/data")
    if len(data) > MAX_CASES:
        detail = f"A request takes up to {MAX_CASES} cases, got {len(data)}."
        raise ApiError(400, detail=detail, pointer="/data")
    return list(_wishes(data, type_))


def _wishes(data: Sequence[NewCase[str]], type_: str) -> Iterator[Wish]:
    for place, each in enumerate(data):
        pointer = f"/data/{place}"
        check_type(each.type, type_, pointer=f"{pointer}/type")
        check_words(each.attributes, pointer=pointer)
        findings = read_findings(each.relationships.findings, pointer=pointer)
        project = read_project(each.relationships.project, pointer=pointer)
        yield Wish(pointer, each.attributes, findings, project)


def projects_of(wishes: Sequence[Wish]) -> dict[str, str]:
    """Id of a project as sent → where it is named first."""
    named: dict[str, str] = {}
    for wish in wishes:
        named.setdefault(wish.project, f"{wish.pointer}/relationships/project/data/id")
    return named


def assignees_of(wishes: Sequence[Wish]) -> dict[str, str]:
    named: dict[str, str] = {}
    for wish in wishes:
        if wish.words.assignee_id:
            named.setdefault(wish.words.assignee_id, f"{wish.pointer}/attributes/assignee_id")
    return named


def check_once(wishes: Sequence[Wish], findings: Sequence[Sequence[int]]) -> None:
    """A finding is on one case: it cannot be asked onto two."""
    seen: set[int] = set()
    for wish, pks in zip(wishes, findings, strict=True):
        if not seen.isdisjoint(pks):
            detail = "A finding of this case is asked for another case of the request, too."
            raise ApiError(400, detail=detail, pointer=wish.findings.pointer)
        seen.update(pks)


def documents_of(case_pks: Sequence[UUID]) -> list[FindingCase]:
    """In this order."""
    return [finding_case(record) for record in records_of(case_pks)]


def document_detaching(result: Schema, **_: object) -> Schema:
    """A hook of the schema generator, which knows of no DELETE that has a body."""
    operation = result["paths"]["/api/v2/security/findings/cases"]["delete"]
    operation["requestBody"] = {"content": {JSON: {"schema": _DETACH}}, "required": True}
    return result


def actor_of(request: Request) -> Actor:
    """The person or the key that asks; the view has let it in."""
    return cast("Actor", request.user)
