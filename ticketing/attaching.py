"""Findings and issues that come to what is there already: a case, or an issue in Jira."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from django.db import transaction
from django.db.models import QuerySet

from config.accounts.access import Actor
from config.accounts.models import User
from config.lib.deadline import PAGE_SECONDS, Deadline
from ticketing import allowed_spaces, outbox, services
from ticketing.issues import live_issues
from ticketing.locking import lock
from ticketing.models import (
    Attachment,
    Case,
    Destination,
    ExternalIssue,
    JiraAccount,
    JiraSpace,
    JiraUser,
    Project,
)
from ticketing.pacing import pace_for
from ticketing.selectors import case_by_key
from ticketing.trackers.base import Destination as Place
from ticketing.trackers.base import IssueRef, TrackerError
from ticketing.trackers.registry import tracker_for

_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,40}-[0-9]{1,18}\Z")
_SHOWN = 100


class NotLocated(ValueError):
    """Nothing is there; `str(error)` is a sentence for the person who asked."""


class Remote(NamedTuple):
    """An issue in Jira that no case has."""

    account: JiraAccount
    ref: IssueRef
    space_id: str
    space_key: str
    title: str

    @property
    def destinations(self) -> QuerySet[Destination]:
        """The projects whose issues are where this one is."""
        same = Destination.objects.filter(account=self.account, space_id=self.space_id)
        return same.select_related("project").order_by("created_at")


class _Address(NamedTuple):
    key: str
    host: str  # empty for a bare key


def locate(text: str) -> Case | Remote:
    """What is at a case's key, a Jira key, or the address of either; may ask Jira (two calls).

    Raises NotLocated, also for an issue of nobody's here in a space that no admin opened. A
    case's own key goes before an issue's that is spelled the same.
    """
    text = " ".join(text.replace("\0", "").split())
    address = _address(text)
    if not address.host and (case := case_by_key(address.key)):
        return case
    if case := _case_with(live_issues().filter(issue_key=address.key), address.host):
        return case
    account = _account(address)
    _refuse_closed_key(account, address.key)
    remote = _ask(account, text if address.host else address.key)
    held = live_issues().filter(account=account, issue_id=remote.ref.id)
    return _case_with(held, "") or remote


@transaction.atomic
def attach_free(case: Case, finding_pk: int, *, actor: Actor) -> bool:
    """Attach a finding that is on no other case; False, and nothing done, if it is on one."""
    lock(finding_pks=[finding_pk], case_pks=[case.pk])
    if Attachment.objects.filter(finding=finding_pk).exclude(case=case).exists():
        return False
    services.attach(case, [finding_pk], actor=actor)
    return True


def attach_to_issue(
    remote: Remote,
    project: Project,
    finding_pks: Sequence[int],
    *,
    actor: Actor,
    origin: Case.Origin = Case.Origin.MANUAL,
) -> Case:
    """Open a case for the issue, with the findings; the case that has it, if one got it first."""
    try:
        with transaction.atomic():
            case = services.open_manual_case(
                finding_pks, project=project, title=remote.title, actor=actor, origin=origin
            )
            link_issue(case, remote, actor=actor)
    except outbox.IssueTaken as taken:
        services.attach(taken.issue.case, finding_pks, actor=actor)
        return taken.issue.case
    return case


def promise_by_hand(
    place: Destination, *, assignee: User | None, fields: Mapping[str, Any] | None = None
) -> outbox.Promise:
    """The issue of a ticket made by hand, assigned there to who that is in that Jira."""
    promise = promises_by_hand([(place, assignee)])[0]
    return outbox.Promise({**(fields or {}), **promise.fields})


def promises_by_hand(
    wanted: Sequence[tuple[Destination, User | None]],
) -> list[outbox.Promise]:
    """The same for each of these, in one statement; destinations come with their account."""
    people = {assignee for _, assignee in wanted if assignee}
    accounts = {place.account_id for place, _ in wanted}
    known = JiraUser.objects.filter(account__in=accounts, person__in=people) if people else ()
    there = {(user.account_id, user.person_id): user.user_id for user in known}
    return [
        outbox.Promise(_assigned(place.account, there.get((place.account_id, assignee.pk))))
        if assignee
        else outbox.Promise({})
        for place, assignee in wanted
    ]


def _assigned(account: JiraAccount, user_id: str | None) -> dict[str, dict[str, str]]:
    if user_id is None:
        return {}
    is_cloud = account.deployment == JiraAccount.Deployment.CLOUD
    return {"assignee": {"accountId" if is_cloud else "name": user_id}}


@transaction.atomic
def promise_issue(case: Case) -> bool:
    """Promise an issue for a case that has none; False if it has one, or is archived.

    Raises Destination.DoesNotExist if its project is not linked to Jira, and SpaceClosed.
    """
    case = lock(case_pks=[case.pk]).cases[case.pk]
    if case.archived_at or live_issues().filter(case=case).exists():
        return False
    outbox.promise([(case, outbox.Promise({}))])
    return True


@transaction.atomic
def promise_issue_at(
    case: Case, place: Place, fields: Mapping[str, Any], *, account: JiraAccount
) -> bool:
    """The same in a place that is named, with fields of its own. Raises SpaceClosed."""
    case = lock(case_pks=[case.pk]).cases[case.pk]
    if case.archived_at or live_issues().filter(case=case).exists():
        return False
    outbox.promise_at(case, outbox.Promise(fields), account=account, place=place)
    return True


def link_issue(case: Case, remote: Remote, *, actor: Actor) -> ExternalIssue:
    """Make the issue the case's own. Raises outbox.IssueTaken if either has another,
    and SpaceClosed."""
    there = remote.destinations.filter(project=case.project_id).first() or (
        remote.destinations.first()
    )
    place = Place(remote.space_id, remote.space_key, there.type_id if there else "")
    return outbox.adopt(case, remote.ref, account=remote.account, place=place, actor=actor)


def _address(text: str) -> _Address:
    """The key that a text is, or that is in the address of an issue's page."""
    if not re.match(r"https?://", text, re.IGNORECASE):
        key, host = text.upper(), ""
    else:
        key, host = _in_address(text)
    if not _KEY.match(key):
        raise NotLocated(f"“{text[:_SHOWN]}” is not a case key, a Jira key or a Jira address.")
    return _Address(key, host)


