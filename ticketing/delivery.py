"""Promises on their way out: claim, call, settle. No transaction is open during a call.

A ring works for a few seconds, several creates at once, and rings again if more is left, so
that a worker is never held for long. Whoever is killed on any line leaves a claim, which
`outbox.lost` ends.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, close_old_connections, connection, connections
from django.utils import timezone

from config.lib.deadline import Deadline
from config.lib.links import absolute
from findings.facts import facts_from_json
from ticketing import accounts, allowed_spaces, due, pacing
from ticketing.destinations import (
    custom_fields_at_creation,
    due_date_at_creation,
    priority_at_creation,
)
from ticketing.group_text import Summary
from ticketing.models import Destination, ExternalIssue, JiraAccount
from ticketing.outbox import claims, lost, settling, waiting
from ticketing.outbox.claims import Look
from ticketing.outbox.left_out import note_left_out
from ticketing.outbox.newest_numbers import known_number, remember_number
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
R = TypeVar("R")

SECONDS_A_RING = 5.0  # far below the queue's time-out: the last call may take half of that
SECONDS_OF_A_CALL = 30.0
"""What was begun in time may go on for so long."""
_TEMPLATES = ("summary", "description")


def deliver_due(*, seconds: float = SECONDS_A_RING) -> bool:
    """Deliver what is due; False if time ran out before all of it was done."""
    lost.free_lost()
    account_ids = waiting.due_accounts(timezone.now())
    random.shuffle(account_ids)  # else the first would have to finish before the second begins
    ends, is_done = time.monotonic() + seconds, True
    deadline = Deadline(seconds + SECONDS_OF_A_CALL + 5)
    for left, account_id in zip(range(len(account_ids), 0, -1), account_ids, strict=True):
        share = (ends - time.monotonic()) / left
        if deadline.left < SECONDS_OF_A_CALL:
            return False  # a create that is cut off is an unsure one
        if waiting.is_workable(account_id) and claims.serve(account_id, seconds=max(share, 0)):
            is_done &= _serve(account_id, seconds=share, deadline=deadline)
    return is_done


def _serve(account_id: UUID, *, seconds: float, deadline: Deadline) -> bool:
    """Work for one account; False if there is more to do at once."""
    ends = time.monotonic() + seconds
    try:
        work = partial(_work, account_id, ends, deadline)
        are_resting = list(_in_threads(_threads(account_id), work))
    finally:
        claims.leave(account_id)
    due.ring()  # the states of what was created, in one look for all of them
    # Whoever rang while we were at it was sent away, perhaps after our last look.
    return all(are_resting) or not waiting.is_workable(account_id)


def _work(account_id: UUID, ends: float, deadline: Deadline) -> bool:
    """One line of work; whether it stopped as the account wants no more requests now."""
    with _line(account_id, deadline=deadline) as line:
        line.work(until=ends)
        return line.is_resting


def _threads(account_id: UUID) -> int:
    """As many as have something to do, and as the account's pace lets do it."""
    most = settings.DELIVERY_THREADS
    if most <= 1:
        return 1
    rate = JiraAccount.objects.values_list("rate", flat=True).get(pk=account_id)
    return max(1, min(waiting.due_count(account_id, limit=most), math.ceil(rate)))


def _in_threads(number: int, work: Callable[[], R]) -> Iterator[R]:
    """Do the work so many times at once, once of it here. A thread has connections of its own."""

    def in_thread() -> R:
        try:
            return work()
        finally:
            connections.close_all()

    if number <= 1:
        yield work()
        return
    with ThreadPoolExecutor(number - 1, thread_name_prefix="delivery") as pool:
        others = [pool.submit(copy_context().run, in_thread) for _ in range(number - 1)]
        yield work()
        for other in others:
            yield other.result()


