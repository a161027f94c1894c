"""Each change of a model that keeps a history is an event of the audit log, too.

The history keeps whole rows, for showing how something was; the log says what changed, in the
one chain with everything else that people do.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import post_create_historical_record

from config.accounts.audit.chain import link_waiting, locked_head
from config.accounts.audit.changes import VERBS, changes, historical_models, name_of, slug
from config.accounts.audit.events import Key, Object, event, write
from config.accounts.models import AuditEvent, AuditHead, User

CHUNK = 500
_KEY_PREFIX = "API key "  # see config.accounts.history.name_the_key


@receiver(post_create_historical_record)
def record_change(instance: Any, history_instance: Any, **_: object) -> None:
    row = history_instance
    before = None
    if row.history_type == "~":
        earlier = type(row).objects.filter(id=row.id, history_id__lt=row.history_id)
        before = earlier.order_by("-history_id").first()
    api_actor = getattr(getattr(HistoricalRecords.context, "request", None), "actor", None)
    reason = getattr(instance, "_change_reason", None) or ""
    actor = row.history_user
    if actor is None and (row.history_change_reason or "").startswith(_KEY_PREFIX):
        actor = api_actor
    made = _event(slug(type(row)), row, before, actor=actor, reason=reason)
    if made is not None:
        write(made)


def _event(
    category: str, row: Any, before: Any, *, actor: User | Key | None, reason: str
) -> AuditEvent | None:
    """None for a save that changed nothing which the history keeps."""
    changed = changes(row, before) if before else ()
    if row.history_type == "~" and not changed and not reason:
        return None
    details = {"reason": reason} if reason else {}
    return event(
        category,
        VERBS[row.history_type],
        actor=actor,
        on=Object(str(row.id), name_of(row)),
        details=details | ({"changes": [list(each) for each in changed]} if changed else {}),
        at=row.history_date,
        origin=f"{category}:{row.history_id}",
    )


# --- What was there before the log kept its own rows ------------------------------------------


class _Past(NamedTuple):
    at: datetime
    category: str
    history_id: int
    row: Any


def import_history() -> int:
    """Make an event of each row of the histories, oldest first; the number of new events.

    It is done once, at the first start with this log. Stopped in the middle it begins again
    from the start and finds what it did: an event names the row that it came from.
    """
    if AuditHead.objects.filter(is_history_imported=True).exists():
        return 0
    made = 0
    past = heapq.merge(*(_rows(*each) for each in historical_models().items()))
    while chunk := list(islice(past, CHUNK)):
        made += _import(chunk)
    with transaction.atomic():
        head = locked_head()
        head.is_history_imported = True
        head.save(update_fields=("is_history_imported",))
    return made


def _rows(category: str, model: Any) -> Iterator[_Past]:
    earlier = model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    before = earlier.order_by("-history_id").values("history_id")[:1]
    rows = model.objects.select_related("history_user").annotate(before_id=Subquery(before))
    for row in rows.order_by("history_date", "history_id").iterator(chunk_size=CHUNK):
        yield _Past(row.history_date, category, row.history_id, row)


def _import(chunk: Iterable[_Past]) -> int:
    past = list(chunk)
    before = _rows_before(past)
    made = [
        made
        for each in past
        if (
            made := _event(
                each.category,
                each.row,
                before.get((each.category, each.row.before_id)),
                actor=each.row.history_user or _key_of(each.row),
                reason=_reason_of(each.row),
            )
        )
    ]
    origins = [row.origin for row in made]
    there = AuditEvent.objects.filter(origin__in=origins).values_list("origin", flat=True)
    known = set(there)
    fresh = [row for row in made if row.origin not in known]
    AuditEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    link_waiting()
    return len(fresh)


def _rows_before(past: Iterable[_Past]) -> Mapping[tuple[str, int], Any]:
    found: dict[tuple[str, int], Any] = {}
    for category, model in historical_models().items():
        wanted = [each.row.before_id for each in past if each.category == category]
        rows = model.objects.in_bulk([pk for pk in wanted if pk])
        found |= {(category, history_id): row for history_id, row in rows.items()}
    return found


class _KeyThatWas(NamedTuple):
    """The history kept the name of a key, not which one it was."""

    id: Any
    name: str


def _key_of(row: Any) -> _KeyThatWas | None:
    text = row.history_change_reason or ""
    if not text.startswith(_KEY_PREFIX):
        return None
    return _KeyThatWas("", text.removeprefix(_KEY_PREFIX).partition(": ")[0])


def _reason_of(row: Any) -> str:
    text = row.history_change_reason or ""
    return text.partition(": ")[2] if text.startswith(_KEY_PREFIX) else text
