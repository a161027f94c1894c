"""Promises: each is kept by exactly one issue, or given up by a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.accounts.access import Actor
from config.lib.rows import store
from config.lib.tasks import enqueue
from ticketing import allowed_spaces, due
from ticketing.locking import lock
from ticketing.mirror import mirror
from ticketing.models import Case, Destination, ExternalIssue, JiraAccount
from ticketing.outbox.moves import move
from ticketing.states import State
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import Destination as Place
from ticketing.trackers.base import IssueRef


class Promise(NamedTuple):
    """What an issue is to say besides its case's title and description.

    `fields` are the tracker's own, with placeholders; `facts` fill them, in the shape of
    `findings.facts.facts_from_json`. Without facts there is nothing to fill them with.
    """

    fields: Mapping[str, Any]
    facts: Mapping[str, Any] | None = None


class IssueTaken(ValueError):
    """The issue is, or the case has, one already; `issue` says which."""

    def __init__(self, issue: ExternalIssue) -> None:
        super().__init__(f"{issue} belongs to {issue.case.key}.")
        self.issue = issue


def promise(pairs: Sequence[tuple[Case, Promise]]) -> None:
    """Promise an issue for each case, where its project has them, in the caller's transaction.

    Raises Destination.DoesNotExist for a project without one, and SpaceClosed. As few statements
    for any number.
    """
    if not pairs:
        return
    projects = {case.project_id for case, _ in pairs}
    places = {place.project_id: place for place in Destination.objects.filter(project__in=projects)}
    if len(places) < len(projects):
        raise Destination.DoesNotExist("a project of the cases is not linked to Jira")
    _require_open(places.values())
    store(
        ExternalIssue(
            case=case,
            **place_of(places[case.project_id]),
            fields=dict(promised.fields),
            facts=promised.facts,
            created_at=case.created_at,
            # In the order of their cases, so that the numbers there follow those here.
            not_before=case.created_at - timedelta(microseconds=after),
        )
        for after, (case, promised) in zip(range(len(pairs) - 1, -1, -1), pairs, strict=True)
    )
    ring()


def promise_at(case: Case, promised: Promise, *, account: JiraAccount, place: Place) -> None:
    """Promise an issue in another place than its project's, in the caller's transaction.

    Raises SpaceClosed.
    """
    allowed_spaces.require(account, place)
    ExternalIssue.objects.create(
        case=case,
        account=account,
        **place._asdict(),
        fields=dict(promised.fields),
        facts=promised.facts,
    )
    ring()


def ring() -> None:
    enqueue("ticketing.tasks.deliver")


@transaction.atomic
def adopt(
    case: Case, ref: IssueRef, *, account: JiraAccount, place: Place, actor: Actor
) -> ExternalIssue:
    """Take an issue that is there already for this case's.

    Raises IssueTaken if either is taken, and SpaceClosed.
    """
    allowed_spaces.require(account, place)
    case = lock(case_pks=[case.pk]).cases[case.pk]
    now = timezone.now()
    issue = ExternalIssue(
        case=case,
        account=account,
        **place._asdict(),
        state=State.CREATED,
        issue_id=ref.id,
        issue_key=ref.key,
        created_at=now,
        delivered_at=now,
    )
    _insert(issue)
    tell([(case, Kind.ISSUE, "", ref.key)], actor=actor, now=now)
    mirror([case])
    due.mark_due([case])
    return issue


@transaction.atomic
def recreate(issue: ExternalIssue, *, actor: Actor, reason: str = "") -> ExternalIssue:
    """Promise another issue for the case: its present one is gone, or has no way back.

    The old one stays known, no longer as the issue of the case. Raises SpaceClosed.
    """
    case = lock(case_pks=[issue.case_id]).cases[issue.case_id]
    now = timezone.now()
    place = Destination.objects.filter(project_id=case.project_id).first() or issue
    allowed_spaces.require(place.account_id, place)
    former = ExternalIssue.objects.filter(pk=issue.pk, detached_at=None, state=State.CREATED)
    if not former.update(detached_at=now, sync_due_at=None):
        raise IssueTaken(case.external_issues.select_related("case").get(detached_at=None))
    again = ExternalIssue.objects.create(
        case=case, **place_of(place), fields=issue.fields, facts=issue.facts, created_at=now
    )
    reason = reason or "A new ticket takes its place."
    tell([(case, Kind.ISSUE, issue.issue_key, "")], actor=actor, reason=reason, now=now)
    mirror([case])
    ring()
    return again


def detach_issue(issue: ExternalIssue, *, actor: Actor) -> None:
    """Let go of the issue: it stays in Jira and is no longer the issue of the case."""
    with transaction.atomic():
        case = lock(case_pks=[issue.case_id]).cases[issue.case_id]
        now = timezone.now()
        held = ExternalIssue.objects.filter(pk=issue.pk, detached_at=None, state=State.CREATED)
        if held.update(detached_at=now, sync_due_at=None):
            tell([(case, Kind.ISSUE, issue.issue_key, "")], actor=actor, now=now)
            mirror([case])


@transaction.atomic
def cancel(issue: ExternalIssue, *, actor: Actor) -> bool:
    """Give up the promise; the case stays.

    False if it can no longer be given up: the issue is there, or is being sent this moment.
    """
    case = lock(case_pks=[issue.case_id]).cases[issue.case_id]
    rows = ExternalIssue.objects.filter(pk=issue.pk)
    now = timezone.now()
    states = (State.PENDING, State.BLOCKED, State.UNSURE)
    # Looked for later on, too: it may be there after all.
    if not any(move(rows, state, State.CANCELLED, lookups=0) for state in states):
        return False
    tell([(case, Kind.ISSUE, "", "")], actor=actor, reason="Delivery was cancelled.", now=now)
    return True


def place_of(place: Destination | ExternalIssue) -> dict[str, Any]:
    """Where an issue is created, as columns of it."""
    return {
        "account_id": place.account_id,
        "space_id": place.space_id,
        "space_key": place.space_key,
        "type_id": place.type_id,
    }


def _require_open(places: Collection[Destination]) -> None:
    closed = allowed_spaces.closed_among({(each.account_id, each.space_id) for each in places})
    for place in places:
        if (place.account_id, place.space_id) in closed:
            raise allowed_spaces.SpaceClosed(allowed_spaces.reason(place.space_key))


def _insert(issue: ExternalIssue) -> None:
    """Under its constraints: one issue for a case, one case for an issue."""
    try:
        with transaction.atomic():
            issue.save(force_insert=True)
    except IntegrityError:
        held = ExternalIssue.objects.select_related("case").filter(detached_at=None)
        taken = held.filter(account=issue.account, issue_id=issue.issue_id).first()
        of_case = held.filter(case=issue.case).exclude(state=State.CANCELLED).first()
        if found := taken or of_case:
            raise IssueTaken(found) from None
        raise
