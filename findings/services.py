"""All writes to findings. Each function is one transaction and costs a constant number of
statements, however many findings it is given; news goes out on commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from config.accounts.access import Actor
from config.accounts.models import User
from config.lib.any_of import AnyOf
from config.lib.rows import writer
from config.lib.utc import epoch_ms
from findings.archive.tombstones import bring_back
from findings.evaluations import request_recheck
from findings.events import (
    Event,
    actor_json,
    record_events,
    send_on_commit,
    write_and_record,
    write_events,
)
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Facts, Status, Ticket
from findings.formats.normalised import Normalised
from findings.formats.values.identity import RECIPE_VERSION
from findings.models import Evaluation, Finding, FindingEvent, Import, Scope, Source
from findings.recording.adoption import Reporter, lookup_fingerprints, stored_rows
from findings.recording.import_changes import keep_changes
from findings.recording.lookup import Identified
from findings.recording.rows import (
    NEW,
    SOURCE_COLUMNS,
    Known,
    ReportRow,
    as_json,
    new_row,
    report_row,
    source_values,
)
from findings.recording.stored import columns, decoder, known_of
from findings.rule_state import STATE_COLUMNS, RuleState
from findings.selectors import unevaluated
from findings.signals import findings_changed, findings_recorded
from findings.workflow import NOT_MUTED, Workflow, with_mute, without_due_date


class Recorded(NamedTuple):
    new: int = 0
    seen_again: int = 0
    reopened: int = 0


class Claimed(NamedTuple):
    pk: int
    facts: Facts
    state: RuleState = RuleState()

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """From the values of `CLAIMED`."""
        pk, *values = row
        _decode(values)
        state = _STATE_OF(values)  # of most: nothing is set
        return cls._make(
            (
                pk,
                Facts._make(values[: len(Facts._fields)]),
                _NO_STATE if state == _NO_STATE else RuleState.read(state),
            )
        )


_COLUMNS = tuple(dict.fromkeys((*Facts._fields, *STATE_COLUMNS)))
CLAIMED = ("pk", *columns(_COLUMNS))
_STATE_OF = itemgetter(*map(_COLUMNS.index, STATE_COLUMNS))
_NO_STATE = RuleState()
_decode = decoder(_COLUMNS)


class TicketUpdate(NamedTuple):
    """The ticket of a finding as it is from now on; `workflow` replaces the whole group."""

    pk: int
    ticket: str
    ticket_key: str
    ticket_status: str
    ticket_rule_id: UUID | None
    workflow: Mapping[str, Any]
    ticketed_at: datetime | None = None


# --- What sources report ------------------------------------------------------------------


def record(
    batch: Sequence[Normalised],
    *,
    source: Source,
    scope: Scope | None = None,
    run: Import | None = None,
    now: datetime | None = None,
) -> Recorded:
    """Take in what `source` reports, in this `run`: each finding is new, seen again, or open again.

    A finding belongs to the scope that reported it last; to none if it was sent by itself.
    Of one fingerprint twice in a batch the last wins and the others count as seen again. What is
    stored under a former fingerprint is adopted, see `recording.adoption`.
    """
    now = now or timezone.now()
    scope_id = scope.pk if scope else None
    reported = {finding.fingerprint: report_row(finding, scope_id) for finding in batch}
    if not reported:
        return Recorded()
    with transaction.atomic(savepoint=False):
        # The source's row is the lock under which its findings are recorded: two batches with
        # the same findings wait for each other instead of deadlocking or counting twice. So a
        # fingerprint that is not known now is surely new, and COPY straight into the table is
        # safe; the price is one batch at a time for each source.
        source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        rows = _lock_known(source, lookup_fingerprints(batch))
        known = stored_rows(batch, rows, reporter=reporter_of(scope))
        new = [report for fingerprint, report in reported.items() if fingerprint not in known]
        _insert(new, source=source, run=run, now=now)
        pairs = [(row, reported[fingerprint]) for fingerprint, row in known.items()]
        reopened = _see_again(pairs, run, now)
        if new or reopened:
            send_on_commit(findings_recorded)
        if reopened:
            send_on_commit(findings_changed)
    return Recorded(len(new), len(batch) - len(new) - reopened, reopened)


def reporter_of(scope: Scope | None) -> Reporter:
    return Reporter(scope.pk, scope.recipe_version) if scope else Reporter()


def _lock_known(source: Source, fingerprints: Iterable[str]) -> list[Known]:
    """The rows of these fingerprints. Of what is archived they are made again first: resolved, so
    that the report opens them."""
    named = set(fingerprints)
    rows = _lock_rows(source, named)
    if bring_back(source, named - {row.fingerprint for row in rows}):
        rows = _lock_rows(source, named)
    return rows


def _lock_rows(source: Source, fingerprints: Iterable[str]) -> list[Known]:
    rows = (
        Finding.objects.filter(Identified(source.pk, fingerprints))
        .order_by("pk")  # whoever locks findings locks them in this order
        .select_for_update(no_key=True)
        .values_list(*columns(Known._fields))
    )
    return list(map(known_of, rows))


def _insert(
    reports: Sequence[ReportRow], *, source: Source, run: Import | None, now: datetime
) -> None:
    if reports:
        pk, name, import_id = source.pk, source.name, run.pk.hex if run else None
        keys = writer().reserve_keys(Finding, len(reports))
        rows = (
            (key, *new_row(each, source_id=pk, source_name=name, import_id=import_id, now=now))
            for key, each in zip(keys, reports, strict=True)
        )
        writer().insert(Finding, ("id", *NEW), rows)
        moments = {"last_seen_at": now, "unevaluated_since": now}
        writer().insert_alike(Evaluation, "finding_id", keys, moments)


def _see_again(pairs: Sequence[tuple[Known, ReportRow]], run: Import | None, now: datetime) -> int:
    """Update known findings with what is now said of them; the number that opened again."""
    _note_seen(pairs, now)
    _note_fixes(pairs, now)
    different = [
        (
            row.pk,
            *source_values(
                report,
                first_seen_at=row.first_seen_at,
                overridden=row.severity if row.base_severity else "",
            ),
        )
        for row, report in pairs
        if not _is_unchanged(row, report)
    ]
    if different:
        writer().update(Finding, SOURCE_COLUMNS, different)
    worse_or_better = [
        Event(row.pk, _severity_news(row), row.source_severity, report.finding.severity)
        for row, report in pairs
        if row.source_severity != report.finding.severity
    ]
    if worse_or_better:
        changed = [event.finding_id for event in worse_or_better]
        # Rules are asked again: what one of them set may not be what it would set now.
        Finding.objects.filter(pk__in=changed).update(detection_changed_at=now)
        request_recheck(changed, now=now)
    back = [
        Event(row.pk, FindingEvent.Kind.REOPENED, row.status, Status.OPEN)
        for row, _ in pairs
        if row.status in GONE_STATUSES
    ]
    reopened = [event.finding_id for event in back]
    severities = {event.finding_id: event.before for event in worse_or_better}
    keep_changes(run, reopened=reopened, severities=severities)
    _open_again(reopened, now=now, is_mute_lifted=False, unmuted_rule_id=None)
    write_events([*worse_or_better, *back], actor=None, now=now)
    return len(back)


def _note_seen(pairs: Sequence[tuple[Known, ReportRow]], now: datetime) -> None:
    """Of most findings nothing else changes, and nothing is written but their narrow rows."""
    if not pairs:
        return
    seen = [row.pk for row, _ in pairs]
    Evaluation.objects.filter(AnyOf("finding_id", seen)).update(
        last_seen_at=Greatest(F("last_seen_at"), Value(now))
    )
    scope_id = pairs[0][1].scope_id  # all of one batch are of one scope
    reporter = (scope_id, RECIPE_VERSION)
    moved = [
        row.pk
        for row, report in pairs
        if _is_unchanged(row, report) and (row.scope_id, row.recipe_version) != reporter
    ]
    if moved:
        Finding.objects.filter(AnyOf("pk", moved)).update(
            scope=scope_id, recipe_version=RECIPE_VERSION
        )


def _note_fixes(pairs: Sequence[tuple[Known, ReportRow]], now: datetime) -> None:
    """Keep since when there is a fix, of findings that were reported without one: a due date may
    be counted from then. One statement, and only for changed findings that have a fix."""
    fixed = [
        row.pk for row, report in pairs if not _is_unchanged(row, report) and _is_fixed(report)
    ]
    if fixed:
        without = Q(attributes__vulnerability__is_fix_available=False)
        noted = Finding.objects.filter(without, pk__in=fixed, fix_available_at=None)
        request_recheck(list(noted.values_list("pk", flat=True)), now=now)
        noted.update(fix_available_at=now)


def _is_fixed(report: ReportRow) -> bool:
    vulnerability = report.finding.attributes.get("vulnerability")
    return isinstance(vulnerability, Mapping) and vulnerability.get("is_fix_available") is True


def _is_unchanged(row: Known, report: ReportRow) -> bool:
    return (row.fingerprint, row.digest) == (report.finding.fingerprint, report.digest)


def _severity_news(row: Known) -> str:
    kinds = FindingEvent.Kind
    return kinds.REPORTED if row.base_severity else kinds.SEVERITY


def _open_again(pks: Sequence[int], *, now: datetime, **values: Any) -> None:
    """Gone findings ask for work again: evaluated anew unless a case follows them already.

    One that was never evaluated still is, case or not: every finding gets its decision. Rules
    that act on what exists look at all of them. `values` are columns that change with it.
    """
    if not pks:
        return
    was_over_limit = Q(ticket=Ticket.OVER_LIMIT)
    # Each evaluation of a finding has a time of its own, even where a clock goes back: of two
    # decisions for one time the database refuses the second, and with it all beside it.
    later = Greatest(Value(now), F("opened_at") + timedelta(microseconds=1))
    Finding.objects.filter(pk__in=pks).update(
        **{"status": Status.OPEN, **values},
        opened_at=later,
        detection_changed_at=now,
        resolved_at=None,
        ticket=Case(When(was_over_limit, then=Value(Ticket.NONE)), default=F("ticket")),
        ticket_rule_id=Case(When(was_over_limit, then=None), default=F("ticket_rule_id")),
    )
    opened = Finding.objects.filter(pk=OuterRef("finding_id"))
    has_case = Exists(opened.filter(ticket__in=[t for t in Ticket if t.is_attached]))
    Evaluation.objects.filter(finding__in=pks).update(
        recheck_since=now,
        unevaluated_since=Case(
            When(has_case, unevaluated_since=None, then=None),
            default=Subquery(opened.values("opened_at")),
        ),
    )


# --- What the pipeline does ---------------------------------------------------------------


def claim_unevaluated(*, limit: int, pks: Sequence[int] = ()) -> list[Claimed]:
    """The findings that wait longest for a decision, locked until the transaction ends; of
    these alone, if any are named.

    Several workers never get the same finding: PostgreSQL skips what another one holds, and
    SQLite's immediate transactions run one after another. Call inside a transaction.
    """
    waiting = unevaluated().filter(pk__in=pks) if pks else unevaluated()
    rows = (
        waiting.order_by("evaluation__unevaluated_since", "pk")
        # Both rows: another worker's decision changes this one, and often nothing of the finding.
        .select_for_update(skip_locked=True, no_key=True)
        .values_list(*CLAIMED)[:limit]
    )
    return list(map(Claimed.read, rows))


def settle_evaluated(pks: Iterable[int], *, decided_at: datetime) -> None:
    """These findings have their decision."""
    Evaluation.objects.filter(AnyOf("finding_id", pks)).update(
        unevaluated_since=None, decided_at=decided_at, recheck_since=None
    )


def store_tickets(updates: Sequence[TicketUpdate]) -> None:
    """Keep on each finding what became of its ticket. The caller holds the rows' lock."""
    if updates:
        writer().update(
            Finding,
            TicketUpdate._fields[1:],
            [(*update[:-2], as_json(update.workflow), update.ticketed_at) for update in updates],
        )


