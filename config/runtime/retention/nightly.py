"""Deleting old rows, a chunk in each transaction, and going on where it stopped.

Once a night (UTC) each kind is gone through, by the minute's task in stints that end well before
the queue's kill. How far it has come is in the row of the kind, which is the lock of it: two at
once go one after the other, and what is killed between two chunks goes on with the next.

Rows that have to stay though they are old, as the last decision of a finding, are looked at again
in a pass a week; on other nights only what has become old since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.lib.deadline import Deadline
from config.lib.isolation import run_each
from config.lib.retention import RowKind, Table, cutoff_of, days_kept, row_kinds
from config.lib.utc import midnight
from config.runtime.models import Retention

log = structlog.stdlib.get_logger(__name__)

STINT = 30.0  # seconds: the queue ends a task after 60
BEGINS_AT = 1  # o'clock, UTC
MAX_LOOKED_AT = 1_000_000  # rows of a kind in a night; the next one goes on
PASS = timedelta(days=7)
JUMP = timedelta(days=3)
"""What becomes old in one night is the rows of a day. More than this at once is looked at twice."""
MAX_PERCENT = 25
FEW = 1_000  # old rows: so many are nothing to hold


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would delete now."""

    kind: RowKind
    days: int
    old: int  # rows older than that
    going: int  # of these; the others have to stay


def night_of(now: datetime) -> date:
    """The night under way, or the last one."""
    return (now.astimezone(UTC) - timedelta(hours=BEGINS_AT)).date()


def next_night(now: datetime) -> datetime:
    return midnight(night_of(now) + timedelta(days=1)) + timedelta(hours=BEGINS_AT)


def delete_old_rows(
    now: datetime | None = None,
    *,
    seconds: float = STINT,
    only: Sequence[str] = (),
    is_forced: bool = False,
) -> bool:
    """Go on with the night; whether all that it has to do is done.

    A kind that fails does not stop the others. `is_forced` goes on with what was held, and begins
    anew with what is done.
    """
    now = now or timezone.now()
    if not is_forced and not is_anything_due(now):
        return True
    deadline = Deadline(seconds)
    kinds = [kind for kind in row_kinds() if not only or kind.name in only]
    unfinished: list[str] = []

    def work(kind: RowKind) -> None:
        if not _work(kind, now, deadline, is_forced=is_forced):
            unfinished.append(kind.name)

    run_each(kinds, work)
    return not unfinished


def is_anything_due(now: datetime) -> bool:
    """One statement, most minutes of the day the only one."""
    over = Q(is_done=True) | ~Q(held="")
    rows = Retention.objects.filter(over, night=night_of(now))
    return not {kind.name for kind in row_kinds()} <= set(rows.values_list("kind", flat=True))


def preview(now: datetime, *, only: Sequence[str] = ()) -> list[Preview]:
    """Two counts of each table."""
    found = []
    for kind in row_kinds():
        cutoff = _cutoff(kind, now)
        if cutoff is None or kind.task or (only and kind.name not in only):
            continue
        old = sum(table.old(cutoff).count() for table in kind.tables)
        if kind.count_old is not None:
            going = kind.count_old(cutoff)
        else:
            going = sum(table.old(cutoff).filter(table.may_go).count() for table in kind.tables)
        found.append(Preview(kind, days_kept(kind), old, going))
    return found


def _cutoff(kind: RowKind, now: datetime) -> datetime | None:
    """By whole days, so that it stays where it is all night."""
    return cutoff_of(kind, midnight(night_of(now)))


def _work(kind: RowKind, now: datetime, deadline: Deadline, *, is_forced: bool) -> bool:
    state = _begin(kind, now, is_forced=is_forced)
    if state.held or state.is_done:
        return True
    cutoff = _cutoff(kind, now)
    if cutoff is None or kind.task:
        _end(kind, None)
        return True
    while not deadline.is_over:
        if not _go_on(kind, cutoff):
            _end(kind, cutoff)
            return True
    return False


# --- One night of a kind --------------------------------------------------------------------


@transaction.atomic
def _begin(kind: RowKind, now: datetime, *, is_forced: bool) -> Retention:
    """The row of the kind, ready for this night. What is too much at once is held."""
    Retention.objects.bulk_create([Retention(kind=kind.name)], ignore_conflicts=True)
    state = Retention.objects.select_for_update().get(pk=kind.name)
    night = night_of(now)
    if state.night == night and not (is_forced and (state.held or state.is_done)):
        return state
    if state.began is None or abs(night - state.began) >= PASS or is_forced:
        state.began, state.cursors = night, {}
    state.night, state.deleted, state.looked_at, state.is_done = night, 0, 0, False
    cutoff = _cutoff(kind, now)
    is_checked = not (is_forced or cutoff is None or kind.task)
    state.held = _why_held(kind, state, cutoff) if is_checked and cutoff else ""
    state.save()
    if state.held:
        log.warning("Old rows are not deleted", kind=kind.name, reason=state.held)
    return state


