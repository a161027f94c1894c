"""What the operations on Jira issues share: where issues go, and what is at an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from config.lib.jsonapi import ApiError, CodedError
from ticketing import connections
from ticketing.allowed_spaces import closed_among, reason
from ticketing.attaching import NotLocated, Remote, locate
from ticketing.destinations import Place
from ticketing.fields.spec import FieldSpec
from ticketing.models import Case, Destination, JiraAccount, Project
from ticketing.trackers.base import Fault, TrackerError

_NOT_THERE = (Fault.REJECTED, Fault.CONFIG)
MAX_ADDRESS = 500


def enabled_places(
    projects: Iterable[Project], pointers: Mapping[str, str]
) -> dict[UUID, Destination]:
    """Project → where its issues are created; as few statements for any number.

    Raises ApiError 400 for a project that is not linked to Jira, or to a closed space.
    `pointers`: id → where it is.
    """
    open_ = Destination.objects.filter(is_enabled=True, account__deleted_at=None)
    wanted = list(projects)
    found = {
        place.project_id: place
        for place in open_.filter(project__in=wanted).select_related("account")
    }
    for project in wanted:
        if project.pk not in found:
            detail = f"The project {project.key} is not linked to Jira."
            raise ApiError(400, detail=detail, pointer=pointers.get(str(project.pk)))
    closed = closed_among({(place.account_id, place.space_id) for place in found.values()})
    for place in found.values():
        if (place.account_id, place.space_id) in closed:
            pointer = pointers.get(str(place.project_id))
            raise ApiError(400, detail=reason(place.space_key), pointer=pointer)
    return found


def find_account(account_id: UUID) -> JiraAccount:
    """A Jira that is connected. Raises CodedError 404."""
    connected = JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False)
    found = connected.filter(pk=account_id).first()
    if found is None:
        raise CodedError(404, "resource_not_found", "jira account not found")
    return found


def place_at(
    account: JiraAccount, *, space_id: str, type_id: str, pointer: str = "/data/attributes"
) -> Place:
    """The place with these ids, as Jira knows it. Raises ApiError 400, and 503 if it is away."""
    try:
        return connections.place_at(account, space_id=space_id, type_id=type_id)
    except connections.NoSuchPlace as error:
        where = f"{pointer}/{error.field}"
        raise ApiError(400, detail=str(error), pointer=where) from None
    except TrackerError as error:
        raise ApiError(503, detail=error.reason) from None


def date_fields_at(account: JiraAccount, *, space_id: str, type_id: str) -> Sequence[FieldSpec]:
    """What can hold a due date there. Raises ApiError 503 if Jira is away."""
    try:
        return connections.date_fields(account, space_id=space_id, type_id=type_id)
    except TrackerError as error:
        raise ApiError(503, detail=error.reason) from None


def issue_at(url: str, *, pointer: str) -> Case | Remote:
    """What is at the address of an issue's page; may ask Jira.

    Raises ApiError 400 (no address), 404 (nothing there), 503 (Jira cannot be asked now).
    """
    if len(url) > MAX_ADDRESS or not re.match(r"https?://", url, re.IGNORECASE):
        raise ApiError(400, detail="Send the address of an issue's page in Jira.", pointer=pointer)
    try:
        return locate(url)
    except NotLocated as error:
        raise ApiError(_status_of(error), detail=str(error), pointer=pointer) from None


def _status_of(error: NotLocated) -> int:
    cause = error.__cause__
    is_down = isinstance(cause, TrackerError) and cause.fault not in _NOT_THERE
    return 503 if is_down else 404