def deliver_one(issue_id: UUID, *, patience: float = 20.0) -> ExternalIssue:
    """Deliver this one now, while somebody looks on; the issue as it is then.

    Waits its turn, also while a worker is faster, for up to `patience` seconds.
    """
    ends = time.monotonic() + patience
    deadline = Deadline(patience + SECONDS_OF_A_CALL)
    while True:
        issue = ExternalIssue.objects.select_related("account", "case").get(pk=issue_id)
        now = timezone.now()
        is_waiting = issue.state == State.PENDING and issue.not_before <= now
        if is_waiting and accounts.is_callable(issue.account, now=now):
            with _line(issue.account_id, deadline=deadline) as line:
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
def _line(account_id: UUID, *, deadline: Deadline) -> Iterator[_Line]:
    account = JiraAccount.objects.get(pk=account_id)
    pace = pacing.pace_for(account)
    with tracker_for(account, pace=pace, deadline=deadline) as tracker:
        yield _Line(account, tracker, pace)


class _Line:
    """One connection to one account, for one ring."""

    def __init__(self, account: JiraAccount, tracker: Tracker, pace: pacing.Pace) -> None:
        self._account = account
        self._tracker = tracker
        self._pace = pace
        self.is_resting = False

    def work(self, *, until: float) -> None:
        """Do what is due, or as much of it as there is time for."""
        while time.monotonic() < until and waiting.is_workable(self._account.pk):
            try:
                self._pace.hold()
            except pacing.TooFast:
                self.is_resting = True  # when that is over the queue rings by itself
                return
            if not self._step():
                return

    def _step(self) -> bool:
        """One look-up of many, or one create; False if others took all there was."""
        if looks := claims.claim_looks(self._account.pk):
            self._look(looks, settling.settle_look, settling.look_failed)
        elif issue := claims.claim(self._account.pk):
            self.create(issue)
        elif looks := claims.claim_late_looks(self._account.pk):
            self._look(looks, settling.settle_late_look, settling.late_look_failed)
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
            _require_open_space(issue)
            floor, draft = self._floor(issue), compose(issue)
            self._pace.hold()
            claims.mark_sent(issue, floor=floor)
            is_sent = True
            ref = self._tracker.create(
                draft,
                key=issue.key,
                attempt=str(issue.attempt),
                report=partial(note_left_out, issue),
                before_write=lambda: _check_before_sending(issue),
            )
        except claims.ClaimLost as lost:
            settling.release(issue, reason=lost.reason)
        except TrackerError as error:
            self._failed(issue, error)
        except Exception as error:
            log.exception("Delivery met something unexpected", issue=str(issue.pk))
            self._failed(issue, _unexpected(error, is_sent=is_sent))
        else:
            _surely(lambda: settling.settle_created(issue, [ref]))
            pacing.count_created(issue.account)

    def _found_before(self, issue: ExternalIssue) -> Sequence[IssueRef]:
        """What an earlier try of this issue left there, however sure we are that it did not."""
        if not issue.was_unsure:
            return ()
        lookup = _lookup(issue)
        if settling.is_just_proven(issue):  # all else was looked through a moment ago
            return self._tracker.find_new([lookup]).get(issue.key, ())
        return self._tracker.find([lookup])[issue.key].refs

    def _floor(self, issue: ExternalIssue) -> int:
        known = known_number(issue)
        if known.is_fresh:
            return known.number
        try:
            floor = self._tracker.floor(_place(issue))
        except TrackerError as error:
            if error.fault == Fault.TRANSIENT and not error.whole_account:
                return known.number  # one that is too low costs only time
            raise
        remember_number(issue, floor, at=timezone.now())
        return floor

    def _look(
        self,
        looks: Sequence[Look],
        settle: Callable[[Look, Found], None],
        fail: Callable[[Look, TrackerError], None],
    ) -> None:
        try:
            found = self._tracker.find([_lookup(look.issue) for look in looks])
        except TrackerError as error:
            pacing.heed(self._account, error)
            for look in looks:
                fail(look, error)
        else:
            for look in looks:
                _surely(partial(settle, look, found[look.issue.key]))

    def _failed(self, issue: ExternalIssue, error: TrackerError) -> None:
        pacing.heed(self._account, error)
        _surely(lambda: settling.settle_failed(issue, error))
        # What the tracker says has failed is looked for with the others, by the next step.
        if error.fault == Fault.UNSURE and (error.is_answered or not self._look_at_once(issue)):
            pacing.count_unsure(issue.account, error.retry_after)

    def _look_at_once(self, issue: ExternalIssue) -> bool:
        """The answer was lost: most often the issue is there, and a strong read shows it."""
        look = claims.claim_look(issue)
        if look is None:
            return False
        try:
            refs = self._tracker.find_new([_lookup(issue)]).get(issue.key, ())
        except TrackerError as error:
            pacing.heed(self._account, error)
            settling.look_failed(look, error)
            return False
        _surely(lambda: settling.settle_look(look, Found(tuple(refs), is_complete=False)))
        if refs:
            pacing.count_created(issue.account)
        return bool(refs)


