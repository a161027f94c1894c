"""Who changed what: one list over the histories of every model that keeps one.

The kinds are found, not named: a model with a history is in the log. Fields that a model leaves
out of its history (secrets above all) are in none of its rows.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from simple_history.models import HistoricalChanges

PAGE = 50
NOBODY = "system"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOOKKEEPING = frozenset(
    {"id", "created_at", "modified_at", "created_by_id", "modified_by_id", "date_joined"}
    | {"history_id", "history_date", "history_change_reason", "history_type", "history_user_id"}
)
_VERBS = {"+": "created", "~": "changed", "-": "deleted"}
_NAMES = ("name", "space_key", "key", "email")


class BadPlace(ValueError):
    """A place in the log that no page ever led to."""


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    kind: str  # "rule"
    what: str  # its name
    verb: str
    at: datetime
    person: Any  # None: a key, or the system
    reason: str
    changes: Sequence[Change]

    @property
    def is_edit(self) -> bool:
        return self.verb == _VERBS["~"]


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Entry]
    older: str  # the place of the next page; empty on the last


class Place(NamedTuple):
    """The last entry of a page: the next one starts behind it."""

    at: datetime
    kind: int
    history_id: int

    @classmethod
    def read(cls, text: str) -> Place:
        try:
            microseconds, kind, history_id = map(int, urlsafe_b64decode(text).split(b"."))
            at = _EPOCH + timedelta(microseconds=microseconds)
        except (ValueError, OverflowError):
            raise BadPlace from None
        if not 0 <= history_id < 2**63 or not 0 <= kind < 100:
            raise BadPlace
        return cls(at, kind, history_id)

    def __str__(self) -> str:
        microseconds = (self.at - _EPOCH) // timedelta(microseconds=1)
        text = f"{microseconds}.{self.kind}.{self.history_id}"
        return urlsafe_b64encode(text.encode()).decode()


@cache
def kinds() -> Mapping[str, Any]:
    """Slug → historical model of everything that keeps a history."""
    found = [model for model in apps.get_models() if issubclass(model, HistoricalChanges)]
    slugs = {model.__name__.removeprefix("Historical").lower(): model for model in found}
    return dict(sorted(slugs.items()))


def label(kind: str) -> str:
    """What people call things of this kind."""
    name: str = kinds()[kind].instance_type._meta.verbose_name
    return name[0].upper() + name[1:]


def page_of_log(
    *, kind: str = "", person: str = "", since: datetime | None = None, place: Place | None = None
) -> Page:
    """The newest changes behind `place`; at most two statements for each kind."""
    rows: list[tuple[Place, str, Any]] = []
    for nth, (slug, model) in enumerate(kinds().items()):
        if kind in ("", slug):
            asked = _asked(model, nth, person, since, place)
            rows += [(Place(row.history_date, nth, row.history_id), slug, row) for row in asked]
    rows.sort(key=lambda row: (-row[0].at.timestamp(), row[0].kind, -row[0].history_id))
    shown = rows[:PAGE]
    before = _rows_before(shown)
    entries = [_entry(slug, row, before.get((slug, row.before_id))) for _, slug, row in shown]
    # A save that changed nothing which the history keeps is no change.
    entries = [entry for entry in entries if entry.changes or entry.reason or not entry.is_edit]
    return Page(entries, str(shown[-1][0]) if len(rows) > PAGE else "")


def _asked(
    model: Any, nth: int, person: str, since: datetime | None, place: Place | None
) -> QuerySet[Any]:
    earlier = model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    newest = earlier.order_by("-history_id").values("history_id")[:1]
    rows = model.objects.select_related("history_user").annotate(before_id=Subquery(newest))
    if person:
        rows = rows.filter(history_user=None if person == NOBODY else person)
    if since:
        rows = rows.filter(history_date__gte=since)
    if place:
        behind = Q(history_date__lt=place.at)
        if nth == place.kind:
            behind |= Q(history_date=place.at, history_id__lt=place.history_id)
        elif nth > place.kind:
            behind |= Q(history_date=place.at)
        rows = rows.filter(behind)
    asked: QuerySet[Any] = rows.order_by(F("history_date").desc(), "-history_id")[: PAGE + 1]
    return asked


def _rows_before(shown: Sequence[tuple[Place, str, Any]]) -> dict[tuple[str, int], Any]:
    found: dict[tuple[str, int], Any] = {}
    for slug, model in kinds().items():
        wanted = [row.before_id for _, each, row in shown if each == slug and row.before_id]
        if wanted:
            rows = model.objects.in_bulk(wanted)
            found |= {(slug, history_id): row for history_id, row in rows.items()}
    return found


def _entry(kind: str, row: Any, before: Any) -> Entry:
    return Entry(
        kind=label(kind),
        what=next((said for name in _NAMES if (said := getattr(row, name, ""))), "—"),
        verb=_VERBS[row.history_type],
        at=row.history_date,
        person=row.history_user,
        reason=row.history_change_reason or "",
        changes=list(_changes(row, before)) if row.history_type == "~" and before else [],
    )


def _changes(row: Any, before: Any) -> Sequence[Change]:
    fields = [field for field in row._meta.fields if field.attname not in _BOOKKEEPING]
    return [
        Change(str(field.verbose_name), _said(was), _said(now))
        for field in fields
        if (was := getattr(before, field.attname)) != (now := getattr(row, field.attname))
    ]


def _said(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return "—"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return "; ".join(f"{key}: {_said(each)}" for key, each in value.items())
    return str(value)
