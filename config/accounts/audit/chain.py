"""The chain: each row carries the hash of the one before, and a row apart carries its ends.

A hash is an HMAC with a key that is encrypted with ENCRYPTION_KEYS. So who can write to the
database, but has not those, can neither change nor remove a row without being found out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from config.accounts.models import AuditEvent, AuditHead

CHUNK = 1_000
LATE = timedelta(minutes=10)
_CONTENT = (
    *("category", "action", "actor_type", "actor_id", "actor_name", "address", "request_id"),
    *("object_id", "object_name", "count", "details", "origin"),
)


class ChainError(Exception):
    """The chain does not hold; `str(error)` says where and how."""


class Checked(NamedTuple):
    """A chain that holds."""

    rows: int
    first: int  # position
    head: str  # "position:hash", to be kept elsewhere
    waiting: int  # rows that should be in it by now and are not


# --- Linking --------------------------------------------------------------------------------


def link_waiting() -> None:
    """Put into the chain what is not there yet, in the order in which it was written."""
    while _link_some() == CHUNK:
        pass


@transaction.atomic
def _link_some() -> int:
    if not AuditEvent.objects.filter(position=None).exists():
        return 0
    head = locked_head()
    rows = list(AuditEvent.objects.filter(position=None).order_by("id")[:CHUNK])
    for row in rows:
        row.position, row.previous_hash = head.position + 1, head.hash
        row.hash = _hash(head.key, row)
        head.position, head.hash = row.position, row.hash
    AuditEvent.objects.bulk_update(rows, ("position", "previous_hash", "hash"), batch_size=100)
    _store(head)
    return len(rows)


def locked_head() -> AuditHead:
    """The one row that all who link or prune wait for; made when the log begins."""
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        if AuditEvent.objects.exclude(position=None).exists():
            raise ChainError("The head of the chain is gone, while its rows are there.")
        fresh = AuditHead(pk=1, key=secrets.token_urlsafe(32))
        fresh.seal = _seal(fresh)
        AuditHead.objects.bulk_create([fresh], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(pk=1)
    if not head.key:
        raise ChainError("None of the ENCRYPTION_KEYS reads the key of the chain.")
    return head


def _store(head: AuditHead) -> None:
    head.seal = _seal(head)
    head.save(
        update_fields=("position", "hash", "pruned_position", "pruned_hash", "seal"),
    )


def _hash(key: str, row: AuditEvent) -> str:
    content = {name: getattr(row, name) for name in _CONTENT}
    content |= {"at": row.at.astimezone(UTC).isoformat(), "position": row.position}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return _hmac(key, f"{row.previous_hash}\n{text}")


def _seal(head: AuditHead) -> str:
    ends = (head.position, head.hash, head.pruned_position, head.pruned_hash)
    return _hmac(head.key, "\n".join(map(str, ends)))


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


# --- Checking -------------------------------------------------------------------------------


def check(*, known: str = "") -> Checked:
    """Go through the whole chain. Raises ChainError that names the first row that is wrong.

    `known` is a head that was noted before, as "position:hash": it must still be in the chain
    (or have been pruned), so even a database that was put back as a whole is found out.
    """
    while True:
        newest = AuditEvent.objects.aggregate(last=Max("position"))["last"] or 0
        head = AuditHead.objects.filter(pk=1).first()  # after it: rows are added all the time
        if head and newest > head.position:
            raise ChainError(f"Row {head.position + 1} is behind the head of the chain.")
        try:
            return _check(head, known)
        except ChainError:
            again = AuditHead.objects.filter(pk=1).first()
            if head is None or again is None or again.pruned_position == head.pruned_position:
                raise
            # Its beginning was pruned while it was read: once more, from where it begins now.


def _check(head: AuditHead | None, known: str) -> Checked:
    waiting = AuditEvent.objects.filter(position=None, at__lt=timezone.now() - LATE).count()
    if head is None:
        if AuditEvent.objects.exclude(position=None).exists():
            raise ChainError("The head of the chain is gone, while its rows are there.")
        head = AuditHead(key="none")
    elif not head.key:
        raise ChainError("None of the ENCRYPTION_KEYS reads the key of the chain.")
    elif not hmac.compare_digest(head.seal, _seal(head)):
        raise ChainError("The head of the chain was changed by something else than this program.")
    noted = _noted(known)
    position, last = head.pruned_position, head.pruned_hash
    _compare(noted, position, last)
    for row in _rows_between(position, head.position):
        position += 1
        _check_row(head.key, row, position, last)
        last = row.hash
        _compare(noted, position, last)
    if position != head.position or last != head.hash:
        raise ChainError(f"Rows {position + 1} to {head.position} are missing at the end.")
    if noted and noted[0] > position:
        raise ChainError(f"The log ends at row {position}, but row {noted[0]} was noted.")
    rows = head.position - head.pruned_position
    return Checked(rows, head.pruned_position + 1, f"{head.position}:{head.hash}", waiting)


def _compare(noted: tuple[int, str] | None, position: int, found: str) -> None:
    if noted and noted[0] == position and noted[1] != found:
        raise ChainError(f"Row {position} is not the one that was noted.")


def _check_row(key: str, row: AuditEvent, position: int, last: str) -> None:
    if row.position != position:
        raise ChainError(f"Row {position} is missing.")
    if row.previous_hash != last:
        raise ChainError(f"Row {position} does not follow from the row before it.")
    if not hmac.compare_digest(row.hash, _hash(key, row)):
        raise ChainError(f"Row {position} (id {row.pk}) was changed.")


def _rows_between(after: int, last: int) -> Iterator[AuditEvent]:
    while rows := AuditEvent.objects.filter(position__gt=after, position__lte=last).order_by(
        "position"
    )[:CHUNK]:
        yield from rows
        after = rows[len(rows) - 1].position or last


def _noted(known: str) -> tuple[int, str] | None:
    if not known:
        return None
    position, _, noted_hash = known.partition(":")
    if not position.isascii() or not position.isdigit():
        raise ChainError(f"{known} is not a head: write it as it was shown, 123:abc…")
    return int(position), noted_hash


# --- Retention ------------------------------------------------------------------------------


@transaction.atomic
def prune_some(before: datetime) -> int:
    """Delete the oldest rows of the chain, up to the first that is to be kept: how many.

    What is left stays checkable: the head keeps the hash of the last row that went.
    """
    if not AuditEvent.objects.filter(at__lt=before).exclude(position=None).exists():
        return 0
    head = locked_head()
    old = []
    for row in AuditEvent.objects.exclude(position=None).order_by("position")[:CHUNK]:
        if row.at >= before:
            break
        old.append(row)
    if not old:
        return 0
    if connection.vendor == "postgresql":  # its trigger lets nobody else delete
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('findings.audit_pruning', 'on', true)")
    AuditEvent.objects.filter(pk__in=[row.pk for row in old]).delete()
    head.pruned_position, head.pruned_hash = old[-1].position or 0, old[-1].hash
    _store(head)
    return len(old)
