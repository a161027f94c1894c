"""The audit log as it is read: newest first, by kind, person and time, a page or all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db.models import QuerySet

from config.accounts.audit.changes import historical_models
from config.accounts.models import AuditEvent, User
from config.lib.keyset import Whole
from config.lib.log_pages import NewestFirst

PAGE = 50
NOBODY = "system"
"""The filter for what no person did: keys and the system."""
AT_ONCE = 1_000
_NEWEST_FIRST = NewestFirst("at", Whole())
_LABELS = {
    "access": "Refused access",
    "audit": "Audit log",
    "bulkrun": "Bulk run",
    "finding": "Findings",
    "import": "Import",
    "retention": "Data retention",
    "signin": "Sign-in",
}
"""Category → what people call it, for those that have no history."""

_ACTIONS = {"status": "given a new status"}


@dataclass(frozen=True, slots=True)
class Filter:
    kind: str = ""
    person: str = ""  # the id of one, or NOBODY
    since: datetime | None = None

    @property
    def rows(self) -> QuerySet[AuditEvent]:
        rows = AuditEvent.objects.order_by("-at", "-id")
        if self.kind:
            rows = rows.filter(category=self.kind)
        if self.person == NOBODY:
            rows = rows.exclude(actor_type=AuditEvent.Actor.PERSON)
        elif self.person:
            rows = rows.filter(actor_id=self.person)
        return rows.filter(at__gte=self.since) if self.since else rows


@dataclass(frozen=True, slots=True)
class Entry:
    event: AuditEvent
    person: User | None

    @property
    def what(self) -> str:
        name, count = self.event.object_name, self.event.count
        if count is None:
            return name
        return f"{name}: {count:,}" if name else f"{count:,}"

    @property
    def kind(self) -> str:
        return label(self.event.category)

    @property
    def action(self) -> str:
        return _ACTIONS.get(self.event.action, self.event.action)

    @property
    def reason(self) -> str:
        return str(self.event.details.get("reason", ""))

    @property
    def changes(self) -> Sequence[tuple[str, str, str]]:
        changed: Sequence[tuple[str, str, str]] = self.event.details.get("changes", ())
        return changed

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """The other details, in words."""
        known = ("reason", "changes")
        return [
            (name.replace("_", " "), _text(value))
            for name, value in self.event.details.items()
            if name not in known and value not in ("", None, [])
        ]


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Entry]
    older: str  # keyset of the next page; empty on the last


@cache
def kinds() -> Mapping[str, str]:
    """Category → what people call it, in the order of the words."""
    found = dict(_LABELS)
    for slug, model in historical_models().items():
        name = str(model.instance_type._meta.verbose_name)
        found[slug] = name[0].upper() + name[1:]
    return dict(sorted(found.items(), key=lambda item: item[1].lower()))


def label(category: str) -> str:
    return kinds().get(category, category.capitalize())


def page_of_log(search: Filter, *, before: str = "") -> Page:
    """The newest events behind the keyset, in two statements. Raises BadKeyset."""
    shown, older = _NEWEST_FIRST.page(search.rows, before=before, size=PAGE)
    people = User.objects.in_bulk({UUID(row.actor_id) for row in shown if _is_person(row)})
    entries = [
        Entry(row, people.get(UUID(row.actor_id)) if _is_person(row) else None) for row in shown
    ]
    return Page(entries, older)


def walk(search: Filter) -> Iterator[AuditEvent]:
    """Everything that the filter lets through; at any time AT_ONCE rows are in memory."""
    rows = search.rows
    while found := list(rows[:AT_ONCE]):
        yield from found
        rows = _NEWEST_FIRST.behind(search.rows, found[-1].at, found[-1].pk)


def _is_person(row: AuditEvent) -> bool:
    return row.actor_type == AuditEvent.Actor.PERSON


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return str(value)
