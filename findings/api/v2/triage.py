"""`PATCH /api/v2/security/findings/mute`, `…/assignee` and `…/severity`.

Each is one transaction. The first two change all findings they name or, if one is unknown, none;
the third leaves out the unknown and says so, as the public API documents it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Generic, Literal, cast
from uuid import uuid4

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import Actor
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import check_type, read_document
from config.lib.datadog_api.ids import uuid_of
from config.lib.datadog_api.schemas import answers, schema_of
from config.lib.datadog_api.shapes import Attributes, Document, Ref, Type, documented, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from findings import overrides, services
from findings.facts import Severity, Status
from findings.models import Finding
from findings.selectors import findings_by_id

_REFERENCES = "/data/relationships/findings/data"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_FINDINGS = 100
MUTE_REASONS = (
    "PENDING_FIX",
    "FALSE_POSITIVE",
    "OTHER",
    "NO_FIX",
    "DUPLICATE",
    "RISK_ACCEPTED",
)
UNMUTE_REASONS = ("NO_PENDING_FIX", "HUMAN_ERROR", "NO_LONGER_ACCEPTED_RISK", "OTHER")
Description = Annotated[str, Meta(max_length=overrides.MAX_DESCRIPTION)]


class _References(Struct):
    data: Annotated[
        list[Ref[Annotated[str, only("findings")]]], documented(minItems=1, maxItems=MAX_FINDINGS)
    ] = []


class _Relationships(Struct):
    findings: _References


class _Change(Struct, Generic[Type, Attributes]):
    type: Type
    attributes: Attributes
    relationships: _Relationships
    id: str | None = None


class _Mute(Struct):
    is_muted: bool
    reason: Annotated[str, only(*dict.fromkeys((*MUTE_REASONS, *UNMUTE_REASONS)))]
    description: Description | None = None
    expire_at: Annotated[
        int | None,
        Meta(description="Epoch milliseconds, in the future."),
        documented(format="int64"),
    ] = None


class _MuteAttributes(Struct):
    mute: _Mute


class _AssigneeAttributes(Struct):
    assignee_id: str | UnsetType | None = UNSET


class _AssigneeChange(Struct):
    type: Annotated[str, only("assignee")]
    relationships: _Relationships
    attributes: _AssigneeAttributes | None = None
    id: str | None = None


class _Set(Struct, tag="set", tag_field="action"):
    value: Literal["critical", "high", "medium", "low", "info"]
    description: Description | None = None

    @property
    def severity(self) -> Severity | None:
        return Severity(self.value)


class _Clear(Struct, tag="clear", tag_field="action"):
    value: None = None
    description: Description | None = None

    @property
    def severity(self) -> Severity | None:
        return None


class _SeverityAttributes(Struct):
    severity: _Set | _Clear


class _Result(Struct):
    finding_id: str
    status: Annotated[int, documented(format="int32")]
    title: str
    detail: str


class _AssignedTo(Struct):
    assignee_id: str | UnsetType = UNSET


class _Assigned(Struct):
    id: str
    type: Literal["assignee"]
    attributes: _AssignedTo


class _Warnings(Struct):
    warnings: list[_Result]


class _WarningsAndFailures(_Warnings):
    failures: list[_Result]


class _AssignedDocument(Struct):
    data: _Assigned
    meta: _WarningsAndFailures


class _OverriddenDocument(Struct):
    data: Ref[Literal["severity_override"]]
    meta: _Warnings


_MuteDocument = Document[_Change[Annotated[str, only("mute")], _MuteAttributes]]
_AssigneeDocument = Document[_AssigneeChange]
_SeverityDocument = Document[
    _Change[Annotated[str, only("severity_override")], _SeverityAttributes]
]


class MuteView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="mute_security_findings",
        summary="Mute or unmute security findings",
        description=f"Mute or unmute up to {MAX_FINDINGS} findings, all or none. The reasons to "
        f"mute are {', '.join(MUTE_REASONS)}; those to unmute {', '.join(UNMUTE_REASONS)}. Without "
        "`expire_at` a mute does not end. Findings that are resolved or auto-closed stay so.",
        request={JSON: schema_of(_MuteDocument)},
        responses=answers(202, schema_of(Document[Ref[Literal["mute"]]]), 404, 422),
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
        return answer(Document(Ref(_id(data.id), "mute")), status=202)


class AssigneeView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="update_findings_assignee",
        summary="Assign or unassign security findings",
        description=f"Give up to {MAX_FINDINGS} findings to a person, all or none. Without "
        "`assignee_id`, or with null, they are nobody's.",
        request={JSON: schema_of(_AssigneeDocument)},
        responses=answers(202, schema_of(_AssignedDocument), 404),
    )
    def patch(self, request: Request) -> Response:
        data = read_document(request, _AssigneeDocument).data
        check_type(data.type, "assignee", pointer="/data/type")
        assignee_id = data.attributes.assignee_id if data.attributes else None
        assignee = _person(assignee_id) if isinstance(assignee_id, str) else None
        pks = _all_of(data.relationships)
        services.assign(pks, assignee=assignee, actor=_actor(request))
        to = _AssignedTo(str(assignee.pk) if assignee else UNSET)
        assigned = _Assigned(_id(data.id), "assignee", to)
        return answer(_AssignedDocument(assigned, _WarningsAndFailures([], [])), status=202)


class SeverityView(PublicView):
    required_permissions = {"PATCH": Permission.FINDINGS_WRITE}

    @extend_schema(
        operation_id="update_findings_severity",
        summary="Set or clear the severity of security findings",
        description=f"Set the severity of up to {MAX_FINDINGS} findings, whatever their source "
        "says, or clear what was set. It holds until it is cleared. Auto-closed findings and those "
        "that do not exist are left out and listed in `meta.warnings`; 404 if none of them exists.",
        request={JSON: schema_of(_SeverityDocument)},
        responses=answers(202, schema_of(_OverriddenDocument), 404),
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
        warnings = _Warnings(list(_left_out(ids, found)))
        overridden = _OverriddenDocument(Ref(_id(data.id), "severity_override"), warnings)
        return answer(overridden, status=202)


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
    if not 1 <= len(references) <= MAX_FINDINGS:
        detail = f"Name 1 to {MAX_FINDINGS} findings; here are {len(references)}."
        raise ApiError(400, detail=detail, pointer=_REFERENCES)
    ids = [reference.id for reference in references]
    return ids, findings_by_id(ids)


def _not_found(position: int) -> ApiError:
    return ApiError(404, detail="finding not found", pointer=f"{_REFERENCES}/{position}/id")


def _check_reason(said: _Mute) -> None:
    possible = MUTE_REASONS if said.is_muted else UNMUTE_REASONS
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
    pointer = "/data/attributes/assignee_id"
    person = User.objects.filter(
        pk=uuid_of(assignee_id, "assigneeid", pointer=pointer), is_active=True
    ).first()
    if person is None:
        raise ApiError(400, detail="No active person has this id.", pointer=pointer)
    return person


def _left_out(ids: Sequence[str], found: Mapping[str, Finding]) -> Iterator[_Result]:
    for finding_id in dict.fromkeys(ids):
        finding = found.get(finding_id)
        if finding is None:
            yield _result(finding_id, 404, "There is no such finding.")
        elif finding.status == Status.AUTO_CLOSED:
            yield _result(finding_id, 409, "It is auto-closed, so its severity stays as it is.")


def _result(finding_id: str, status: int, detail: str) -> _Result:
    return _Result(finding_id, status, HTTPStatus(status).phrase, detail)


def _actor(request: Request) -> Actor:
    return cast(Actor, request.user)  # the permission lets nobody else in


def _id(sent: str | None) -> str:
    """An answer names the request, by the id that the request has itself."""
    return sent or str(uuid4())
