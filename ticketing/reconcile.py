"""What both sides of a ticket shall say, field by field. Pure.

A field is a register with two copies, one here and one there. `agreed` is what both said when
they were last in step, and the times of the actions that this takes into account. A side has
*acted* if its value differs from that, or if somebody changed it since and back. Then:

| here        | there       | result                                                          |
|-------------|-------------|-----------------------------------------------------------------|
| -           | -           | nothing                                                         |
| acted       | -           | push                                                            |
| -           | acted       | pull                                                            |
| acted       | acted, same | agree                                                           |
| acted       | acted       | the later action; at the same time, theirs; the loser is told   |
| -           | our write   | an echo is no action: what is here stays, and is pushed again   |
|             |             | if the echo is of an older write that landed late               |

A status may also be changed here by the findings, and there by a person at the same time. The
finding decides open or closed, a person everything else, so (open = new or in progress):

| here, by the findings | there, by a person                | result                            |
|-----------------------|-----------------------------------|-----------------------------------|
| closed                | moved on, but open as before      | closed: that was not their matter |
| closed                | closed too                        | agree                             |
| opened again          | moved on, but closed as before    | opened again                      |
| opened again          | opened too (new or in progress)   | as the person has it              |
| anything else         | opened or closed it               | the later action                  |

A person's action that came after is never overwritten by an automatic one that came before,
unless the two were about different things. Times there are of their clock: with ours they are
compared as far as the two are known to differ. Only fields of mode two-way are merged; of the
others what is seen is agreed on silently, so that switching two-way on starts from there.

At first sight (nothing agreed yet) actions since the promise count; without any, status and
assignee are taken from there, unless nobody is assigned there: ours is pushed then. Texts and
priority were written by our create call and stay as they are. So is a due date taken that is
there, while one that is here alone is pushed.

A due date that came from the findings gives way to a person's, whichever is later. The day is a
value like any other, "" for none; while it is not synced it is not read, and what was changed on
either side meanwhile counts once it is again.

An assignee there who has no account here is a value like any other. Once they have one, the case
is assigned to it, which is nobody's action.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple


class Field(StrEnum):
    STATUS = "status"
    ASSIGNEE = "assignee"
    PRIORITY = "priority"
    TITLE = "title"
    DESCRIPTION = "description"
    DUE_DATE = "due_date"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


class Mode(StrEnum):
    TWO_WAY = "two_way"
    ONCE = "once"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What each side said, in its own words, and when it was last changed, as far as known."""

    here: str
    there: str
    here_at: datetime | None = None
    there_at: datetime | None = None
    is_owed: bool = False  # what is here is still to be pushed


class Here(NamedTuple):
    value: str
    as_there: str | None  # None: cannot be said there
    at: datetime | None  # of the last change here
    is_automatic: bool = False  # by the findings, not by a person


class There(NamedTuple):
    value: str
    as_here: str | None  # None: cannot be said here
    at: datetime | None  # of the last change there; None: not known
    is_ours: bool  # that change was made with our account
    read_at: datetime  # the issue's own time of change, for a field without one
    ahead: timedelta = timedelta()  # their clock is of ours

    @property
    def acted_at(self) -> datetime:
        """When it was last changed there, by our clock."""
        return (self.at or self.read_at) - self.ahead


class Conflict(NamedTuple):
    """Both acted; the winner's value and the loser's, in our words."""

    lost: str
    won: str


@dataclass(frozen=True, slots=True)
class Merge:
    agreed: Agreed
    write: str | None = None  # to be written here, in our words
    push: str | None = None  # to be written there, in theirs
    conflict: Conflict | None = None
    is_unsayable: bool = False  # acted here, but there are no words for it there


_NEVER = datetime.min.replace(tzinfo=UTC)
_TAKEN_AT_FIRST_SIGHT = (Field.STATUS, Field.ASSIGNEE, Field.DUE_DATE)
_FOLLOW_FINDINGS = (Field.DUE_DATE, Field.TITLE, Field.DESCRIPTION, Field.PRIORITY)
"""What findings have changed here gives way to a person there."""
_CLOSED = ("CLOSED", "done")  # in our words, in theirs


def merge(
    field: Field,
    mode: Mode,
    agreed: Agreed | None,
    here: Here,
    there: There,
    *,
    sent: Collection[str] = (),
    now: datetime,
) -> Merge:
    """What to do about a field. `sent` are writes of ours that were never confirmed; `now`
    becomes the time of what is written here."""
    if mode is not Mode.TWO_WAY:
        return _in_step(field, here, there, now)
    if agreed is None:
        return _at_first_sight(field, here, there, now)
    ours, theirs = _acted_here(agreed, here), _acted_there(agreed, there, sent)
    if ours and theirs:
        return _both(field, agreed, here, there, now)
    if theirs:
        return pull(here, there, now)
    if ours or there.value != agreed.there:  # the second: an echo
        return _push(here, there)
    return _in_step(field, here, there, now)


