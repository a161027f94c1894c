"""What is asked of findings' cases: shapes of the documents, and the rows they name.

Every error says which finding, project or person of the document it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

from config.accounts.models import User
from config.lib.datadog_api.documents import check_type
from config.lib.datadog_api.ids import uuid_of
from config.lib.datadog_api.shapes import Ref, ToOne, documented, only
from config.lib.jsonapi import ApiError
from findings.models import Finding
from ticketing.allowed_spaces import SpaceClosed
from ticketing.models import Destination, Project
from ticketing.services import MAX_FINDINGS

MAX_TITLE, MAX_DESCRIPTION = 255, 100_000
Priority = Literal["NOT_DEFINED", "P1", "P2", "P3", "P4", "P5"]
Markdown = Annotated[str, Meta(description="Markdown."), documented(maxLength=MAX_DESCRIPTION)]
ToProject = ToOne[Annotated[str, only("projects")]]


class ToFindings(Struct):
    data: Annotated[
        list[Ref[Annotated[str, only("findings")]]], documented(maxItems=MAX_FINDINGS)
    ] = []


class OfOld(Struct):
    findings: ToFindings


class OfNew(Struct):
    findings: ToFindings
    project: ToProject


class Words(Struct):
    title: Annotated[str | None, documented(maxLength=MAX_TITLE)] = None
    description: Markdown | None = None
    priority: Priority | None = None
    assignee_id: Annotated[str | None, documented(format="uuid")] = None
    fields: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Of an issue alone: fields by id, as Jira knows them; `{{…}}` is filled "
            "from the finding."
        ),
    ] = None


class IssueAddress(Struct):
    jira_issue_url: str


class FindingIds(NamedTuple):
    """The findings that one resource names, with their place in the document."""

    pointer: str
    ids: Sequence[str]


def read_findings(named: ToFindings, *, pointer: str) -> FindingIds:
    """Raises ApiError 400 for none, for more than a ticket takes, for another type."""
    pointer = f"{pointer}/relationships/findings/data"
    if not named.data:
        raise ApiError(400, detail="no finding provided", pointer=pointer)
    if len(named.data) > MAX_FINDINGS:
        detail = f"A case takes up to {MAX_FINDINGS} findings at once, got {len(named.data)}."
        raise ApiError(400, detail=detail, pointer=pointer)
    for place, ref in enumerate(named.data):
        check_type(ref.type, "findings", pointer=f"{pointer}/{place}/type")
    return FindingIds(pointer, [ref.id for ref in named.data])


def read_project(named: ToProject, *, pointer: str) -> str:
    pointer = f"{pointer}/relationships/project/data/type"
    check_type(named.data.type, "projects", pointer=pointer)
    return named.data.id


def check_words(words: Words, *, pointer: str) -> None:
    limits = {"title": MAX_TITLE, "description": MAX_DESCRIPTION}
    for name, most in limits.items():
        if len(getattr(words, name) or "") > most:
            detail = f"A {name} takes up to {most:,} characters."
            raise ApiError(400, detail=detail, pointer=f"{pointer}/attributes/{name}")
    if words.assignee_id:
        uuid_of(words.assignee_id, "assigneeid", pointer=f"{pointer}/attributes/assignee_id")


def find_findings(named: Iterable[FindingIds]) -> list[list[int]]:
    """Their primary keys, once each; one statement. Raises ApiError 404 for the first unknown."""
    asked = list(named)
    wanted = {each for one in asked for each in one.ids}
    known = dict(Finding.objects.filter(finding_id__in=wanted).values_list("finding_id", "pk"))
    for one in asked:
        for place, each in enumerate(one.ids):
            if each not in known:
                pointer = f"{one.pointer}/{place}/id"
                raise ApiError(404, detail="finding not found", pointer=pointer)
    return [list(dict.fromkeys(known[each] for each in one.ids)) for one in asked]


def find_projects(ids: Mapping[str, str]) -> dict[str, Project]:
    """Id as sent → its project, of id as sent → pointer; one statement. ApiError 404."""
    uuids = {sent: _uuid(sent) for sent in ids}
    found = Project.objects.in_bulk({each for each in uuids.values() if each})
    for sent, pointer in ids.items():
        if uuids[sent] not in found:
            raise ApiError(404, detail="project not found", pointer=pointer)
    return {sent: found[each] for sent, each in uuids.items() if each}


def find_people(ids: Mapping[str, str]) -> dict[str, User]:
    """Id as sent → the (active) person, of id as sent → pointer; one statement. ApiError 404."""
    uuids = {sent: _uuid(sent) for sent in ids}
    active = User.objects.filter(is_active=True)
    found = active.in_bulk({each for each in uuids.values() if each}) if ids else {}
    for sent, pointer in ids.items():
        if uuids[sent] not in found:
            raise ApiError(404, detail="assignee not found", pointer=pointer)
    return {sent: found[each] for sent, each in uuids.items() if each}


@contextmanager
def still_there() -> Iterator[None]:
    """What was looked up may be deleted, unlinked or closed meanwhile: the same refusals."""
    try:
        yield
    except Project.DoesNotExist:
        raise ApiError(404, detail="project not found") from None
    except Destination.DoesNotExist:
        raise ApiError(400, detail="The project is not linked to Jira.") from None
    except SpaceClosed as closed:
        raise ApiError(400, detail=str(closed)) from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