def _why_held(kind: RowKind, state: Retention, cutoff: datetime) -> str:
    """Why a person has to agree first, or ""."""
    if state.cutoff is not None and cutoff - state.cutoff <= JUMP:
        return ""
    total = sum(table.rows().count() for table in kind.tables)
    old = sum(table.old(cutoff).count() for table in kind.tables)
    if old <= FEW or old * 100 <= total * MAX_PERCENT:
        return ""
    return f"{old:,} of {total:,} rows would be too old at once."


def _go_on(kind: RowKind, cutoff: datetime) -> bool:
    """The next chunk; False where there is none, or the night has looked at enough."""
    with transaction.atomic():
        state = Retention.objects.select_for_update().get(pk=kind.name)
        if state.is_done or state.looked_at >= MAX_LOOKED_AT:
            return False
        if kind.delete_some is not None:
            looked_at, deleted, cursor = kind.delete_some(cutoff, state.cursors.get(kind.name))
            state.cursors[kind.name] = cursor
        else:
            looked_at, deleted = _delete_some(kind, state, cutoff)
        state.looked_at += looked_at
        state.deleted += deleted
        state.save(update_fields=("looked_at", "deleted", "cursors"))
    return looked_at > 0


def _delete_some(kind: RowKind, state: Retention, cutoff: datetime) -> tuple[int, int]:
    """Rows looked at and deleted, of the first table that has any more."""
    for table in kind.tables:
        name = table.model._meta.label_lower
        rows = _chunk(table, state.cursors.get(name), cutoff, kind.chunk)
        if not rows:
            continue
        old = [pk for pk, age in rows if age is not None and age < cutoff]
        if not old and not _is_any_old_after(table, rows[-1][0], cutoff):
            continue
        state.cursors[name] = _cursor(table, rows[-1])
        return len(rows), _delete(table, old)
    return 0, 0


def _chunk(
    table: Table, cursor: Sequence[Any] | None, cutoff: datetime, size: int
) -> list[tuple[Any, datetime | None]]:
    rows = table.rows()
    if not table.by_age:
        after = rows.filter(pk__gt=cursor[0]) if cursor else rows
        return list(after.order_by("pk").values_list("pk", table.age)[:size])
    rows = table.old(cutoff)
    if cursor:
        pk, age = cursor[0], parse_datetime(cursor[1])
        later = Q((f"{table.age}__gt", age)) | Q(pk__gt=pk)
        rows = rows.filter(later, **{f"{table.age}__gte": age})
    return list(rows.order_by(table.age, "pk").values_list("pk", table.age)[:size])


def _is_any_old_after(table: Table, pk: Any, cutoff: datetime) -> bool:
    """A clock that went wrong for a while leaves rows that look young before those that are old."""
    return not table.by_age and table.old(cutoff).filter(pk__gt=pk).exists()


def _cursor(table: Table, last: tuple[Any, datetime | None]) -> list[Any]:
    pk, age = last
    return [str(pk), age.isoformat()] if table.by_age and age else [pk]


def _delete(table: Table, pks: Sequence[Any]) -> int:
    """Those that nothing is promised by, and that nobody holds: another night takes them."""
    going = table.rows().filter(table.may_go, pk__in=pks).order_by("pk")
    locked = list(
        going.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
    )
    if locked:
        if table.before_delete is not None:
            table.before_delete(locked)
        table.rows().filter(pk__in=locked).delete()
    return len(locked)


@transaction.atomic
def _end(kind: RowKind, cutoff: datetime | None) -> None:
    """The night of the kind is over: keep what the page shows."""
    state = Retention.objects.select_for_update().get(pk=kind.name)
    if state.is_done:
        return
    state.is_done, state.finished_at, state.cutoff = True, timezone.now(), cutoff
    found = [
        table.rows().aggregate(rows=Count(table.age), oldest=Min(table.age))
        for table in kind.tables
    ]
    state.rows = sum(each["rows"] for each in found)  # without those that have no age yet
    ages = [each["oldest"] for each in found if each["oldest"] is not None]
    # One that is still to come is the end of the first, as of a session.
    state.oldest = min((age for age in ages if age <= state.finished_at), default=None)
    state.save()
    if state.deleted:
        log.info("Old rows were deleted", kind=kind.name, rows=state.deleted)
        if kind.at_end is not None:
            kind.at_end(state.deleted)
