"""All writes to findings. Each function is one transaction and costs a constant number of
statements, however many findings it is given; news goes out on commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.dispatch import Signal
from django.utils import timezone

from config.accounts.access import Actor, key_name
from config.accounts.models import User
from config.lib.rows import writer
from findings.facts import GONE_STATUSES, Facts, Status, Ticket
from findings.formats.normalised import Normalised
from findings.models import Finding, FindingEvent, SavedView, Scope, Source
from findings.recording.rows import NEW, SAID, Known, Report, as_json, new_row, report_of, said_row
from findings.selectors import unevaluated
from findings.signals import findings_changed, findings_recorded

_NOT_MUTED: dict[str, Any] = {"is_muted": False}


class Recorded(NamedTuple):
    new: int = 0
    seen_again: int = 0
    reopened: int = 0


class Claimed(NamedTuple):
    pk: int
    unevaluated_since: datetime
    facts: Facts


class TicketUpdate(NamedTuple):
    """The ticket of a finding as it is from now on; `workflow` replaces the whole group."""

    pk: int
    ticket: str
    ticket_key: str
    ticket_status: str
    ticket_rule_id: UUID | None
    workflow: Mapping[str, Any]


class Event(NamedTuple):
    """A row of FindingEvent before it is one."""

    finding_id: int
    kind: str
    before: str
    after: str


# --- What sources report ------------------------------------------------------------------


def record(
    batch: Sequence[Normalised],
    *,
    source: Source,
    scope: Scope | None = None,
    now: datetime | None = None,
) -> Recorded:
    """Take in what `source` reports: each finding is new, seen again, or open again.

    A finding belongs to the scope that reported it last; to none if it was sent by itself.
    Of one fingerprint twice in a batch the last wins and the others count as seen again.
    """
    now = now or timezone.now()
    scope_id = scope.pk if scope else None
    reported = {finding.fingerprint: report_of(finding, scope_id) for finding in batch}
    if not reported:
        return Recorded()
    with transaction.atomic():
        # The source's row is the lock under which its findings are recorded: two batches with
        # the same findings wait for each other instead of deadlocking or counting twice. So a
        # fingerprint that is not known now is surely new, and COPY straight into the table is
        # safe; the price is one batch at a time for each source.
        Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        known = _lock_known(source, reported)
        new = [report for fingerprint, report in reported.items() if fingerprint not in known]
        _insert(new, source=source, now=now)
        reopened = _see_again([(row, reported[row.fingerprint]) for row in known.values()], now)
        if new or reopened:
            _on_commit(findings_recorded)
        if reopened:
            _on_commit(findings_changed)
    return Recorded(len(new), len(batch) - len(new) - reopened, reopened)


def _lock_known(source: Source, fingerprints: Iterable[str]) -> dict[str, Known]:
    rows = (
        Finding.objects.filter(source=source, fingerprint__in=list(fingerprints))
        .order_by("pk")  # whoever locks findings locks them in this order
        .select_for_update(no_key=True)
        .values_list(*Known._fields)
    )
    return {known.fingerprint: known for known in map(Known._make, rows)}


def _insert(reports: Sequence[Report], *, source: Source, now: datetime) -> None:
    if reports:
        rows = (
            new_row(report, source_id=source.pk, source_name=source.name, now=now)
            for report in reports
        )
        writer().insert(Finding, NEW, rows)


def _see_again(pairs: Sequence[tuple[Known, Report]], now: datetime) -> int:
    """Update known findings with what is now said of them; the number that opened again."""
    same = [row.pk for row, report in pairs if row.digest == report.digest]
    if same:
        Finding.objects.filter(pk__in=same).update(
            last_seen_at=Greatest(F("last_seen_at"), Value(now)), scope=pairs[0][1].scope_id
        )  # all of one batch are of one scope
    different = [
        (
            row.pk,
            *said_row(
                report,
                first_seen_at=row.first_seen_at,
                last_seen_at=max(row.last_seen_at, now),
                overridden=row.severity if row.base_severity else "",
            ),
        )
        for row, report in pairs
        if row.digest != report.digest
    ]
    if different:
        writer().update(Finding, SAID, different)
    worse_or_better = [
        Event(row.pk, _severity_news(row), row.source_severity, report.finding.severity)
        for row, report in pairs
        if row.source_severity != report.finding.severity
    ]
    if worse_or_better:
        changed = [event.finding_id for event in worse_or_better]
        Finding.objects.filter(pk__in=changed).update(detection_changed_at=now)
    back = [
        Event(row.pk, FindingEvent.Kind.REOPENED, row.status, Status.OPEN)
        for row, _ in pairs
        if row.status in GONE_STATUSES
    ]
    _open_again([event.finding_id for event in back], now=now)
    _write_events([*worse_or_better, *back], actor=None, now=now)
    return len(back)


def _severity_news(row: Known) -> str:
    kinds = FindingEvent.Kind
    return kinds.REPORTED if row.base_severity else kinds.SEVERITY


def _open_again(pks: Sequence[int], *, status: Status = Status.OPEN, now: datetime) -> None:
    """Gone findings ask for work again: evaluated anew unless a case follows them already.

    One that was never evaluated still is, case or not: every finding gets its decision.
    """
    if not pks:
        return
    was_over_limit = Q(ticket=Ticket.OVER_LIMIT)
    has_case = Q(ticket__in=[ticket for ticket in Ticket if ticket.is_attached])
    # Each evaluation of a finding has a time of its own, even where a clock goes back: of two
    # decisions for one time the database refuses the second, and with it all beside it.
    later = Greatest(Value(now), F("opened_at") + timedelta(microseconds=1))
    Finding.objects.filter(pk__in=pks).update(
        status=status,
        opened_at=later,
        detection_changed_at=now,
        resolved_at=None,
        unevaluated_since=Case(
            When(has_case, unevaluated_since=None, then=None),
            default=later,
        ),
        ticket=Case(When(was_over_limit, then=Value(Ticket.NONE)), default=F("ticket")),
        ticket_rule_id=Case(When(was_over_limit, then=None), default=F("ticket_rule_id")),
    )


# --- What the pipeline does ---------------------------------------------------------------


def claim_unevaluated(*, limit: int) -> list[Claimed]:
    """The findings that wait longest for a decision, locked until the transaction ends.

    Several workers never get the same finding: PostgreSQL skips what another one holds, and
    SQLite's immediate transactions run one after another. Call inside a transaction.
    """
    rows = (
        unevaluated()
        .order_by("unevaluated_since", "pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", "unevaluated_since", *Facts._fields)[:limit]
    )
    return [Claimed(row[0], row[1], Facts._make(row[2:])) for row in rows]


def settle_evaluated(pks: Iterable[int]) -> None:
    """These findings have their decision."""
    Finding.objects.filter(pk__in=list(pks)).update(unevaluated_since=None)


def store_tickets(updates: Sequence[TicketUpdate]) -> None:
    """Keep on each finding what became of its ticket. The caller holds the rows' lock."""
    if updates:
        writer().update(
            Finding,
            TicketUpdate._fields[1:],
            [(*update[:-1], as_json(update.workflow)) for update in updates],
        )


