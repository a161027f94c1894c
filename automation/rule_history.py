"""The history of a rule as pages show it, also of one that was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rules.data import CANNOT_BE_READ, known_action
from automation.rules.restore import DELETED
from config.accounts.audit.changes import VERBS, changes
from config.accounts.models import User
from ticketing.models import Project

MAX_VERSIONS = 100
_SAYS = ("name", "finding_types", "query", "action")
_BY_ID = {"project id": "project", "assignee id": "assignee"}


@dataclass(frozen=True, slots=True)
class Version:
    """What somebody made of the rule."""

    id: int
    at: datetime
    person: User | None
    what: str  # "edited"
    changes: Sequence[tuple[str, str, str]]  # field, before, after
    can_be_restored: bool  # it says something else than the rule does now


@dataclass(frozen=True, slots=True)
class History:
    rule_id: UUID
    name: str
    is_deleted: bool
    versions: Sequence[Version]  # newest first
    is_cut: bool


@dataclass(frozen=True, slots=True)
class DeletedRule:
    id: UUID
    name: str
    kind: str
    brief: str
    number: int
    deleted_at: datetime
    deleted_by: User | None


def history_of(rule_id: UUID) -> History | None:
    """Two statements, and two where a project or a person changed; None if there never was such a
    rule."""
    rows = Rule.history.filter(id=rule_id).select_related("history_user")
    found = list(rows.order_by("-history_date", "-history_id")[: MAX_VERSIONS + 1])
    if not found:
        return None
    present = Rule.objects.filter(pk=rule_id).first()
    pairs = zip(found, [*found[1:], None], strict=True)
    versions = _with_names([_version(row, before, present) for row, before in pairs])
    return History(
        rule_id,
        present.name if present else found[0].name,
        present is None,
        versions[:MAX_VERSIONS],
        len(found) > MAX_VERSIONS,
    )


def _version(row: Any, before: Any, present: Rule | None) -> Version:
    differs = present is not None and any(
        getattr(row, name) != getattr(present, name) for name in _SAYS
    )
    return Version(
        id=row.history_id,
        at=row.history_date,
        person=row.history_user,
        what=row.history_change_reason or VERBS[row.history_type],
        changes=[] if before is None or row.history_type == DELETED else changes(row, before),
        can_be_restored=differs and row.history_type != DELETED,
    )


def _with_names(versions: Sequence[Version]) -> list[Version]:
    """With projects and people by their names instead of their ids, as far as they are there."""
    said = {
        text
        for version in versions
        for label, *texts in version.changes
        if label in _BY_ID
        for text in texts
    }
    ids = [pk for text in said if (pk := _uuid(text))]
    if not ids:
        return list(versions)
    names = {str(each.pk): each.name for each in User.objects.filter(pk__in=ids)}
    names |= {
        str(each.pk): f"{each.key} {each.name}" for each in Project.objects.filter(pk__in=ids)
    }
    return [
        replace(
            version,
            changes=[
                (_BY_ID[label], names.get(was, was), names.get(now, now))
                if label in _BY_ID
                else (label, was, now)
                for label, was, now in version.changes
            ],
        )
        for version in versions
    ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def deleted_rules() -> list[DeletedRule]:
    """Those that are not there, the last deleted first. One statement."""
    rows = Rule.history.filter(history_type=DELETED).exclude(id__in=Rule.objects.values("pk"))
    newest = rows.select_related("history_user").order_by("-history_date", "-history_id")
    found: dict[UUID, DeletedRule] = {}
    for row in newest[:MAX_VERSIONS]:
        found.setdefault(row.id, _deleted(row))
    return list(found.values())


def _deleted(row: Any) -> DeletedRule:
    action = known_action(row.instance)
    kind = KINDS[row.kind]
    return DeletedRule(
        id=row.id,
        name=row.name,
        kind=kind.label,
        brief=CANNOT_BE_READ if action is None else kind.brief(action),
        number=row.position + 1,
        deleted_at=row.history_date,
        deleted_by=row.history_user,
    )
