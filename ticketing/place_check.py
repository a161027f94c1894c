"""Would a place take a ticket with these fields? Asked of its tracker, which creates nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from config.lib.deadline import Deadline
from ticketing.allowed_spaces import InSpace
from ticketing.models import JiraAccount
from ticketing.pacing import heed, pace_for
from ticketing.trackers.base import Destination as IssuePlace
from ticketing.trackers.base import Fault, Tracker, TrackerError
from ticketing.trackers.registry import tracker_for


class Cause(StrEnum):
    """What a problem is about, and so what follows from it."""

    PLACE = "place"  # the place or these fields: the next ticket surely fails
    CALL = "call"  # this one question was refused: a ticket may be taken all the same
    ACCOUNT = "account"  # the account cannot be asked now, nor for other places


_CAUSES = {Fault.CONFIG: Cause.PLACE, Fault.REJECTED: Cause.CALL}


class PlaceProblem(NamedTuple):
    cause: Cause
    reason: str  # for a person, without secrets
    field: str = ""  # the id of the field at fault, as the tracker names it
    response: str = ""  # an excerpt of the answer that may be shown
    status: int | None = None  # of the HTTP answer, if there was one


class TicketPlace(InSpace, Protocol):
    @property
    def type_id(self) -> str: ...


class PlaceChecker:
    """One connection to an account. After a problem of the account it is called less."""

    def __init__(self, account: JiraAccount, tracker: Tracker) -> None:
        self._account = account
        self._tracker = tracker

    def check_account(self) -> PlaceProblem | None:
        """Whether it lets us in, and as who we are."""
        try:
            self._tracker.identify()
        except TrackerError as error:
            return self._problem(error)
        return None

    def check(self, place: TicketPlace, fields: Mapping[str, Any]) -> PlaceProblem | None:
        """Whether a new ticket with these fields would be taken there."""
        there = IssuePlace(place.space_id, place.space_key, place.type_id)
        try:
            self._tracker.check(there, fields)
        except TrackerError as error:
            return self._problem(error)
        return None

    def _problem(self, error: TrackerError) -> PlaceProblem:
        cause = Cause.ACCOUNT
        if not error.whole_account:
            cause = _CAUSES.get(error.fault, Cause.ACCOUNT)
        if cause is Cause.ACCOUNT:
            heed(self._account, error)
        return PlaceProblem(cause, error.reason, error.field, error.response, error.status)


@contextmanager
def checker_for(
    account: JiraAccount, *, deadline: Deadline, patience: float | None = None
) -> Iterator[PlaceChecker]:
    """`patience` is for how many seconds the tracker may be silent, by default its own."""
    pace = pace_for(account)
    with tracker_for(account, pace=pace, deadline=deadline, patience=patience) as tracker:
        yield PlaceChecker(account, tracker)