def lock(pks: Iterable[int]) -> list[Finding]:
    """The findings, locked until the transaction ends, in the one order that avoids deadlock."""
    return list(
        Finding.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update(no_key=True)
    )


# --- What people do -----------------------------------------------------------------------


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
    else:
        _open_again(gone, status=status, now=now)
        Finding.objects.filter(pk__in=here).update(status=status)
        if gone:
            _on_commit(findings_recorded)
    _store_mutes([f for f in findings if f.status == Status.MUTED], _NOT_MUTED, until=None)
    events = [Event(f.pk, FindingEvent.Kind.STATUS, f.status, status) for f in findings]
    return tell(events, actor=actor, now=now)


@transaction.atomic
def mute(
    pks: Iterable[int],
    *,
    reason: str,
    description: str = "",
    until: datetime | None = None,
    actor: Actor,
) -> int:
    """Silence findings, for ever or `until`; the number muted. Gone ones stay as they are."""
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
    _store_mutes(findings, details, until=until)
    Finding.objects.filter(pk__in=[f.pk for f in findings]).update(status=Status.MUTED)
    events = [Event(f.pk, FindingEvent.Kind.MUTED, f.status, reason) for f in findings]
    return tell(events, actor=actor, now=now, note=description)


@transaction.atomic
def unmute(pks: Iterable[int], *, reason: str = "", description: str = "", actor: Actor) -> int:
    """Open muted findings again; the number that were muted. They are not evaluated again."""
    muted = [finding for finding in lock(pks) if finding.status == Status.MUTED]
    details = {"reason": reason, "description": description} if reason else {}
    return _unmute(muted, _NOT_MUTED | details, actor=actor, note=description)


