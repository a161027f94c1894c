"""What the operations on Jira issues share: where issues go, and what is at an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from uuid import UUID

from config.lib.jsonapi import ApiError
from ticketing.attaching import NotLocated, Remote, locate
from ticketing.models import Case, Destination, Project
from ticketing.trackers.base import Fault, TrackerError

_NOT_THERE = (Fault.REJECTED, Fault.CONFIG)
MAX_ADDRESS = 500


def enabled_places(
    projects: Iterable[Project], pointers: Mapping[str, str]
) -> dict[UUID, Destination]:
    """Project → where its issues are created; one statement.

    Raises ApiError 400 for a project that is not linked to Jira. `pointers`: id → where it is.
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
    return found


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
