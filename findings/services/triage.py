"""What people do with findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from config.accounts.models import User
from config.lib.rows import writer
from config.lib.utc import epoch_ms
from findings.evaluations import request_recheck
from findings.events import Event, actor_json, record_events, send_on_commit, write_and_record
from findings.facts import GONE_STATUSES, Status
from findings.models import Finding, FindingEvent
from findings.recording.rows import as_json
from findings.services.locks import lock
from findings.services.mutes import Mute, remove_due_dates, store_ended_mutes, store_mutes
from findings.services.opening import open_again
from findings.signals import findings_changed, findings_recorded
from findings.workflow import NOT_MUTED, Workflow, with_mute


@transaction.atomic
def change_status(pks: Iterable[int], *, status: Status, actor: Actor) -> int:
    """Set findings open, in progress, resolved or auto-closed; the number that changed.

    A gone finding that opens again is evaluated again like one that a source reports again;
    a muted one loses its mute. Muting has its own function, because it takes a reason.
    """
    if status == Status.MUTED:
        raise ValueError("a finding is muted by mute()")
    now = timezone.now()
    findings = [finding for finding in lock(pks) if finding.status != status]
    gone = [finding.pk for finding in findings if finding.status in GONE_STATUSES]
    here = [finding.pk for finding in findings if finding.status not in GONE_STATUSES]
    if status.is_gone:
        Finding.objects.filter(pk__in=gone).update(status=status)
        Finding.objects.filter(pk__in=here).update(
            status=status,
            resolved_at=now,
            detection_changed_at=now,
        )
        remove_due_dates([finding for finding in findings if finding.due_at])
    else:
        open_again(gone, status=status, now=now)
        Finding.objects.filter(pk__in=here).update(status=status)
        request_recheck(here, now=now)
        if gone:
            send_on_commit(findings_recorded)
    store_ended_mutes(findings, NOT_MUTED, is_lifted=actor is not None and not status.is_gone)
    events = [Event(f.pk, FindingEvent.Kind.STATUS, f.status, status) for f in findings]
    return record_events(events, actor=actor, now=now)


@transaction.atomic
def mute(
    pks: Iterable[int],
    *,
    reason: str,
    description: str = "",
    until: datetime | None = None,
    actor: Actor,
) -> int:
    """Silence findings, for ever or `until`; the number muted. Gone ones stay as they are.

    No rule ends it: one that a rule had muted is a person's from now on.
    """
    now = timezone.now()
    findings = [finding for finding in lock(pks) if finding.status not in GONE_STATUSES]
    details = {
        "is_muted": True,
        "reason": reason,
        "description": description,
        "expire_at": epoch_ms(until) if until else None,
        "muted_at": epoch_ms(now),
        "muted_by": actor_json(actor),
    }
    store_mutes([Mute(f, with_mute(f.workflow, details), until) for f in findings])
    Finding.objects.filter(pk__in=[f.pk for f in findings]).update(status=Status.MUTED)
    events = [Event(f.pk, FindingEvent.Kind.MUTED, f.status, reason) for f in findings]
    return record_events(events, actor=actor, now=now, note=description)


@transaction.atomic
def unmute(pks: Iterable[int], *, reason: str = "", description: str = "", actor: Actor) -> int:
    """Open muted findings again; the number that were muted. They are not evaluated again.

    A mute of a rule is lifted by it: no rule mutes the finding again, until a person mutes it
    or it is reported anew after it was gone.
    """
    muted = [finding for finding in lock(pks) if finding.status == Status.MUTED]
    details = {"reason": reason, "description": description} if reason else {}
    if muted:
        send_on_commit(findings_changed)
    return end_mutes(muted, {**NOT_MUTED, **details}, actor=actor, note=description)


def end_mutes(findings: Sequence[Finding], details: Workflow, *, actor: Actor, note: str) -> int:
    """Open (locked) muted findings; their number. Who calls it sends the news."""
    now = timezone.now()
    store_ended_mutes(findings, details, is_lifted=actor is not None)
    pks = [f.pk for f in findings]
    Finding.objects.filter(pk__in=pks).update(status=Status.OPEN)
    request_recheck(pks, now=now)  # it may get a due date again
    events = [Event(f.pk, FindingEvent.Kind.UNMUTED, f.status, Status.OPEN) for f in findings]
    write_and_record(events, actor=actor, now=now, note=note)
    return len(findings)


@transaction.atomic
def assign(pks: Iterable[int], *, assignee: User | None, actor: Actor) -> int:
    """Give findings to a person, or to nobody; the number of findings."""
    now = timezone.now()
    person = actor_json(assignee)
    if person is not None:
        person |= {"updated_at": epoch_ms(now), "updated_by": actor_json(actor)}
    findings = lock(pks)
    before = {f.pk: f.workflow.get("triage", {}).get("assignee") or {} for f in findings}
    rows = [(f.pk, as_json(f.workflow | {"triage": {"assignee": person}})) for f in findings]
    if rows:
        writer().update(Finding, ("workflow",), rows)
    after = assignee.name if assignee else ""
    events = [
        Event(f.pk, FindingEvent.Kind.ASSIGNED, before[f.pk].get("name", ""), after)
        for f in findings
    ]
    return record_events(events, actor=actor, now=now)