def lock(pks: Iterable[int]) -> list[Finding]:
    """The findings, locked until the transaction ends, in the one order that avoids deadlock."""
    return list(
        Finding.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update(no_key=True)
    )


def lock_workflows(pks: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The same, and of each finding what people and tickets made of it."""
    rows = Finding.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update(no_key=True)
    return dict(rows.values_list("pk", "workflow"))


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
        remove_due_dates([finding for finding in findings if finding.due_at])
    else:
        _open_again(gone, status=status, now=now)
        Finding.objects.filter(pk__in=here).update(status=status)
        request_recheck(here, now=now)
        if gone:
            send_on_commit(findings_recorded)
    _end_mutes(findings, NOT_MUTED, is_lifted=actor is not None and not status.is_gone)
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
    _end_mutes(findings, details, is_lifted=actor is not None)
    pks = [f.pk for f in findings]
    Finding.objects.filter(pk__in=pks).update(status=Status.OPEN)
    request_recheck(pks, now=now)  # it may get a due date again
    events = [Event(f.pk, FindingEvent.Kind.UNMUTED, f.status, Status.OPEN) for f in findings]
    write_and_record(events, actor=actor, now=now, note=note)
    return len(findings)


def remove_due_dates(findings: Sequence[Finding]) -> None:
    """Of (locked) findings that are closed."""
    open_ones = [finding for finding in findings if finding.status in OPEN_STATUSES]
    store_mutes(
        [
            Mute(
                f,
                without_due_date(f.workflow),
                is_lifted=f.is_mute_lifted,
                unmuted_rule_id=f.unmuted_rule_id,
            )
            for f in open_ones
        ]
    )


class Mute(NamedTuple):
    """A (locked) finding's mute as it is from now on, with the workflow that tells so. Whoever is
    muted, or is no longer, has no due date until rules give it one."""

    finding: Finding
    workflow: Workflow
    until: datetime | None = None
    is_lifted: bool = False
    unmuted_rule_id: UUID | None = None


def store_mutes(mutes: Sequence[Mute]) -> None:
    if mutes:
        said = ("workflow", "muted_until", "is_mute_lifted", "unmuted_rule_id")
        rows = [
            (m.finding.pk, as_json(m.workflow), m.until, m.is_lifted, m.unmuted_rule_id)
            for m in mutes
        ]
        nothing = ("mute_rule_id", "due_at", "due_rule_id")
        writer().update(Finding, (*said, *nothing), [(*row, None, None, None) for row in rows])


def _end_mutes(findings: Sequence[Finding], details: Workflow, *, is_lifted: bool) -> None:
    """Of those that are muted."""
    store_mutes(
        [
            Mute(
                f,
                with_mute(f.workflow, details),
                is_lifted=is_lifted or f.is_mute_lifted,
                unmuted_rule_id=f.mute_rule_id,
            )
            for f in findings
            if f.status == Status.MUTED
        ]
    )


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
