"""An issue as it is there beside its case as it is here, in each other's words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from ticketing.jira_people import People
from ticketing.models import Case, Destination, ExternalIssue, TimelineEntry
from ticketing.reconcile import Field, Here, Merge, Mode, There, load, merge
from ticketing.trackers.base import Category, IssueState

LATE_WRITES = timedelta(hours=1)  # how long a write without an answer may still land
TITLE_LENGTH = 254  # of Jira's summary
CATEGORIES: Mapping[str, Category] = {
    Case.Status.OPEN: Category.NEW,
    Case.Status.IN_PROGRESS: Category.IN_PROGRESS,
    Case.Status.CLOSED: Category.DONE,
}
_STATUSES = {category: status for status, category in CATEGORIES.items()}


@dataclass(frozen=True, slots=True)
class Changed:
    """When a field was last changed here, and by whom: nobody means the findings."""

    at: datetime
    is_automatic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    issue: ExternalIssue
    case: Case
    settings: Destination
    changes: Mapping[str, Changed]  # by field
    people: People
    state: IssueState


def settings_of(cases: Iterable[Case]) -> dict[UUID, Destination]:
    """Project → its Jira settings; a project without any is kept in step as by default."""
    projects = {case.project_id for case in cases}
    found = {each.project_id: each for each in Destination.objects.filter(project__in=projects)}
    return {pk: found.get(pk) or Destination(project_id=pk) for pk in projects}


def changes_of(case_pks: Iterable[UUID]) -> dict[UUID, dict[str, Changed]]:
    """Case → field → its last change. One statement."""
    a_person = Q(actor__isnull=False) | ~Q(author="") | ~Q(key_name="")
    told = (
        TimelineEntry.objects.filter(case__in=list(case_pks), kind__in=[f.value for f in Field])
        .order_by()
        .values_list("case", "kind")
        .annotate(at=Max("created_at"), by_person=Max("created_at", filter=a_person))
    )
    found: dict[UUID, dict[str, Changed]] = {}
    for case, kind, at, by_person in told:
        found.setdefault(case, {})[kind] = Changed(at, by_person is None or by_person < at)
    return found


def compare(pair: Pair, *, now: datetime) -> dict[Field, Merge]:
    """What to do about each field of a pair. Reads and writes nothing."""
    return {
        field: merge(
            field,
            Mode(getattr(pair.settings, f"sync_{field}")),
            load(pair.issue.agreed.get(field)),
            _here(pair, field),
            _there(pair, field),
            sent=_sent(pair, field, now=now),
            now=now,
        )
        for field in Field
    }


def title_there(title: str) -> str:
    return re.sub(r"\s+", " ", title).strip()[:TITLE_LENGTH]


def digest(text: str) -> str:
    """Stands for a long text in what is agreed on. Markup may move white space about."""
    return hashlib.sha256(" ".join(clean(text).split()).encode()).hexdigest()[:32] if text else ""


def clean(text: str) -> str:
    return text.replace("\0", "")


def _sent(pair: Pair, field: Field, *, now: datetime) -> set[str]:
    noted = pair.issue.agreed.get("sent", {}).get(field, ())
    sent = {value for value, at in noted if now - datetime.fromisoformat(at) < LATE_WRITES}
    if sent and field is Field.DESCRIPTION:
        sent.add(digest(pair.state.description))  # never reads as it was written
    return sent


def _here(pair: Pair, field: Field) -> Here:
    case = pair.case
    value: str
    as_there: str | None
    match field:
        case Field.STATUS:
            value, as_there = case.status, CATEGORIES[case.status]
        case Field.ASSIGNEE:
            value, as_there = _assignee_here(pair)
        case Field.PRIORITY:
            value, as_there = case.priority, pair.settings.priority_mapping.get(case.priority)
        case Field.TITLE:
            value, as_there = case.title, title_there(case.title)
        case Field.DESCRIPTION:
            value = as_there = digest(case.description)
    changed = pair.changes.get(field)
    if changed is None or (field not in pair.issue.agreed and changed.at < pair.issue.created_at):
        return Here(value, as_there, None)
    return Here(value, as_there, changed.at, changed.is_automatic)


def _there(pair: Pair, field: Field) -> There:
    state = pair.state
    value: str
    as_here: str | None
    match field:
        case Field.STATUS:
            value, as_here = state.category.value, _STATUSES[state.category]
        case Field.ASSIGNEE:
            value = state.assignee.id if state.assignee else ""
            person = pair.people.person(value)
            as_here = str(person.pk) if person else ""  # a stranger is shown by name only
        case Field.PRIORITY:
            value, as_here = state.priority_id, _priority_here(pair)
        case Field.TITLE:
            value = as_here = clean(state.title)
        case Field.DESCRIPTION:
            value = as_here = digest(state.description)
    edit = state.edits.get(field)
    if edit is None:
        return There(value, as_here, None, is_ours=False, read_at=state.updated_at)
    is_ours = edit.by.lower() == pair.issue.account.user_id.lower()
    return There(value, as_here, edit.at, is_ours=is_ours, read_at=state.updated_at)


def _assignee_here(pair: Pair) -> tuple[str, str | None]:
    pk = pair.case.assignee_id
    if pk is None:
        return "", ""
    known = pair.people.by_person.get(pk)
    return str(pk), known.user_id if known else None


def _priority_here(pair: Pair) -> str | None:
    mapping = pair.settings.priority_mapping
    if mapping.get(pair.case.priority) == pair.state.priority_id:
        return pair.case.priority  # several of ours may be one of theirs
    return next((ours for ours, id_ in mapping.items() if id_ == pair.state.priority_id), None)