def confirmed(agreed: Agreed, pushed: str) -> Agreed:
    """After a push has succeeded."""
    return replace(agreed, there=pushed, is_owed=False)


def _as_seen(here: Here, there: There) -> Agreed:
    return Agreed(here.value, there.value, here.at, there.at)


def _in_step(field: Field, here: Here, there: There, now: datetime) -> Merge:
    """Nothing to exchange; but whom both sides name may have an account here by now."""
    if (
        field is Field.ASSIGNEE
        and here.as_there == there.value
        and there.as_here not in (None, here.value)
    ):
        return Merge(Agreed(there.as_here, there.value, now, there.at), write=there.as_here)
    return Merge(_as_seen(here, there))


def _acted_here(agreed: Agreed, here: Here) -> bool:
    return (
        agreed.is_owed
        or here.value != agreed.here
        or (here.at is not None and here.at > (agreed.here_at or _NEVER))
    )


def _acted_there(agreed: Agreed, there: There, sent: Collection[str]) -> bool:
    if there.value == agreed.there:
        came_back = there.at is not None and there.at > (agreed.there_at or _NEVER)
        return came_back and not there.is_ours
    is_echo = there.value in sent and (there.is_ours or there.at is None)
    return not is_echo


def _at_first_sight(field: Field, here: Here, there: There, now: datetime) -> Merge:
    ours, theirs = here.at is not None, there.at is not None and not there.is_ours
    if ours and theirs:
        return _later(field, here, there, now)
    if ours:
        return _push(here, there)
    if theirs:
        return pull(here, there, now)
    if field in _TAKEN_AT_FIRST_SIGHT:
        return pull(here, there, now) if there.value else _push(here, there)
    return Merge(_as_seen(here, there))


def _both(field: Field, agreed: Agreed, here: Here, there: There, now: datetime) -> Merge:
    if _is_same(here, there):
        return Merge(_as_seen(here, there))
    if field is Field.STATUS and here.is_automatic:
        was_closed = agreed.there in _CLOSED
        we_turned_it = (here.value in _CLOSED) != (agreed.here in _CLOSED)
        they_turned_it = (there.value in _CLOSED) != was_closed
        if we_turned_it and not they_turned_it:
            return _with_conflict(_push(here, there), there.as_here, here.value)
        if we_turned_it and they_turned_it:  # so both opened it; theirs says more
            return pull(here, there, now)
    return _later(field, here, there, now)


def _later(field: Field, here: Here, there: There, now: datetime) -> Merge:
    if _is_same(here, there):
        return Merge(_as_seen(here, there))
    gives_way = field in _FOLLOW_FINDINGS and here.is_automatic
    if gives_way or there.acted_at >= (here.at or _NEVER):
        return _with_conflict(pull(here, there, now), here.value, there.as_here)
    return _with_conflict(_push(here, there), there.as_here, here.value)


def _with_conflict(merged: Merge, lost: str | None, won: str | None) -> Merge:
    if lost is None or won is None or lost == won:
        return merged
    return replace(merged, conflict=Conflict(lost, won))


def _is_same(here: Here, there: There) -> bool:
    if here.as_there is None:
        return there.as_here == here.value
    return there.value == here.as_there


def pull(here: Here, there: There, now: datetime) -> Merge:
    if there.as_here is None or there.as_here == here.value or _is_same(here, there):
        return Merge(_as_seen(here, there))
    return Merge(Agreed(there.as_here, there.value, now, there.at), write=there.as_here)


def _push(here: Here, there: There) -> Merge:
    seen = _as_seen(here, there)
    if here.as_there is None:
        return Merge(seen, is_unsayable=True)
    if here.as_there == there.value:
        return Merge(seen)
    return Merge(replace(seen, is_owed=True), push=here.as_there)


# --- As it is stored ----------------------------------------------------------------------


def dump(agreed: Agreed) -> dict[str, Any]:
    return {
        "here": agreed.here,
        "there": agreed.there,
        "here_at": agreed.here_at.isoformat() if agreed.here_at else None,
        "there_at": agreed.there_at.isoformat() if agreed.there_at else None,
        "is_owed": agreed.is_owed,
    }


def load(stored: Mapping[str, Any] | None) -> Agreed | None:
    if stored is None:
        return None
    here_at, there_at = stored["here_at"], stored["there_at"]
    return Agreed(
        stored["here"],
        stored["there"],
        datetime.fromisoformat(here_at) if here_at else None,
        datetime.fromisoformat(there_at) if there_at else None,
        stored["is_owed"],
    )
