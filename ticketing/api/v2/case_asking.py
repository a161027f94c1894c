"""What is asked of case management: its documents, and the cases, projects, people they name.

Its types are singular (`case`, `user`, `project`), and what is not there is said in a code.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from msgspec import Struct
from rest_framework.request import Request

from config.accounts.models import User
from config.lib.datadog_api.documents import check_type, read_document
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.shapes import Document, NewResource, documented, only
from config.lib.echo import cut
from config.lib.jsonapi import ApiError, CodedError
from ticketing.api.v2.asking import MAX_DESCRIPTION, MAX_TITLE
from ticketing.case_search import BadTerm, search_condition
from ticketing.forms.cases import MAX_COMMENT
from ticketing.models import Case, Project, TimelineEntry
from ticketing.selectors import case_by_id

T = TypeVar("T")
STATUS_NAMES = {label: value for value, label in Case.Status.choices}
Title = Annotated[str, documented(minLength=1, maxLength=MAX_TITLE)]
_LIMITS = {
    "title": (1, MAX_TITLE),
    "description": (0, MAX_DESCRIPTION),
    "comment": (1, MAX_COMMENT),
}


class _Empty(Struct):
    type: Annotated[str, only("case")]


Nothing = Document[_Empty]


def read_attributes(request: Request, shape: type[T], *, type_: str = "case") -> T:
    """The attributes of the one resource that is sent, as `shape`. Raises ApiError 400."""
    document: Document[NewResource[str, T]] = read_document(request, _sent(shape))
    check_type(document.data.type, type_, pointer="/data/type")
    return document.data.attributes


def _sent(shape: Any) -> Any:
    return Document[NewResource[str, shape]]


def read_nothing(request: Request) -> None:
    """A command whose name says it all still comes with a document."""
    document = read_document(request, Nothing)
    check_type(document.data.type, "case", pointer="/data/type")


def text(value: str, name: str) -> str:
    """Raises ApiError 400 for a title, description or comment that is too short or too long."""
    least, most = _LIMITS[name]
    if not least <= len(value.strip()) or len(value) > most:
        detail = f"A {name} has {least:,} to {most:,} characters."
        raise ApiError(400, detail=detail, pointer=f"/data/attributes/{name}")
    return value


def status_of(status: str | None, name: str | None) -> str | None:
    """A status by its word, or by its name; None if neither is said. Raises ApiError 400."""
    if name is None:
        return status
    if name not in STATUS_NAMES:
        detail = f"got status name {cut(name)!r} expected one of {', '.join(STATUS_NAMES)}"
        raise ApiError(400, detail=detail, pointer="/data/attributes/status_name")
    return status or STATUS_NAMES[name]


def day(value: str) -> date | None:
    """A date, or the date of a time; empty takes it away. Raises ApiError 400."""
    if not value:
        return None
    try:
        return date.fromisoformat(value.partition("T")[0])
    except ValueError:
        detail = "A due date is written YYYY-MM-DD."
        raise ApiError(400, detail=detail, pointer="/data/attributes/due_date") from None


def refusal(error: ValidationError, name: str) -> ApiError:
    """What a service says against an attribute."""
    return ApiError(400, detail=" ".join(error.messages), pointer=f"/data/attributes/{name}")


# --- What is named ----------------------------------------------------------------------


def find_case(case_id: str) -> Case:
    case = case_by_id(case_id)
    if case is None:
        raise CodedError(404, "resource_not_found", "case not found")
    return case


def find_project(project_id: str) -> Project:
    """By its id, or by its key."""
    try:
        found = Project.objects.filter(pk=UUID(project_id))
    except ValueError:
        found = Project.objects.filter(key=project_id.upper().replace("\0", ""))
    project = found.first()
    if project is None:
        raise CodedError(404, "resource_not_found", "project not found")
    return project


def find_person(user_id: UUID) -> User:
    """Somebody who is active."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise CodedError(404, "resource_not_found", "user not found")
    return user


def cell_number(cell_id: str) -> int:
    """The entry's number, which is its id's number, too. Raises CodedError 400."""
    return coded_uuid_of(cell_id, "cellid").int


def find_comment(case: Case, number: int) -> TimelineEntry:
    comments = case.timeline.filter(kind=TimelineEntry.Kind.COMMENT, deleted_at=None)
    comment = comments.filter(pk=number).first() if number < 2**63 else None
    if comment is None:
        raise CodedError(404, "resource_not_found", "comment not found")
    return comment


def find(words: str, *, me: User | None, parameter: str | None, pointer: str | None = None) -> Any:
    """The condition that a search of cases asks for. Raises ApiError 400."""
    if "\0" in words:
        raise ApiError(400, detail="A search may not hold NUL.", parameter=parameter)
    try:
        return search_condition(words, me=me)
    except BadTerm as error:
        raise ApiError(400, detail=str(error), parameter=parameter, pointer=pointer) from None
