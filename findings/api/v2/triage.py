"""`PATCH /api/v2/security/findings/mute`, `…/assignee` and `…/severity`.

Each is one transaction. The first two change all findings they name or, if one is unknown, none;
the third leaves out the unknown and says so, as the public API documents it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast
from uuid import UUID, uuid4

import msgspec
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import Actor
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError
from config.lib.public.documents import check_type, read_document
from config.lib.public.views import PublicView
from config.lib.request_body import JSON
from findings import overrides, services
from findings.api.v2 import schemas
from findings.facts import Severity, Status
from findings.models import Finding
from findings.selectors import findings_by_id

_REFERENCES = "/data/relationships/findings/data"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Description = Annotated[str, msgspec.Meta(max_length=schemas.MAX_DESCRIPTION)]


class _Reference(msgspec.Struct):
    id: str
    type: str


class _References(msgspec.Struct):
    data: list[_Reference] = []


class _Relationships(msgspec.Struct):
    findings: _References


class _Mute(msgspec.Struct):
    is_muted: bool
    reason: str
    description: Description | None = None
    expire_at: int | None = None


class _MuteAttributes(msgspec.Struct):
    mute: _Mute


class _MuteData(msgspec.Struct):
    type: str
    attributes: _MuteAttributes
    relationships: _Relationships
    id: str | None = None


class _MuteDocument(msgspec.Struct):
    data: _MuteData


class _AssigneeAttributes(msgspec.Struct):
    assignee_id: str | None = None


class _AssigneeData(msgspec.Struct):
    type: str
    relationships: _Relationships
    attributes: _AssigneeAttributes | None = None
    id: str | None = None


class _AssigneeDocument(msgspec.Struct):
    data: _AssigneeData


class _Set(msgspec.Struct, tag="set", tag_field="action"):
    value: Literal["critical", "high", "medium", "low", "info"]
    description: Description | None = None

    @property
    def severity(self) -> Severity | None:
        return Severity(self.value)


class _Clear(msgspec.Struct, tag="clear", tag_field="action"):
    value: None = None
    description: Description | None = None

    @property
    def severity(self) -> Severity | None:
        return None


class _SeverityAttributes(msgspec.Struct):
    severity: _Set | _Clear


class _SeverityData(msgspec.Struct):
    type: str
    attributes: _SeverityAttributes
    relationships: _Relationships
    id: str | None = None


class _SeverityDocument(msgspec.Struct):
    data: _SeverityData


class MuteView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="mute_security_findings",
        summary="Mute or unmute security findings",
        description=schemas.ABOUT_MUTES,
        request={JSON: schemas.MUTE},
        responses=schemas.MUTED,
    )
    def patch(self, request: Request) -> Response:
        data = read_document(request, _MuteDocument).data
        check_type(data.type, "mute", pointer="/data/type")
        said = data.attributes.mute
        _check_reason(said)
        until = _until(said)
        pks = _all_of(data.relationships)
        why = {"reason": said.reason, "description": said.description or ""}
        if said.is_muted:
            services.mute(pks, **why, until=until, actor=_actor(request))
        else:
            services.unmute(pks, **why, actor=_actor(request))
        return _accepted(data.id, "mute")


class AssigneeView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="update_findings_assignee",
        summary="Assign or unassign security findings",
        description=schemas.ABOUT_ASSIGNEES,
        request={JSON: schemas.ASSIGNEE},
        responses=schemas.ASSIGNED,
    )
    def patch(self, request: Request) -> Response:
        data = read_document(request, _AssigneeDocument).data
        check_type(data.type, "assignee", pointer="/data/type")
        assignee_id = data.attributes.assignee_id if data.attributes else None
        assignee = None if assignee_id is None else _person(assignee_id)
        pks = _all_of(data.relationships)
        services.assign(pks, assignee=assignee, actor=_actor(request))
        attributes = {"assignee_id": str(assignee.pk)} if assignee else {}
        return _accepted(
            data.id, "assignee", attributes=attributes, meta={"warnings": [], "failures": []}
        )


class SeverityView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="update_findings_severity",
        summary="Set or clear the severity of security findings",
        description=schemas.ABOUT_SEVERITIES,
        request={JSON: schemas.SEVERITY},
        responses=schemas.OVERRIDDEN,
    )
    def patch(self, request: Request) -> Response:
        data = read_document(request, _SeverityDocument).data
        check_type(data.type, "severity_override", pointer="/data/type")
        ids, found = _named(data.relationships)
        if not found:
            raise _not_found(0)
        said = data.attributes.severity
        overrides.change_severity(
            [finding.pk for finding in found.values()],
            severity=said.severity,
            description=said.description or "",
            actor=_actor(request),
        )
        warnings = list(_left_out(ids, found))
        return _accepted(data.id, "severity_override", meta={"warnings": warnings})


def _all_of(relationships: _Relationships) -> list[int]:
    """The findings that a document names. Raises `ApiError` 400, and 404 if one is unknown."""
    ids, found = _named(relationships)
    for position, finding_id in enumerate(ids):
        if finding_id not in found:
            raise _not_found(position)
    return [finding.pk for finding in found.values()]


def _named(relationships: _Relationships) -> tuple[Sequence[str], Mapping[str, Finding]]:
    """The ids that a document names, and those of them that there are. Raises `ApiError` 400."""
    references = relationships.findings.data
    for position, reference in enumerate(references):
        check_type(reference.type, "findings", pointer=f"{_REFERENCES}/{position}/type")
    if not 1 <= len(references) <= schemas.MAX_FINDINGS:
        detail = f"Name 1 to {schemas.MAX_FINDINGS} findings; here are {len(references)}."
        raise ApiError(400, detail=detail, pointer=_REFERENCES)
    ids = [reference.id for reference in references]
    return ids, findings_by_id(ids)


def _not_found(position: int) -> ApiError:
    return ApiError(404, detail="finding not found", pointer=f"{_REFERENCES}/{position}/id")


def _check_reason(said: _Mute) -> None:
    possible = schemas.MUTE_REASONS if said.is_muted else schemas.UNMUTE_REASONS
    if said.reason not in possible:
        raise ApiError(
            422,
            title="Invalid Request",
            detail="The provided reason is not valid for the specified mute action. "
            f"Possible values: [{' '.join(possible)}]",
            pointer="/data/attributes/mute/reason",
        )


def _until(said: _Mute) -> datetime | None:
    """When the mute ends; None: it does not, or it is none."""
    if said.expire_at is None or not said.is_muted:
        return None
    try:
        until = _EPOCH + timedelta(milliseconds=said.expire_at)
    except OverflowError:
        raise _bad_expiry("It lies beyond the year 9999.") from None
    if until <= timezone.now():
        raise _bad_expiry("Please provide an expiration date in the future")
    return until


def _bad_expiry(why: str) -> ApiError:
    return ApiError(
        422,
        title="Invalid Request",
        detail=f"Invalid expiration date. {why}",
        pointer="/data/attributes/mute/expire_at",
    )


def _person(assignee_id: str) -> User:
    try:
        return User.objects.get(pk=UUID(assignee_id), is_active=True)
    except (ValueError, User.DoesNotExist):
        raise ApiError(
            400,
            detail="No active person has this id.",
            pointer="/data/attributes/assignee_id",
        ) from None


def _left_out(ids: Sequence[str], found: Mapping[str, Finding]) -> Iterator[dict[str, Any]]:
    for finding_id in dict.fromkeys(ids):
        finding = found.get(finding_id)
        if finding is None:
            yield _warning(finding_id, 404, "There is no such finding.")
        elif finding.status == Status.AUTO_CLOSED:
            yield _warning(finding_id, 409, "It is auto-closed, so its severity stays as it is.")


def _warning(finding_id: str, status: int, detail: str) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    return {"finding_id": finding_id, "status": status, "title": title, "detail": detail}


def _actor(request: Request) -> Actor:
    return cast(Actor, request.user)  # the permission lets nobody else in


def _accepted(request_id: str | None, kind: str, *, meta: Any = None, **members: Any) -> Response:
    """The answer to a change; it names the request, by the id that the request has itself."""
    data = {"id": request_id or str(uuid4()), "type": kind, **members}
    return Response({"data": data, **({"meta": meta} if meta else {})}, status=202)