def _in_address(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2].lower()
        selected = parse_qs(parts.query).get("selectedIssue", [])
    except ValueError as error:
        raise NotLocated(f"“{text[:_SHOWN]}” is not an address.") from error
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return (selected[0] if selected else last).upper(), host


def _case_with(issues: QuerySet[ExternalIssue], host: str) -> Case | None:
    found = [
        issue.case
        for issue in issues.select_related("case__project", "account")
        if not host or issue.account.host.lower() == host
    ]
    if len(found) > 1:
        raise NotLocated("Several Jira accounts have this key. Paste the address of the issue.")
    return found[0] if found else None


def _account(address: _Address) -> JiraAccount:
    """The connected account that the issue is asked of."""
    connected = list(JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False))
    if address.host:
        there = [account for account in connected if account.host.lower() == address.host]
        if not there:
            raise NotLocated(f"{address.host} is not a connected Jira account.")
        return there[0]
    space = address.key.rpartition("-")[0]
    known = set(Destination.objects.filter(space_key=space).values_list("account", flat=True))
    likely = [account for account in connected if account.pk in known] or connected
    if not likely:
        raise NotLocated(f"{address.key} was not found.")
    if len(likely) > 1:
        raise NotLocated(
            f"{address.key} may be in several Jira accounts. Paste the address of the issue."
        )
    return likely[0]


def _ask(account: JiraAccount, address: str) -> Remote:
    try:
        pace, deadline = pace_for(account), Deadline(PAGE_SECONDS)
        with tracker_for(account, pace=pace, deadline=deadline) as tracker:
            ref = tracker.resolve(address)
            state = tracker.fetch([ref.id]).get(ref.id)
            if isinstance(state, TrackerError):
                raise state
    except TrackerError as error:
        raise NotLocated(error.reason) from error
    if state is None:
        raise NotLocated(f"{ref.key} was not found in {account.host}.")
    found = Remote(account, state.ref, state.space_id, state.space_key, state.title)
    if not allowed_spaces.may_use(account, found):
        raise NotLocated(allowed_spaces.reason(found.space_key))
    return found


def _refuse_closed_key(account: JiraAccount, key: str) -> None:
    """Jira is not even asked: whether a number exists in a closed space is nobody's business."""
    space = JiraSpace.objects.filter(account=account, key=key.rpartition("-")[0]).first()
    if space is not None and not space.is_allowed:
        raise NotLocated(allowed_spaces.reason(space.key))