def compose(issue: ExternalIssue) -> IssueDraft:
    """The issue to create: the case in the words of Jira, its fields filled from the facts.

    Those of a group's ticket are of its worst finding, with a summary of all. Without facts (a
    ticket that a person made for several findings, or for none) a field with a placeholder is left
    out.
    """
    case, said = issue.case, issue.fields
    constants = {name for name, value in said.items() if is_constant(value)}
    summary, description = case.title, case.description
    fields = {name: said[name] for name in constants}
    why_empty = "this ticket is not about one finding"
    if issue.facts is not None:
        facts = facts_from_json(issue.facts)
        words: dict[str, Any] = {
            "url": absolute("findings:finding-show", facts.finding_id),
            "rule_name": case.rule_name,
            "group": Summary.read(issue.facts.get("group"), facts),
        }
        own = summary_and_description(said, facts, **words)
        summary, description = own.summary or summary, own.description or description
        filled = {name: said[name] for name in said if name not in constants}
        fields |= {name: fill(value, facts, **words) for name, value in filled.items()}
        why_empty = "the finding has no value for it"
    settings = _settings(issue)
    mapped, level = priority_at_creation(settings, case.priority)
    usual: dict[str, Any] = {"priority": {"id": mapped}} if mapped else {}
    usual |= custom_fields_at_creation(settings, account_id=issue.account_id)
    usual |= due_date_at_creation(settings, case.due_date, account_id=issue.account_id)
    usual = {name: value for name, value in usual.items() if name not in said}
    fields |= usual
    return IssueDraft(
        destination=_place(issue),
        summary=summary,
        description=description,
        fields={
            name: value
            for name, value in fields.items()
            if value is not None and name not in _TEMPLATES
        },
        constants=frozenset(constants) | ({"priority", *usual} - said.keys()),
        optional=frozenset(usual),
        priority=0 if "priority" in said else level,
        remedies=tuple(issue.remedies),
        left_out={
            name: why_empty
            for name in said
            if name not in constants and name not in _TEMPLATES and fields.get(name) is None
        },
    )


def _settings(issue: ExternalIssue) -> Destination:
    """Of its project; those by default of one that is no longer linked."""
    return Destination.objects.filter(project_id=issue.case.project_id).first() or Destination()


def _check_before_sending(issue: ExternalIssue) -> None:
    """Once more, and last: a turn may have been waited for since."""
    claims.check_claim(issue)
    _require_open_space(issue)


def _require_open_space(issue: ExternalIssue) -> None:
    """A space that was closed after the promise is as good as gone: its rule is at fault, and a
    ticket made by hand waits for a person."""
    if not allowed_spaces.may_use(issue.account_id, issue):
        reason = allowed_spaces.reason(issue.space_key)
        raise TrackerError(Fault.CONFIG, reason, field="project")


def _place(issue: ExternalIssue) -> Place:
    return Place(issue.space_id, issue.space_key, issue.type_id)


def _lookup(issue: ExternalIssue) -> Lookup:
    return Lookup(
        key=issue.key,
        destination=_place(issue),
        since=issue.posted_at or issue.created_at,
        floor=issue.floor,
        ceiling=known_number(issue).number,
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
