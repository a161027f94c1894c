"""Which project stands for which place in Jira, and what of it is kept in step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from config.accounts.history import sign
from config.accounts.models import User
from ticketing import allowed_spaces
from ticketing.close_reasons import CloseReason
from ticketing.drafts import PRIORITY_LEVELS
from ticketing.due import mark_blocked_due
from ticketing.models import (
    DUE_DATE_FIELD,
    ClosingAnswer,
    Destination,
    JiraAccount,
    Project,
    SyncMode,
)
from ticketing.projects import create_project
from ticketing.trackers.base import Destination as IssuePlace

_KEY_LENGTH = 10
_NAME_LENGTH = 100


class Place(NamedTuple):
    """A space and a type of an account's Jira: where issues are created."""

    space_id: str
    space_key: str
    space_name: str
    type_id: str
    type_name: str

    @property
    def of_issue(self) -> IssuePlace:
        """The same by what an issue needs to be created."""
        return IssuePlace(self.space_id, self.space_key, self.type_id)


def destination_of(project_id: UUID) -> Destination | None:
    return (
        Destination.objects.filter(project_id=project_id).select_related("account", "project")
    ).first()


def open_destinations() -> list[Destination]:
    """Where tickets can be created now, with their project and account."""
    linked = Destination.objects.filter(is_enabled=True, account__deleted_at=None)
    found = list(linked.select_related("project", "account").order_by("space_key", "created_at"))
    closed = allowed_spaces.closed_among({(each.account_id, each.space_id) for each in found})
    return [each for each in found if (each.account_id, each.space_id) not in closed]


def find_project(account: JiraAccount, *, space_id: str, type_id: str) -> Project | None:
    """The oldest project linked to the place."""
    linked = Destination.objects.filter(account=account, space_id=space_id, type_id=type_id)
    found = linked.select_related("project").order_by("created_at", "pk").first()
    return found.project if found else None


@transaction.atomic
def project_for(account: JiraAccount, place: Place, *, actor: User | None) -> tuple[Project, bool]:
    """The project linked to that place, and whether it was created for it.

    Under the lock of the account's row: however many people ask at once, one is made. Raises
    SpaceClosed.
    """
    JiraAccount.objects.select_for_update().get(pk=account.pk)
    allowed_spaces.require(account, place)
    found = find_project(account, space_id=place.space_id, type_id=place.type_id)
    if found is not None:
        return found, False
    project = _create_project(place, actor=actor)
    names = {"space_name": place.space_name[:255], "type_name": place.type_name[:255]}
    kept = place._replace(**names)._asdict()
    destination = Destination(project=project, account=account, **kept)
    sign(destination, actor=actor)
    destination.save()
    return project, True


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """What of a project is kept in step with Jira. Names are those of Destination's columns."""

    sync_title: str
    sync_description: str
    sync_status: str
    sync_assignee: str
    sync_priority: str
    sync_comments: str
    sync_due_date: str
    status_mapping: Mapping[str, str]  # Case.Status → Jira status id
    priority_mapping: Mapping[str, str]  # P1…P5 → Jira priority id
    no_way_back: str
    due_date_field: str  # its id in Jira
    due_date_has_time: bool  # that field
    custom_fields: Mapping[str, Any]  # id in Jira → {"sync_type", "value"}


@transaction.atomic
def save_sync(destination: Destination, data: SyncSettings, *, actor: User | None) -> Destination:
    """Change what is kept in step from now on; nothing that differs already is sent at once."""
    destination = Destination.objects.select_for_update().get(pk=destination.pk)
    before = {name: getattr(destination, name) for name in asdict(data)}
    if before != asdict(data):
        for name, value in asdict(data).items():
            setattr(destination, name, value)
        sign(destination, actor=actor, reason="Data sync settings")
        destination.save()
    return destination


class Answer(NamedTuple):
    """What is answered to a field on closing for a reason; nothing, if the value is empty."""

    reason: CloseReason
    field: str
    name: str
    value: str


@transaction.atomic
def save_answers(
    destination: Destination, answers: Iterable[Answer], *, actor: User | None
) -> None:
    """Change these answers on closing, and try again what waits for one."""
    destination = Destination.objects.select_for_update().get(pk=destination.pk)
    known = {(each.reason, each.field): each for each in destination.closing_answers.all()}
    changed = [
        answer
        for answer in answers
        if answer.value != _value(known.get((answer.reason, answer.field)))
    ]
    for answer in changed:
        row = known.get((answer.reason, answer.field)) or ClosingAnswer(
            destination=destination, reason=answer.reason, field=answer.field
        )
        sign(row, actor=actor, reason="When an issue is closed")
        if answer.value:
            row.name, row.value = answer.name, answer.value
            row.save()
        else:
            row.delete()
    if changed:
        mark_blocked_due(destination.project_id)


