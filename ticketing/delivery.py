"""Promises on their way out: claim, call, settle. No transaction is open during a call.

A ring works for a few seconds and rings again if more is left, so that a worker is never held
for long. Whoever is killed on any line leaves a lease, which `outbox.claims.free_expired` ends.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from config.lib.links import absolute
from findings.facts import facts_from_json
from ticketing import accounts, due, pacing
from ticketing.models import Destination, ExternalIssue, JiraAccount
from ticketing.outbox import claims, settling
from ticketing.outbox.claims import Look
from ticketing.placeholders import fill, is_constant, summary_and_description
from ticketing.states import State
from ticketing.trackers.base import Destination as Place
from ticketing.trackers.base import (
    Fault,
    Found,
    IssueDraft,
    IssueRef,
    Lookup,
    Tracker,
    TrackerError,
)
from ticketing.trackers.registry import tracker_for

log = structlog.stdlib.get_logger(__name__)

SECONDS_A_RING = 5.0  # far below the queue's time-out: the last call may take half of that
ENOUGH_UNSURE = 2
"""Creates in a row of which nobody knows what became: then the account gets some rest."""
_TEMPLATES = ("summary", "description")


def deliver_due(*, seconds: float = SECONDS_A_RING) -> bool:
    """Deliver what is due; False if time ran out before all of it was done."""
    account_ids = claims.due_accounts(timezone.now())
    random.shuffle(account_ids)  # else the first would have to finish before the second begins
    ends, is_done = time.monotonic() + seconds, True
    for left, account_id in zip(range(len(account_ids), 0, -1), account_ids, strict=True):
        share = (ends - time.monotonic()) / left
        if claims.is_workable(account_id) and claims.serve(account_id, seconds=max(share, 0)):
            is_done &= _serve(account_id, seconds=share)
    return is_done


def _serve(account_id: UUID, *, seconds: float) -> bool:
    """Work for one account; False if there is more to do at once."""
    ends = time.monotonic() + seconds
    try:
        with _line(account_id) as line:
            line.work(until=ends)
            is_resting = line.is_resting
    finally:
        claims.leave(account_id)
    due.ring()  # the states of what was created, in one look for all of them
    # Whoever rang while we were at it was sent away, perhaps after our last look.
    return is_resting or not claims.is_workable(account_id)


def deliver_one(issue_id: UUID, *, patience: float = 20.0) -> ExternalIssue:
    """Deliver this one now, while somebody looks on; the issue as it is then.

    Waits its turn, also while a worker is faster, for up to `patience` seconds.
    """
    ends = time.monotonic() + patience
    while True:
        issue = ExternalIssue.objects.select_related("account", "case").get(pk=issue_id)
        now = timezone.now()
        is_waiting = issue.state == State.PENDING and issue.not_before <= now
        if is_waiting and accounts.is_callable(issue.account, now=now):
            with _line(issue.account_id) as line:
                if claimed := claims.claim(issue.account_id, only=issue_id):
                    line.create(claimed)
                    due.ring()
                    continue
        elif issue.state != State.SENDING:
            return issue
        if time.monotonic() > ends:
            return issue
        time.sleep(0.1)


def deliver_these(issue_ids: Iterable[UUID], *, patience: float) -> None:
    """Deliver these now, one after the other, while somebody waits for up to so many seconds.

    What there was no time for is left to the queue, which was rung when it was promised.
    """
    ends = time.monotonic() + patience
    for issue_id in issue_ids:
        left = ends - time.monotonic()
        if left <= 0:
            return
        deliver_one(issue_id, patience=left)


@contextmanager
def _line(account_id: UUID) -> Iterator[_Line]:
    account = JiraAccount.objects.get(pk=account_id)
    pace = pacing.pace_for(account)
    with tracker_for(account, pace=pace) as tracker:
        yield _Line(account, tracker, pace)


class _Line:
    """One connection to one account, for one ring."""

    def __init__(self, account: JiraAccount, tracker: Tracker, pace: pacing.Pace) -> None:
        self._account = account
        self._tracker = tracker
        self._pace = pace
        self._unsure_in_a_row = 0
        self.is_resting = False

    def work(self, *, until: float) -> None:
        """Do what is due, or as much of it as there is time for."""
        while time.monotonic() < until and claims.is_workable(self._account.pk):
            try:
                self._pace.hold()
            except pacing.TooFast:
                self.is_resting = True  # when that is over the queue rings by itself
                return
            if not self._step():
                return

    def _step(self) -> bool:
        """One look-up or one create; False if others took all there was."""
        if look := claims.claim_look(self._account.pk):
            self._look(look, settling.settle_look, settling.look_failed)
        elif issue := claims.claim(self._account.pk):
            self.create(issue)
        elif look := claims.claim_late_look(self._account.pk):
            self._look(look, settling.settle_late_look, settling.late_look_failed)
        else:
            return False
        return True

    def create(self, issue: ExternalIssue) -> None:
        """One attempt at a claimed issue, and what became of it."""
        is_sent = False
        try:
            if refs := self._found_before(issue):
                _surely(lambda: settling.settle_created(issue, refs))
                return
            floor, draft = self._floor(issue), compose(issue)
            self._pace.hold()
            claims.mark_sent(issue, floor=floor)
            is_sent = True
            with self._pace.guarded(lambda: claims.check_claim(issue)):
                ref = self._tracker.create(draft, key=issue.key, attempt=str(issue.attempt))
        except claims.ClaimLost as lost:
            settling.release(issue, reason=lost.reason)
        except TrackerError as error:
            self._failed(issue, error)
        except Exception as error:
            log.exception("Delivery met something unexpected", issue=str(issue.pk))
            self._failed(issue, _unexpected(error, is_sent=is_sent))
        else:
            self._unsure_in_a_row = 0
            _surely(lambda: settling.settle_created(issue, [ref]))

    def _found_before(self, issue: ExternalIssue) -> tuple[IssueRef, ...]:
        """What an earlier try of this issue left there, however sure we are that it did not."""
        return self._tracker.find(_lookup(issue)).refs if issue.was_unsure else ()

    def _floor(self, issue: ExternalIssue) -> int:
        known = claims.known_number(issue)
        if known.is_fresh:
            return known.number
        try:
            return self._tracker.floor(_place(issue))
        except TrackerError as error:
            if error.fault == Fault.TRANSIENT and not error.whole_account:
                return known.number  # one that is too low costs only time
            raise

    def _look(
        self,
        look: Look,
        settle: Callable[[Look, Found], None],
        fail: Callable[[Look, TrackerError], None],
    ) -> None:
        try:
            found = self._tracker.find(_lookup(look.issue))
        except TrackerError as error:
            pacing.heed(self._account, error)
            fail(look, error)
        else:
            _surely(lambda: settle(look, found))

    def _failed(self, issue: ExternalIssue, error: TrackerError) -> None:
        pacing.heed(self._account, error)
        self._unsure_in_a_row = self._unsure_in_a_row + 1 if error.fault == Fault.UNSURE else 0
        if self._unsure_in_a_row >= ENOUGH_UNSURE:
            pacing.rest(self._account)
        _surely(lambda: settling.settle_failed(issue, error))


def compose(issue: ExternalIssue) -> IssueDraft:
    """The issue to create: the case in the words of Jira, its fields filled from the facts.

    Without facts (a ticket for several findings, or for none) a field with a placeholder is
    left out.
    """
    case, said = issue.case, issue.fields
    constants = {name for name, value in said.items() if is_constant(value)}
    summary, description = case.title, case.description
    fields = {name: said[name] for name in constants}
    if issue.facts is not None:
        facts = facts_from_json(issue.facts)
        words = {
            "url": absolute("findings:finding-show", facts.finding_id),
            "rule_name": case.rule_name,
        }
        own = summary_and_description(said, facts, **words)
        summary, description = own.summary or summary, own.description or description
        fields = {name: fill(value, facts, **words) for name, value in said.items()}
    priority = _priority(issue)
    if priority and "priority" not in said:
        fields["priority"] = {"id": priority}
    return IssueDraft(
        destination=_place(issue),
        summary=summary,
        description=description,
        fields={
            name: value
            for name, value in fields.items()
            if value is not None and name not in _TEMPLATES
        },
        constants=frozenset(constants) | ({"priority"} - said.keys()),
        remedies=tuple(issue.remedies),
    )


def _priority(issue: ExternalIssue) -> str:
    """The id of Jira's priority for that of the case, as its project's settings map it."""
    settings = Destination.objects.filter(project_id=issue.case.project_id)
    mapping = settings.values_list("priority_mapping", flat=True).first() or {}
    return str(mapping.get(issue.case.priority) or "")


def _place(issue: ExternalIssue) -> Place:
    return Place(issue.space_id, issue.space_key, issue.type_id)


def _lookup(issue: ExternalIssue) -> Lookup:
    return Lookup(
        key=issue.key,
        destination=_place(issue),
        since=issue.posted_at or issue.created_at,
        floor=issue.floor,
        ceiling=claims.known_number(issue).number,
    )


def _unexpected(error: Exception, *, is_sent: bool) -> TrackerError:
    fault = Fault.UNSURE if is_sent else Fault.TRANSIENT
    return TrackerError(fault, f"Something unexpected happened here: {type(error).__name__}.")


def _surely(settle: Callable[[], object]) -> None:
    """A database that is busy or away for a moment must not cost us the answer."""
    for wait in (0.1, 0.5, 2.0):
        try:
            settle()
        except OperationalError:
            if connection.in_atomic_block:
                raise
            log.warning("An answer could not be stored yet", exc_info=True)
            close_old_connections()
            time.sleep(wait)
        else:
            return
    settle()
