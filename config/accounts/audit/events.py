"""One row for each act worth an auditor's time. Written with the act, in its transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from config.accounts.audit.chain import link_waiting
from config.accounts.models import AuditEvent, User
from config.lib.request_context import current_request

log = structlog.stdlib.get_logger(__name__)

MAX_TEXT = 1_000
"""Characters of one text in the details; what is longer is cut."""

_is_part: ContextVar[bool] = ContextVar("is_part_of_recorded_act", default=False)


class Key(Protocol):
    """An API key, as it asks or as a row."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


class Object(NamedTuple):
    """What something was done to; the name is kept for when it is gone."""

    id: str
    name: str


_NOTHING = Object("", "")


def record_event(
    category: str,
    action: str,
    *,
    actor: User | Key | None = None,
    on: Object = _NOTHING,
    count: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record that somebody did something: `record_event("finding", "muted", actor=…, count=3)`.

    Without an `actor` it is whoever asks, and the system where nobody does. `details` hold
    texts, numbers, lists and mappings; never a payload, a secret, or what was typed into a
    field that may by mistake hold one.
    """
    if _is_part.get():
        return
    context = current_request()
    write(
        event(
            category,
            action,
            actor=actor or (context.actor if context else None),
            on=on,
            count=count,
            details=details,
        )
    )


def event(
    category: str,
    action: str,
    *,
    actor: User | Key | None,
    on: Object = _NOTHING,
    count: int | None = None,
    details: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    origin: str | None = None,
) -> AuditEvent:
    """The row, not yet written; with the address and the id of the request, if there is one."""
    context = current_request()
    kinds = AuditEvent.Actor
    kind = kinds.SYSTEM if actor is None else kinds.PERSON if _is_person(actor) else kinds.KEY
    return AuditEvent(
        at=at or timezone.now(),
        category=category,
        action=action,
        actor_type=kind,
        actor_id=str(actor.id) if actor else "",
        actor_name=clean(actor.name if actor else "")[:120],
        address=context.address if context else "",
        request_id=context.request_id if context else "",
        object_id=clean(on.id)[:64],
        object_name=clean(on.name)[:200],
        count=count,
        details=clean(dict(details or {})),
        origin=origin,
    )


def write(row: AuditEvent) -> None:
    """Insert it, and link it into the chain as soon as the transaction has ended.

    Not before: the head of the chain is one row, and a lock on it that lasted as long as its
    holder's transaction would have all who are audited wait for one another.
    """
    row.save(force_insert=True)
    log.debug("Recorded an audit event", category=row.category, action=row.action, id=row.pk)
    if not any(waiting[1] is link_waiting for waiting in connection.run_on_commit):
        transaction.on_commit(link_waiting, robust=True)


@contextmanager
def part_of_recorded_act() -> Iterator[None]:
    """Within it nothing is recorded: it is the work of an act that has an event of its own."""
    token = _is_part.set(True)
    try:
        yield
    finally:
        _is_part.reset(token)


def clean(value: Any) -> Any:
    """The same as every database keeps it, so that its hash is the same when it is read again."""
    match value:
        case str():
            text = value.replace("\0", "").encode("utf-8", "replace").decode()
            return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
        case None | bool() | int():
            return value
        case Mapping():
            return {clean(str(name)): clean(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(each) for each in value]
    return clean(str(value))


def _is_person(actor: object) -> bool:
    return isinstance(actor, User)
