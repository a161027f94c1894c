"""What people put into the Security Inbox and take out of it: no rule undoes that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from config.lib.rows import writer
from findings.events import Event, actor_json, write_and_record
from findings.facts import GONE_STATUSES
from findings.models import Finding, FindingEvent, InboxChoice
from findings.recording.rows import as_json
from findings.services import lock
from findings.workflow import with_inbox, without_inbox


def choose(pks: Iterable[int], *, choice: InboxChoice, actor: Actor) -> int:
    """Put findings in, or take them out; the number for which that was not chosen before."""
    is_in = choice == InboxChoice.ADDED
    return add_to_inbox(pks, actor=actor) if is_in else remove_from_inbox(pks, actor=actor)


@transaction.atomic
def add_to_inbox(pks: Iterable[int], *, actor: Actor) -> int:
    """They stay in until a person takes them out. Closed ones stay as they are."""
    now = timezone.now()
    findings = _without_choice(pks, InboxChoice.ADDED)
    _store(
        [(f, with_inbox(f.workflow, actor_json(actor), now, None)) for f in findings], is_in=True
    )
    return _record_inbox_events(findings, FindingEvent.Kind.INBOX_ADDED, actor, now)


@transaction.atomic
def remove_from_inbox(pks: Iterable[int], *, actor: Actor) -> int:
    """No rule puts them in again; a person may. Closed ones stay as they are."""
    findings = _without_choice(pks, InboxChoice.REMOVED)
    _store([(f, without_inbox(f.workflow)) for f in findings], is_in=False)
    return _record_inbox_events(findings, FindingEvent.Kind.INBOX_REMOVED, actor, timezone.now())


def _without_choice(pks: Iterable[int], choice: InboxChoice) -> list[Finding]:
    here = (finding for finding in lock(pks) if finding.status not in GONE_STATUSES)
    return [finding for finding in here if finding.inbox_choice != choice]


def _store(changes: Sequence[tuple[Finding, dict[str, Any]]], *, is_in: bool) -> None:
    columns = ("workflow", "is_in_inbox", "inbox_choice", "inbox_rule_id")
    choice = InboxChoice.ADDED if is_in else InboxChoice.REMOVED
    rows = [(f.pk, as_json(workflow), is_in, choice.value, "") for f, workflow in changes]
    if rows:
        writer().update(Finding, columns, rows)


def _record_inbox_events(
    findings: Sequence[Finding], kind: str, actor: Actor, now: datetime
) -> int:
    """No news: the status is as it was."""
    events = [Event(finding.pk, kind, "", "") for finding in findings]
    write_and_record(events, actor=actor, now=now, note="")
    return len(events)