def _value(answer: ClosingAnswer | None) -> str:
    return answer.value if answer else ""


@transaction.atomic
def link(
    project: Project, account: JiraAccount, place: Place, *, actor: User | None
) -> Destination:
    """Create the project's issues there from now on; those it has stay where they are.

    Under the lock of the account's row, as `project_for`. Raises SpaceClosed.
    """
    JiraAccount.objects.select_for_update().get(pk=account.pk)
    allowed_spaces.require(account, place)
    wanted: dict[str, Any] = {"account_id": account.pk, "is_enabled": True} | place._asdict()
    found = Destination.objects.select_for_update().filter(project=project).first()
    destination = found or Destination(project=project)
    if destination.account_id != account.pk:  # whose fields have other ids
        wanted |= {"due_date_field": DUE_DATE_FIELD, "due_date_has_time": False}
    if any(getattr(destination, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(destination, name, value)
        sign(destination, actor=actor, reason="Linked to Jira")
        destination.save()
    return destination


@transaction.atomic
def switch(destination: Destination, *, is_enabled: bool, actor: User | None) -> None:
    """While it is off, no issues are created for the project; it keeps its settings.

    Raises SpaceClosed for one that is to be switched on again in a space that was closed.
    """
    destination = Destination.objects.select_for_update().get(pk=destination.pk)
    if is_enabled and not destination.is_enabled:
        allowed_spaces.require(destination.account_id, destination)
    if destination.is_enabled != is_enabled:
        destination.is_enabled = is_enabled
        sign(destination, actor=actor, reason="Linked to Jira" if is_enabled else "Switched off")
        destination.save()


@transaction.atomic
def unlink(destination: Destination, *, actor: User | None) -> None:
    """Forget where the project's issues are created. The issues it has stay as they are."""
    sign(destination, actor=actor)
    destination.delete()


def _create_project(place: Place, *, actor: User | None) -> Project:
    """A new project with a key and a name that are free."""
    while True:
        key = _free(_keys(place), Project.objects.values_list("key", flat=True))
        name = _free(
            _names(f"{place.space_name or place.space_key} · {place.type_name}"),
            Project.objects.values_list("name", flat=True),
        )
        try:
            return create_project(key=key, name=name, actor=actor)
        except ValidationError:
            if not Project.objects.filter(key=key).union(Project.objects.filter(name=name)):
                raise
            # Somebody else took the key or the name meanwhile: the next one.


def _free(candidates: Iterator[str], taken: Iterable[str]) -> str:
    there = set(taken)
    return next(each for each in candidates if each not in there)


def _keys(place: Place) -> Iterator[str]:
    """SECENG, SECENG2, …, for Security Engineering: best another key than that of the space, so
    that a case and its issue are not taken for each other."""
    words = re.findall(r"[A-Z0-9]+", place.space_name.upper())
    short = "".join(word[:3] for word in words) if len(words) > 1 else place.space_key.upper()
    stem = re.sub(r"[^A-Z0-9]", "", short).lstrip("0123456789") or "JIRA"
    yield stem[:_KEY_LENGTH]
    for number in count(2):
        yield f"{stem[: _KEY_LENGTH - len(str(number))]}{number}"


def _names(name: str) -> Iterator[str]:
    name = " ".join(name.split()).strip(" ·") or "Jira"
    yield name[:_NAME_LENGTH]
    for number in count(2):
        yield f"{name[: _NAME_LENGTH - len(str(number)) - 1]} {number}"


def priority_at_creation(settings: Destination, priority: str) -> tuple[str, int]:
    """Of a new issue for a case of this priority: the id that the settings map it to, and the
    level (1 is the most urgent) by which one is found where they do not. "" and 0 are none."""
    if settings.sync_priority == SyncMode.OFF:
        return "", 0
    return str(settings.priority_mapping.get(priority) or ""), PRIORITY_LEVELS.get(priority, 0)


def due_date_at_creation(
    settings: Destination, day: date | None, *, account_id: UUID
) -> dict[str, str]:
    """The field that a new issue in that account has its due date in, with it; or none."""
    if settings.sync_due_date == SyncMode.OFF or settings.account_id != account_id or not day:
        return {}
    return {settings.due_date_field: settings.due_date_place.value(day)}


def custom_fields_at_creation(settings: Destination, *, account_id: UUID) -> dict[str, Any]:
    """What each new issue in that account has in fields that only Jira knows."""
    if settings.account_id != account_id:
        return {}
    said: Mapping[str, Any] = settings.custom_fields
    return {
        name: each["value"] for name, each in said.items() if each["sync_type"] == SyncMode.ONCE
    }