@transaction.atomic
def wake_muted(now: datetime) -> int:
    """Open the findings whose mute has ended; their number."""
    due = Finding.objects.filter(status=Status.MUTED, muted_until__lte=now)
    # Looked at again under the lock: a person may have muted one anew meanwhile.
    findings = [
        finding
        for finding in lock(due.values_list("pk", flat=True))
        if finding.muted_until is not None and finding.muted_until <= now
    ]
    return _unmute(findings, _NOT_MUTED, actor=None, note="The mute ended.")


def _unmute(
    findings: Sequence[Finding], details: Mapping[str, Any], *, actor: Actor, note: str
) -> int:
    _store_mutes(findings, details, until=None)
    Finding.objects.filter(pk__in=[f.pk for f in findings]).update(status=Status.OPEN)
    events = [Event(f.pk, FindingEvent.Kind.UNMUTED, f.status, Status.OPEN) for f in findings]
    return tell(events, actor=actor, now=timezone.now(), note=note)


def _store_mutes(
    findings: Sequence[Finding], details: Mapping[str, Any], *, until: datetime | None
) -> None:
    rows = [(f.pk, as_json(f.workflow | {"mute": details}), until) for f in findings]
    if rows:
        writer().update(Finding, ("workflow", "muted_until"), rows)


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
    return tell(events, actor=actor, now=now)


def actor_json(actor: Actor) -> dict[str, Any] | None:
    return {"id": str(actor.id), "name": actor.name} if actor else None


def epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


# --- Saved views --------------------------------------------------------------------------


def save_view(*, name: str, query: str, is_shared: bool, owner: User) -> SavedView:
    return SavedView.objects.create(name=name, query=query, is_shared=is_shared, owner=owner)


def change_view(view: SavedView, *, name: str, is_shared: bool) -> None:
    SavedView.objects.filter(pk=view.pk).update(name=name, is_shared=is_shared)


def delete_view(view: SavedView) -> None:
    SavedView.objects.filter(pk=view.pk).delete()


# --- News ---------------------------------------------------------------------------------


def tell(events: Sequence[Event], *, actor: Actor, now: datetime, note: str = "") -> int:
    """Write what somebody did and ring on commit; the number of events."""
    if events:
        _write_events(events, actor=actor, now=now, note=note)
        _on_commit(findings_changed)
    return len(events)


def _write_events(events: Sequence[Event], *, actor: Actor, now: datetime, note: str = "") -> None:
    if events:
        columns = (*Event._fields, "note", "actor_id", "key_name", "created_at")
        actor_id = actor.pk if isinstance(actor, User) else None
        said = (note, actor_id, key_name(actor), now)
        writer().insert(FindingEvent, columns, [(*event, *said) for event in events])


def _on_commit(signal: Signal) -> None:
    """News is a bell: a receiver that fails must not fail what is already true."""

    def send() -> None:  # not a partial: Django logs a failure by the function's name
        signal.send(sender=Finding)

    transaction.on_commit(send, robust=True)
