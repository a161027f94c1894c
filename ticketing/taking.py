"""What an issue says is taken over into its case, and what the issue shall be told is decided.

One short transaction for each issue, under the locks of its case and then of its own row. Doing
it again, with the same state or an older one, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config.accounts.models import User
from ticketing import comments
from ticketing.comparing import Pair, changes_of, clean, compare, settings_of
from ticketing.following import set_status
from ticketing.jira_people import People, meet
from ticketing.locking import lock
from ticketing.mirror import mirror
from ticketing.models import Case, Destination, ExternalIssue, SyncMode
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
    _remember(issue, state, merges, pushes, now=now)
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
    said = f"{push.field.capitalize()} synced to Jira: {push.shown}"
    if push.field is Field.DESCRIPTION:
        said = "Description synced to Jira"
    tell([(issue.case, Kind.ISSUE, "", issue.issue_key)], reason=said, now=now)


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
            why = f"{field.capitalize()} was changed on both sides"
            tell([(case, Kind.CONFLICT, *words)], reason=why, now=now)
        if merged.is_unsayable and field is Field.ASSIGNEE and case.assignee:
            why = f"Assignee not synced: no Jira user with the e-mail of {case.assignee.name}"
            tell([(case, Kind.ISSUE, "", pair.state.ref.key)], reason=why, now=now)
    if written:
        case.modified_at = now
        case.save(
            update_fields=(*[f.value for f in Field], "closed_at", "modified_at"),
        )
        mirror([case])


def _change(pair: Pair, field: Field, value: str, *, now: datetime) -> None:
    case = pair.case
    before = _told(pair, field, _value_here(case, field))
    if field is Field.STATUS:
        set_status(case, value, now=now)
    elif field is Field.ASSIGNEE:
        case.assignee = _person(pair, value)
    elif field is Field.DESCRIPTION:
        value = case.description = clean(pair.state.description)
    else:
        setattr(case, field.value, value)
    edit = pair.state.edits.get(field)
    by = edit.by if edit else ""
    tell(
        [(case, Kind(field.value), before, _told(pair, field, value))],
        actor=pair.people.person(by),
        author=pair.people.name(by) or IN_JIRA,
        now=now,
    )


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
            preferred = pair.settings.status_mapping.get(pair.case.status, "")
            return Change(category=Category(value), status_id=preferred)
        case Field.ASSIGNEE:
            return Change(assignee=value or None)
        case Field.PRIORITY:
            return Change(priority_id=value)
        case Field.TITLE:
            return Change(title=value)
        case Field.DESCRIPTION:
            return Change(description=pair.case.description)


def _remember(
    issue: ExternalIssue,
    state: IssueState,
    merges: Mapping[Field, Merge],
    pushes: tuple[Push, ...],
    *,
    now: datetime,
) -> None:
    """The writes are noted before they leave, and for a while after: should one of them land
    late, or nobody hear of its success, it is known as ours when it is seen there."""
    sent = issue.agreed.get("sent", {})
    for push in pushes:
        earlier = [each for each in sent.get(push.field, ()) if each[0] != push.value]
        sent[push.field] = [*earlier, [push.value, now.isoformat()]][-_KEPT_WRITES:]
    issue.agreed = {field.value: dump(merged.agreed) for field, merged in merges.items()}
    issue.agreed["sent"] = sent
    issue.issue_key, issue.space_id, issue.space_key = (
        state.ref.key,
        state.space_id,
        state.space_key,
    )
    issue.remote_status, issue.remote_category = state.status, state.category.value
    issue.remote_assignee = state.assignee.name if state.assignee else ""
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
            "remote_assignee",
            "remote_updated_at",
            "gone_at",
            "missing_at",
        )
    )


# --- Words for people -----------------------------------------------------------------------


def _value_here(case: Case, field: Field) -> str:
    if field is Field.ASSIGNEE:
        return str(case.assignee_id or "")
    value: str = getattr(case, field.value)
    return value


def _told(pair: Pair, field: Field, value: str) -> str:
    """A value of ours as the timeline keeps it."""
    if field is Field.ASSIGNEE:
        person = _person(pair, value)
        return person.name if person else ""
    return value


def _shown(pair: Pair, field: Field, value: str) -> str:
    match field:
        case Field.STATUS:
            return Case.Status(value).label
        case Field.PRIORITY:
            return Case.Priority(value).label
        case Field.DESCRIPTION:
            return ""  # too long to be shown beside another one
        case _:
            return _told(pair, field, value) or "Nobody"


def _words_of_conflict(pair: Pair, field: Field, merged: Merge) -> tuple[str, str]:
    assert merged.conflict is not None  # noqa: S101 — the caller asked
    lost, won = (_shown(pair, field, each) for each in merged.conflict)
    if field is Field.ASSIGNEE and pair.state.assignee:  # who may be a stranger here
        if merged.push is not None:
            lost = pair.state.assignee.name
        else:
            won = pair.state.assignee.name
    return lost, won


def _person(pair: Pair, pk: str) -> User | None:
    if pk == str(pair.case.assignee_id or ""):
        return pair.case.assignee
    return next(
        (each.person for each in pair.people.by_id.values() if str(each.person_id) == pk), None
    )
