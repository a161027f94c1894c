"""One change of many cases, some in each transaction, as a change of one would be.

What is done is done whatever becomes of the rest: whoever asks again, after a process died or the
database failed, changes what is left. A chunk that raises is done again one by one; the case that
raises alone is named with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone

from config.accounts.access import Actor
from ticketing import case_changes, outbox
from ticketing.case_changes import CaseChange, Changed
from ticketing.due import mark_due
from ticketing.issues import live_issues
from ticketing.locking import lock, portion
from ticketing.models import Case
from ticketing.models.outbox import FAILED
from ticketing.states import State

log = structlog.stdlib.get_logger(__name__)
MAX_CASES = 1_000
CHUNK = 100
Work = Callable[[Sequence[Case], Actor], Sequence[Changed]]
"""What is done to some (locked) cases; which were changed."""


class Action(NamedTuple):
    """What is done to cases; `asks` and `says` are sentences about "3 cases"."""

    work: Work
    asks: Callable[[str], str]
    says: Callable[[str], str]
    takes_archived: bool = False
    asks_first: bool = False


class Failure(NamedTuple):
    key: str
    reason: str


@dataclass(slots=True)
class Outcome:
    changed: list[Changed] = field(default_factory=list)
    kept: int = 0  # were so already
    gone: int = 0  # do not exist
    failed: list[Failure] = field(default_factory=list)


def change_all(case_pks: Sequence[UUID], action: Action, *, actor: Actor) -> Outcome:
    """Do it to all of these cases, in transactions of its own. Up to MAX_CASES of them."""
    outcome = Outcome()
    for chunk in _chunks(list(dict.fromkeys(case_pks))[:MAX_CASES]):
        try:
            _change(chunk, action, outcome, actor=actor)
        except OperationalError:  # the database's own trouble: the others would meet it, too
            raise
        except Exception:
            log.exception("A bulk change is done one by one", cases=len(chunk))
            for pk in chunk:
                _change_alone(pk, action, outcome, actor=actor)
    return outcome


def _chunks(pks: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    while pks:
        chunk = portion(pks[:CHUNK])
        yield chunk
        pks = pks[len(chunk) :]


def _change(pks: Sequence[UUID], action: Action, outcome: Outcome, *, actor: Actor) -> None:
    with transaction.atomic():
        there = lock(case_pks=pks).cases
        cases = [there[pk] for pk in pks if pk in there]
        refused = [each for each in cases if each.archived_at and not action.takes_archived]
        taken = [each for each in cases if each not in refused]
        changed = action.work(taken, actor)
    outcome.changed += changed
    outcome.kept += len(taken) - len(changed)
    outcome.gone += len(pks) - len(cases)
    outcome.failed += [Failure(each.key, "Archived: unarchive it first.") for each in refused]


def _change_alone(pk: UUID, action: Action, outcome: Outcome, *, actor: Actor) -> None:
    try:
        _change([pk], action, outcome, actor=actor)
    except OperationalError:
        raise
    except Exception as error:
        log.exception("A bulk change raised", case=str(pk))
        key = Case.objects.filter(pk=pk).values_list("key", flat=True).first() or str(pk)
        reason = f"It failed: {type(error).__name__}. The log says more."
        outcome.failed.append(Failure(key, reason))


def change(said: CaseChange) -> Work:
    return lambda cases, actor: case_changes.change_cases(cases, said, actor=actor)


def set_due_date(day: date | None) -> Work:
    return lambda cases, actor: case_changes.set_due_dates(cases, day, actor=actor)


def archive(cases: Sequence[Case], actor: Actor) -> Sequence[Changed]:
    return case_changes.set_archived(cases, to=timezone.now(), actor=actor)


def unarchive(cases: Sequence[Case], actor: Actor) -> Sequence[Changed]:
    return case_changes.set_archived(cases, to=None, actor=actor)


def retry(cases: Sequence[Case], actor: Actor) -> Sequence[Changed]:
    """Have those tried again whose issue failed: created, looked for, or kept in step."""
    failed = {each.case_id: each for each in live_issues().filter(FAILED, case__in=cases)}
    waiting = [each.pk for each in failed.values() if each.state != State.CREATED]
    outbox.retry_all(waiting, actor=actor)
    tried = [case for case in cases if case.pk in failed]
    mark_due(tried)
    return [Changed(case, {}) for case in tried]
