"""What an issue says is taken over into its case, and what the issue shall be told is decided.

One short transaction for each issue, under the locks of its case and then of its own row. Doing
it again, with the same state or an older one, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config.accounts.models import User
from ticketing import comments
from ticketing.closing_answers import answers_for, reason_of, reason_there
from ticketing.comparing import (
    DUE_DATE_FIELD,
    Pair,
    assignee_here,
    assignee_word,
    changes_of,
    clean,
    compare,
    edit_of,
    is_ours,
    settings_of,
)
from ticketing.due_days import said
from ticketing.following import STATUS_COLUMNS, close_by_hand, set_status
from ticketing.jira_people import People, assign, meet
from ticketing.locking import lock
from ticketing.mirror import mirror
from ticketing.models import Case, Destination, ExternalIssue, JiraUser, SyncMode
from ticketing.models.jira_users import HIDDEN_NAME, JiraAssignee
from ticketing.reconcile import Agreed, Field, Merge, confirmed, dump, load
from ticketing.states import State
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import Category, Change, Fault, IssueRef, IssueState, TrackerError

IN_JIRA = "Jira"  # the author of a change whose author is not known
OLD_STATES = 2  # in a row that are not believed
_KEPT_WRITES = 5


@dataclass(frozen=True, slots=True)
class Push:
    """One field to be written there. `agreed` is what it was decided on."""

    field: Field
    value: str
    agreed: Agreed
    change: Change
    shown: str  # the value, for the timeline
    is_automatic: bool  # the findings changed it, not a person


@dataclass(frozen=True, slots=True)
class Taken:
    ref: IssueRef
    settings: Destination
    pushes: tuple[Push, ...]
    comments: int  # there
    asks_for: User | None = None  # nothing was done: who is that there?

    @property
    def talks(self) -> bool:
        """Are comments exchanged?"""
        return self.settings.sync_comments == SyncMode.TWO_WAY


@transaction.atomic
def take(issue_pk: UUID, state: IssueState, people: People) -> Taken | None:
    """None: nothing was done, for the issue is no longer this case's.

    Raises a passing TrackerError for a state that is older than one that was taken. If such
    states keep coming, Jira's clock was put back, or Jira itself: then they are taken.
    """
    case_pk = ExternalIssue.objects.values_list("case", flat=True).get(pk=issue_pk)
    case = lock(case_pks=[case_pk]).cases[case_pk]
    issue = locked_issue(issue_pk)
    if not is_followed(issue):
        return None
    if _is_older(state, issue) and issue.sync_failures < OLD_STATES:
        raise TrackerError(Fault.TRANSIENT, f"Jira shows an older state of {issue.issue_key}.")
    if case.assignee_id and case.assignee_id not in people.by_person:  # since it was claimed
        people |= meet(issue.account, (), persons=[case.assignee_id])
    settings = settings_of([case])[case.project_id]
    changes = changes_of([case.pk]).get(case.pk, {})
    now = timezone.now()
    pair = Pair(
        issue=issue, case=case, settings=settings, changes=changes, people=people, state=state
    )
    merges = compare(pair, now=now)
    if merges[Field.ASSIGNEE].is_unsayable and case.assignee_id not in people.strangers:
        return Taken(state.ref, settings, (), len(state.comments), case.assignee)
    _write_here(pair, merges, now=now)
    _tell_of_the_place(pair, now=now)
    comments.pull(pair, now=now)
    pushes = tuple(
        _push(pair, field, merged) for field, merged in merges.items() if merged.push is not None
    )
    _remember(pair, merges, pushes, now=now)
    return Taken(state.ref, settings, pushes, len(state.comments))


def locked_issue(issue_pk: UUID) -> ExternalIssue:
    """Lock its case first, if at all."""
    issues = ExternalIssue.objects.select_related("account").select_for_update(of=("self",))
    return issues.get(pk=issue_pk)


def is_followed(issue: ExternalIssue) -> bool:
    return issue.state == State.CREATED and issue.detached_at is None


@transaction.atomic
def confirm(issue_pk: UUID, push: Push, *, reads: str | None = None) -> None:
    """After a push has succeeded. `reads` is how the value reads there, if not as written."""
    issue = locked_issue(issue_pk)
    now = timezone.now()
    agreed = load(issue.agreed.get(push.field))
    if agreed == push.agreed:  # else somebody has looked at it since, and decided anew
        issue.agreed[push.field] = dump(confirmed(agreed, push.value if reads is None else reads))
    issue.save(update_fields=("agreed",))
    words = f"{push.field.label} synced to Jira: {push.shown}"
    if push.field is Field.DESCRIPTION:
        words = "Description synced to Jira"
    tell([(issue.case, Kind.ISSUE, "", issue.issue_key)], reason=words, now=now)


@transaction.atomic
def give_up(issue_pk: UUID, push: Push, *, reason: str) -> None:
    """Leave a field different on both sides, until somebody changes it again."""
    issue = locked_issue(issue_pk)
    if load(issue.agreed.get(push.field)) == push.agreed:
        issue.agreed[push.field] = dump(confirmed(push.agreed, push.agreed.there))
        issue.save(update_fields=("agreed",))
        now = timezone.now()
        tell([(issue.case, Kind.ISSUE, "", issue.issue_key)], reason=reason, now=now)


def _is_older(state: IssueState, issue: ExternalIssue) -> bool:
    return issue.remote_updated_at is not None and state.updated_at < issue.remote_updated_at


def _write_here(pair: Pair, merges: Mapping[Field, Merge], *, now: datetime) -> None:
    case = pair.case
    written = False
    for field, merged in merges.items():
        if merged.write is not None:
            _change(pair, field, merged.write, now=now)
            written = True
        if merged.conflict:
            words = _words_of_conflict(pair, field, merged)
            why = f"{field.label} was changed on both sides"
            tell([(case, Kind.CONFLICT, *words)], reason=why, now=now)
        if merged.is_unsayable and field is Field.ASSIGNEE and case.assignee:
            why = f"Assignee not synced: no Jira user with the e-mail of {case.assignee.name}"
            tell([(case, Kind.ISSUE, "", pair.state.ref.key)], reason=why, now=now)
    written |= _take_resolution(pair, merges[Field.STATUS], now=now)
    if written:
        case.modified_at = now
        columns = {*[f.value for f in Field], "jira_assignee", "is_due_by_hand", *STATUS_COLUMNS}
        case.save(update_fields=columns)
        mirror([case])


def _take_resolution(pair: Pair, status: Merge, *, now: datetime) -> bool:
    """Whether somebody in Jira said otherwise why it is closed, after it was."""
    case, state = pair.case, pair.state
    edit = state.edits.get("resolution")
    if (
        pair.settings.sync_status != SyncMode.TWO_WAY
        or status.push is not None
        or case.status != Case.Status.CLOSED
        or state.category is not Category.DONE
        or state.resolution == pair.issue.remote_resolution
        or edit is None
        or is_ours(pair, edit)
    ):
        return False
    before, reason = reason_of(case), reason_there(state.resolution, state.status, pair.settings)
    if reason is None or reason == case.close_reason:
        return False
    close_by_hand([case], reason)
    tell(
        [(case, Kind.RESOLVED, before.label, reason.label)],
        actor=pair.people.person(edit.by),
        author=pair.people.name(edit.by) or IN_JIRA,
        now=now,
    )
    return True


def _change(pair: Pair, field: Field, value: str, *, now: datetime) -> None:
    case = pair.case
    before = _told(pair, field, _value_here(case, field))
    reason = _reason(pair, field, value)
    if field is Field.STATUS:
        set_status(case, value, now=now)
        if value == Case.Status.CLOSED:
            state = pair.state
            close_by_hand([case], reason_there(state.resolution, state.status, pair.settings))
    elif field is Field.ASSIGNEE:
        assign(case, _jira_user(pair, value))
    elif field is Field.DESCRIPTION:
        value = case.description = clean(pair.state.description)
    elif field is Field.DUE_DATE:
        case.due_date, case.is_due_by_hand = date.fromisoformat(value) if value else None, True
    else:
        setattr(case, field.value, value)
    entry = (case, Kind(field.value), before, _told(pair, field, value))
    if reason:
        tell([entry], reason=reason, now=now)
        return
    edit = edit_of(pair, field)
    by = edit.by if edit else ""
    tell(
        [entry],
        actor=pair.people.person(by),
        author=pair.people.name(by) or IN_JIRA,
        now=now,
    )


def _reason(pair: Pair, field: Field, value: str) -> str:
    """Why this was nobody's action in Jira; usually it was somebody's."""
    former = pair.case.jira_assignee
    if field is Field.ASSIGNEE and former and former == _jira_user(pair, value):
        return f"{former.as_assignee.name} has an account here with the same email address."
    return ""


def _tell_of_the_place(pair: Pair, *, now: datetime) -> None:
    issue, ref = pair.issue, pair.state.ref
    if issue.gone_at:
        news = [(pair.case, Kind.ISSUE, "", ref.key)]
        tell(news, reason=f"{ref.key} is there again in Jira", now=now)
    if issue.issue_key != ref.key:
        why = f"Moved in Jira from {issue.issue_key} to {ref.key}"
        tell([(pair.case, Kind.ISSUE, issue.issue_key, ref.key)], reason=why, now=now)


def _push(pair: Pair, field: Field, merged: Merge) -> Push:
    assert merged.push is not None  # noqa: S101 — the caller asked
    value = merged.push
    changed = pair.changes.get(field)
    return Push(
        field=field,
        value=value,
        agreed=merged.agreed,
        change=_as_change(pair, field, value),
        shown=_shown(pair, field, _value_here(pair.case, field)),
        is_automatic=changed is not None and changed.is_automatic,
    )


def _as_change(pair: Pair, field: Field, value: str) -> Change:
    match field:
        case Field.STATUS:
            return _as_step(pair, Category(value))
        case Field.ASSIGNEE:
            return Change(assignee=value or None)
        case Field.PRIORITY:
            return Change(priority_id=value)
        case Field.TITLE:
            return Change(title=value)
        case Field.DESCRIPTION:
            return Change(description=pair.case.description)
        case Field.DUE_DATE:
            return Change(dates={pair.settings.due_date_place: pair.case.due_date})


def _as_step(pair: Pair, category: Category) -> Change:
    preferred = pair.settings.status_mapping.get(pair.case.status, "")
    if category is not Category.DONE:
        return Change(category=category, status_id=preferred)
    return Change(
        category=category,
        status_id=preferred,
        reason=reason_of(pair.case),
        answers=answers_for(pair.case, pair.issue, pair.settings),
    )


def _remember(
    pair: Pair, merges: Mapping[Field, Merge], pushes: tuple[Push, ...], *, now: datetime
) -> None:
    """The writes are noted before they leave, and for a while after: should one of them land
    late, or nobody hear of its success, it is known as ours when it is seen there."""
    issue, state = pair.issue, pair.state
    sent = issue.agreed.get("sent", {})
    for push in pushes:
        earlier = [each for each in sent.get(push.field, ()) if each[0] != push.value]
        sent[push.field] = [*earlier, [push.value, now.isoformat()]][-_KEPT_WRITES:]
    unseen = (Field.DUE_DATE.value, DUE_DATE_FIELD)
    kept = {name: issue.agreed[name] for name in unseen if name in issue.agreed}
    agreed = {field.value: dump(merged.agreed) for field, merged in merges.items()}
    issue.agreed = {**kept, **agreed}
    if Field.DUE_DATE in merges:
        issue.agreed[DUE_DATE_FIELD] = pair.settings.due_date_field
    issue.agreed["sent"] = sent
    issue.issue_key, issue.space_id, issue.space_key = (
        state.ref.key,
        state.space_id,
        state.space_key,
    )
    issue.remote_status, issue.remote_category = state.status, state.category.value
    issue.remote_resolution = clean(state.resolution)[:255]
    issue.remote_assignee = _assignee_there(pair)
    issue.remote_updated_at = state.updated_at
    issue.gone_at = issue.missing_at = None
    issue.save(
        update_fields=(
            "agreed",
            "issue_key",
            "space_id",
            "space_key",
            "remote_status",
            "remote_category",
            "remote_resolution",
            "remote_assignee",
            "remote_updated_at",
            "gone_at",
            "missing_at",
        )
    )


# --- Words for people -----------------------------------------------------------------------


def _value_here(case: Case, field: Field) -> str:
    if field is Field.ASSIGNEE:
        return assignee_here(case)
    if field is Field.DUE_DATE:
        return said(case.due_date)
    value: str = getattr(case, field.value)
    return value


def _told(pair: Pair, field: Field, value: str) -> str:
    """A value of ours as the timeline keeps it."""
    if field is Field.ASSIGNEE:
        who = _assignee(pair, value)
        return who.name if who else ""
    return value


def _shown(pair: Pair, field: Field, value: str) -> str:
    match field:
        case Field.STATUS:
            return Case.Status(value).label
        case Field.PRIORITY:
            return Case.Priority(value).label
        case Field.DESCRIPTION:
            return ""  # too long to be shown beside another one
        case Field.DUE_DATE:
            return value or "No due date"
        case _:
            return _told(pair, field, value) or "Nobody"


def _words_of_conflict(pair: Pair, field: Field, merged: Merge) -> tuple[str, str]:
    assert merged.conflict is not None  # noqa: S101 — the caller asked
    lost, won = (_shown(pair, field, each) for each in merged.conflict)
    return lost, won


def _assignee_there(pair: Pair) -> str:
    who = pair.state.assignee
    return (pair.people.name(who.id) or HIDDEN_NAME) if who else ""


def _assignee(pair: Pair, value: str) -> User | JiraAssignee | None:
    if value == assignee_here(pair.case):
        return pair.case.assigned_to
    user = _jira_user(pair, value)
    return (user.person or user.as_assignee) if user else None


def _jira_user(pair: Pair, value: str) -> JiraUser | None:
    """Whom a value of the assignee names."""
    users = pair.people.by_id.values()
    return next((user for user in users if assignee_word(user) == value), None)
