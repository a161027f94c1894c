"""An issue as it is there beside its case as it is here, in each other's words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from ticketing.due_days import said
from ticketing.jira_people import People
from ticketing.models import (
    Case,
    CaseGroup,
    Destination,
    ExternalIssue,
    JiraAccount,
    JiraUser,
    SyncMode,
    TimelineEntry,
)
from ticketing.reconcile import Agreed, Field, Here, Merge, Mode, There, load, merge, pull
from ticketing.trackers.base import Category, Edit, IssueState
from ticketing.trackers.jira.lengths import summary

LATE_WRITES = timedelta(hours=1)  # how long a write without an answer may still land
CATEGORIES: Mapping[str, Category] = {
    Case.Status.OPEN: Category.NEW,
    Case.Status.IN_PROGRESS: Category.IN_PROGRESS,
    Case.Status.CLOSED: Category.DONE,
}
DUE_DATE_FIELD = "due_date_field"
"""Beside what is agreed on: which field there the agreed due date is of."""
OF_GROUP = "group"
"""Beside the fields of a case that is for a group: when its text was written last."""
FOLLOWS_GROUP = (Field.TITLE, Field.DESCRIPTION, Field.PRIORITY)
_JIRA_USER = "jira:"  # before the key of a JiraUser who has no account here
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
    """Case → field → its last change. Two statements."""
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
    _add_groups(found, case_pks)
    return found


def _add_groups(found: dict[UUID, dict[str, Changed]], case_pks: Iterable[UUID]) -> None:
    """A group's text changes with its findings, and no timeline tells each time. One statement."""
    groups = CaseGroup.objects.filter(case__in=list(case_pks))
    for case, written_at in groups.values_list("case", "written_at"):
        changes = found.setdefault(case, {})
        changes[OF_GROUP] = written = Changed(written_at, is_automatic=True)
        for field in (Field.TITLE, Field.DESCRIPTION):
            if (known := changes.get(field)) is None or known.at < written_at:
                changes[field] = written


def due_date_fields(account: JiraAccount) -> frozenset[str]:
    """Ids of the fields of that Jira in which due dates are."""
    synced = Destination.objects.filter(account=account).exclude(sync_due_date=SyncMode.OFF)
    return frozenset(synced.order_by().values_list("due_date_field", flat=True))


def compare(pair: Pair, *, now: datetime) -> dict[Field, Merge]:
    """What to do about each field of a pair that can be seen. Reads and writes nothing."""
    return {field: _compare(pair, field, now=now) for field in Field if _is_seen(pair, field)}


def _is_seen(pair: Pair, field: Field) -> bool:
    """The due date only where it is synced, and the issue has that field."""
    settings = pair.settings
    return field is not Field.DUE_DATE or (
        settings.sync_due_date != SyncMode.OFF
        and settings.account_id == pair.issue.account_id
        and settings.due_date_field in pair.state.dates
    )


def _compare(pair: Pair, field: Field, *, now: datetime) -> Merge:
    here, there = _here(pair, field), _there(pair, field)
    merged = merge(
        field,
        _mode(pair, field),
        _agreed(pair, field, here),
        here,
        there,
        sent=_sent(pair, field, now=now),
        now=now,
    )
    if merged.is_unsayable and pair.case.jira_assignee and field is Field.ASSIGNEE:
        return pull(here, there, now)  # somebody of another Jira, whom this one cannot know
    return merged


def _mode(pair: Pair, field: Field) -> Mode:
    """What is written there at creation goes on being written where it speaks of a group."""
    mode = Mode(getattr(pair.settings, f"sync_{field}"))
    follows = mode is Mode.ONCE and field in FOLLOWS_GROUP and OF_GROUP in pair.changes
    return Mode.TWO_WAY if follows else mode


def _agreed(pair: Pair, field: Field, here: Here) -> Agreed | None:
    if field is Field.DUE_DATE and _was_elsewhere(pair):
        return None
    agreed = load(pair.issue.agreed.get(field))
    is_of_jira = field is Field.ASSIGNEE and pair.case.jira_assignee
    if agreed and is_of_jira and (agreed.here, agreed.there) == ("", here.as_there):
        return replace(agreed, here=here.value)  # of before cases named users of Jira
    return agreed


def _was_elsewhere(pair: Pair) -> bool:
    """Another field was the due date when both were in step last."""
    return bool(pair.issue.agreed.get(DUE_DATE_FIELD) != pair.settings.due_date_field)


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
            value, as_there = case.title, summary(case.title)
        case Field.DESCRIPTION:
            value = as_there = digest(case.description)
        case Field.DUE_DATE:
            value = as_there = said(case.due_date)
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
            as_here = assignee_word(pair.people.by_id.get(value)) if value else ""
        case Field.PRIORITY:
            value, as_here = state.priority_id, _priority_here(pair)
        case Field.TITLE:
            value = as_here = clean(state.title)
        case Field.DESCRIPTION:
            value = as_here = digest(state.description)
        case Field.DUE_DATE:
            value = as_here = said(state.dates[pair.settings.due_date_field])
    edit = edit_of(pair, field)
    return There(
        value,
        as_here,
        edit.at if edit else None,
        is_ours=edit is not None and is_ours(pair, edit),
        read_at=state.updated_at,
        ahead=state.ahead,
    )


def edit_of(pair: Pair, field: Field) -> Edit | None:
    """The last change of the field there."""
    is_date = field is Field.DUE_DATE
    return pair.state.edits.get(pair.settings.due_date_field if is_date else field)


def is_ours(pair: Pair, edit: Edit) -> bool:
    """Whether it was made with our account."""
    return edit.by.lower() == pair.issue.account.user_id.lower()


def _assignee_here(pair: Pair) -> tuple[str, str | None]:
    case = pair.case
    if case.jira_assignee:
        is_there = case.jira_assignee.account_id == pair.issue.account_id
        return assignee_here(case), case.jira_assignee.user_id if is_there else None
    if case.assignee_id is None:
        return "", ""
    known = pair.people.by_person.get(case.assignee_id)
    return assignee_here(case), known.user_id if known else None


def assignee_here(case: Case) -> str:
    """Whose the case is, as a value to compare: "" for nobody."""
    if case.jira_assignee_id:
        return f"{_JIRA_USER}{case.jira_assignee_id}"
    return str(case.assignee_id or "")


def assignee_word(user: JiraUser | None) -> str | None:
    """The same for somebody in Jira: who that is here, if anybody. None if we never met."""
    if user is None:
        return None
    return str(user.person_id) if user.person_id else f"{_JIRA_USER}{user.pk}"


def _priority_here(pair: Pair) -> str | None:
    mapping = pair.settings.priority_mapping
    if mapping.get(pair.case.priority) == pair.state.priority_id:
        return pair.case.priority  # several of ours may be one of theirs
    return next((ours for ours, id_ in mapping.items() if id_ == pair.state.priority_id), None)
