"""What happened to findings: rows of their timeline, the audit log, and news on commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.dispatch import Signal

from config.accounts.access import Actor, key_name
from config.accounts.audit.events import record_event
from config.accounts.models import User
from config.lib.rows import writer
from findings.models import Finding, FindingEvent
from findings.rule_state import RuleActor
from findings.signals import findings_changed


class Event(NamedTuple):
    """A row of FindingEvent before it is one."""

    finding_id: int
    kind: str
    before: str
    after: str
    note: str = ""
    rule_id: str = ""
    rule_name: str = ""

    def by(self, rule: RuleActor | None) -> Event:
        return self._replace(rule_id=rule.id, rule_name=rule.name) if rule else self


def actor_json(actor: Actor) -> dict[str, Any] | None:
    return {"id": str(actor.id), "name": actor.name} if actor else None


def record_events(events: Sequence[Event], *, actor: Actor, now: datetime, note: str = "") -> int:
    """Write what somebody did and send the news on commit; the number of events."""
    if events:
        write_and_record(events, actor=actor, now=now, note=note)
        send_on_commit(findings_changed)
    return len(events)


def write_and_record(events: Sequence[Event], *, actor: Actor, now: datetime, note: str) -> None:
    """The events of each finding, and what a person or a key did in the audit log."""
    write_events([event._replace(note=note) for event in events], actor=actor, now=now)
    if events and actor is not None:
        _record(events, actor=actor, note=note)


def _record(events: Sequence[Event], *, actor: Actor, note: str) -> None:
    """One entry in the audit log for the whole act; each finding has its own events."""
    first = events[0]
    details = {"now": first.after, "note": note, "findings": [e.finding_id for e in events[:20]]}
    action = FindingEvent.Kind(first.kind).label.lower()
    record_event("finding", action, actor=actor, count=len(events), details=details)


def write_events(events: Sequence[Event], *, actor: Actor = None, now: datetime) -> None:
    """Without an actor, and without a rule in the event, it was the system."""
    if events:
        columns = (*Event._fields, "actor_id", "key_name", "created_at")
        actor_id = actor.pk if isinstance(actor, User) else None
        by = (actor_id, key_name(actor), now)
        writer().insert(FindingEvent, columns, [(*event, *by) for event in events])


def send_on_commit(signal: Signal) -> None:
    """News is only a wake-up: a receiver that fails must not fail what is already true."""

    def send() -> None:  # not a partial: Django logs a failure by the function's name
        signal.send(sender=Finding)

    transaction.on_commit(send, robust=True)
