"""Undoing the last import of a scope: what it brought goes, what it changed is put back.

What somebody has touched since, or a later report has named, stays as it is. Each chunk is one
transaction under the lock of the source, under which imports record, too; how far it has come is in
the import's own row. So it may be killed anywhere and goes on, and two at once do it once. A report
of the scope that comes meanwhile finishes the undoing before its first finding is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from config.accounts.audit.events import Object, record_event
from config.accounts.models import User
from config.lib.isolation import run_each
from config.lib.tasks import enqueue
from findings.evaluations import request_recheck
from findings.events import Event, send_on_commit, write_events
from findings.facts import GONE_STATUSES, Status, Ticket
from findings.models import (
    Evaluation,
    Finding,
    FindingEvent,
    Import,
    ImportChange,
    Scope,
    Source,
)
from findings.recording.import_changes import undo_ends_before
from findings.services import change_status, lock
from findings.signals import findings_changed, findings_leaving

CHUNK = 500  # findings in a transaction
LATER = "A later report of this scope is in."
_BY_HAND = (Ticket.MANUAL.value, Ticket.TEST.value)
_KINDS = ImportChange.Kind


class NotUndone(ValueError):
    """Why an import cannot be undone: `str(error)` is a sentence."""


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing would do now."""

    new: int
    leaving: int  # of the new ones
    reopened: int  # are closed again
    resolved: int  # are opened again
    names: Sequence[str]  # of who has touched others

    @property
    def kept(self) -> int:
        return self.new - self.leaving


def why_not(run: Import) -> str:
    """Why it cannot be undone, or "". One statement at most."""
    if run.state in (Import.State.UNDOING, Import.State.UNDONE):
        return "This import was undone already."
    if run.state != Import.State.DONE or run.scope_id is None:
        return "Only an import that is done can be undone."
    if run.closing == Import.Closing.RESOLVING:
        return "Its missing findings are being resolved. Try again in a minute."
    if not run.scope_before:
        return "It was imported before imports could be undone."
    ends = undo_ends_before(timezone.now())
    if run.are_changes_deleted or (ends and run.started_at < ends):
        return "It is too old: what it changed is not kept any longer."
    later = Import.objects.filter(scope=run.scope_id, started_at__gt=run.started_at)
    taken = (Import.State.RUNNING, Import.State.DONE)
    return LATER if later.filter(state__in=taken).exists() else ""


def plan_of(run: Import) -> UndoPlan:
    """Five statements."""
    new = _new(run)
    leaving = _untouched(run, new).count()
    changes = ImportChange.objects.filter(run=run)
    back = {kind: _put_back(run, changes.filter(kind=kind)).count() for kind in _BACK}
    touched = FindingEvent.objects.filter(_by_people(run), finding__in=new).order_by()
    names = touched.values_list("actor__name", "key_name").distinct()[:4]
    return UndoPlan(
        new=new.count(),
        leaving=leaving,
        reopened=back[_KINDS.REOPENED],
        resolved=back[_KINDS.RESOLVED],
        names=sorted({key or name for name, key in names}),
    )


def begin(run: Import, *, actor: User) -> None:
    """Decided first and then done, by `finish`. Raises NotUndone, also where another was faster."""
    with transaction.atomic():
        _lock_source(run)
        run.refresh_from_db(fields=("state", "closing"))
        if reason := why_not(run):
            raise NotUndone(reason)
        now = timezone.now()
        Import.objects.filter(pk=run.pk).update(
            state=Import.State.UNDOING, undone_by=actor, undone_at=now, undo_counts={}
        )
        details = {"source": run.source.name if run.source else "", "scope": str(run.scope or "")}
        on = Object(str(run.pk), run.file_name)
        record_event("import", "undone", actor=actor, on=on, count=run.new, details=details)
        enqueue("findings.tasks.finish_undoing")


def finish_begun() -> None:
    """Those that nobody has brought to an end yet."""
    begun = Import.objects.filter(state=Import.State.UNDOING).order_by("started_at")
    run_each(begun.select_related("source", "scope", "undone_by"), finish)


def finish_of(scope: Scope) -> None:
    """Before a report of the scope records anything: see there who waits for whom."""
    with transaction.atomic():
        Source.objects.select_for_update(no_key=True).get(pk=scope.source_id)
        begun = list(Import.objects.filter(scope=scope, state=Import.State.UNDOING))
    for run in begun:
        finish(run)


def finish(run: Import) -> None:
    while _take_out_some(run):
        pass
    for kind in _BACK:
        while _put_back_some(run, kind):
            pass
    _end(run)


# --- What it brought ----------------------------------------------------------------------


@transaction.atomic
def _take_out_some(run: Import) -> bool:
    """The next of the new findings, in the order of their primary keys; False at their end."""
    if not _hold(run):
        return False
    after = run.undo_counts.get("after", 0)
    pks = list(_new(run).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if not pks:
        return False
    leaving = _let_go(run, pks, partial(_still_untouched, run, pks))
    Finding.objects.filter(pk__in=leaving).delete()
    kept = len(pks) - len(leaving)
    _count(
        run,
        after=pks[-1],
        taken_out=_added(run, "taken_out", len(leaving)),
        kept=_added(run, "kept", kept),
    )
    return True


def _still_untouched(run: Import, pks: Sequence[int]) -> list[int]:
    held = [finding.pk for finding in lock(pks)]
    untouched = _untouched(run, Finding.objects.filter(pk__in=held))
    return list(untouched.order_by("pk").values_list("pk", flat=True))


def _let_go(run: Import, pks: Sequence[int], may_go: partial[list[int]]) -> list[int]:
    """Of those that may go, without what hangs on them; the others stay as they are."""
    answers = findings_leaving.send(
        sender=Finding, run=run, actor=run.undone_by, pks=pks, may_go=may_go
    )
    kept = {pk for _, some in answers for pk in cast("list[int]", some)}
    return [pk for pk in may_go() if pk not in kept]


# --- What it changed ----------------------------------------------------------------------


@transaction.atomic
def _put_back_some(run: Import, kind: str) -> bool:
    if not _hold(run):
        return False
    changes = ImportChange.objects.filter(run=run, kind=kind, is_undone=False).order_by("pk")
    some = list(changes[:CHUNK])
    if not some:
        return False
    rows = {change.finding_id: change for change in some}
    pks = sorted(rows)
    may_go = partial(_still_as_changed, run, kind, pks)
    back = may_go() if kind == _KINDS.RESOLVED else _let_go(run, pks, may_go)
    if back:
        _BACK[kind](run, {pk: rows[pk] for pk in back})
    ImportChange.objects.filter(pk__in=[change.pk for change in some]).update(is_undone=True)
    _count(run, **{kind: _added(run, kind, len(back))})
    return True


def _still_as_changed(run: Import, kind: str, pks: Sequence[int]) -> list[int]:
    held = [finding.pk for finding in lock(pks)]
    changes = ImportChange.objects.filter(run=run, kind=kind, finding__in=held)
    return list(_put_back(run, changes).order_by("pk").values_list("pk", flat=True))


def _close_again(run: Import, rows: dict[int, ImportChange]) -> None:
    for status in GONE_STATUSES:
        some = [pk for pk, row in rows.items() if row.before["status"] == status]
        change_status(some, status=Status(status), actor=None)
    findings = Finding.objects.in_bulk(list(rows))
    for pk, finding in findings.items():
        before = {name: value for name, value in rows[pk].before.items() if name != "status"}
        if Ticket(finding.ticket).is_attached:  # by a ticket that it had before
            before = {n: v for n, v in before.items() if n not in ("ticket", "ticket_rule_id")}
        Finding.objects.filter(pk=pk).update(**before)
    decided = Evaluation.objects.filter(finding__in=list(findings), decided_at__isnull=False)
    decided.update(unevaluated_since=None)


def _open_again(run: Import, rows: dict[int, ImportChange]) -> None:
    """As they were: not new, so that no rule makes a ticket for them."""
    now = timezone.now()
    by_status: dict[str, list[int]] = {}
    for pk, row in rows.items():
        by_status.setdefault(row.before["status"], []).append(pk)
    for status, pks in by_status.items():
        Finding.objects.filter(pk__in=pks).update(
            status=status, resolved_at=None, detection_changed_at=now
        )
        request_recheck(pks, now=now)
        note = f"Import {run} was undone by {run.undone_by}."
        closed = Status.AUTO_CLOSED.value
        events = [Event(pk, FindingEvent.Kind.STATUS, closed, status, note) for pk in pks]
        write_events(events, now=now)
    send_on_commit(findings_changed)


_BACK = {str(_KINDS.REOPENED): _close_again, str(_KINDS.RESOLVED): _open_again}


# --- Which ones, and how far it is --------------------------------------------------------


def _new(run: Import) -> QuerySet[Finding]:
    return Finding.objects.filter(first_import=run)


def _untouched(run: Import, findings: QuerySet[Finding]) -> QuerySet[Finding]:
    """Whom nobody has changed since, and no later report has named."""
    events = FindingEvent.objects.filter(_by_people(run), finding=OuterRef("pk"))
    seen = findings.filter(evaluation__last_seen_at__lte=run.finished_at, scope=run.scope_id)
    return seen.exclude(ticket__in=_BY_HAND).exclude(Exists(events))


def _by_people(run: Import) -> Q:
    """Undoing itself leaves events without an actor: the import before may be undone after it."""
    by_person = Q(actor__isnull=False) | ~Q(key_name="")
    return Q(created_at__gte=run.started_at) & by_person


def _put_back(run: Import, changes: QuerySet[ImportChange]) -> QuerySet[Finding]:
    """The findings of these changes that are still as the import left them."""
    kinds = set(changes.values_list("kind", flat=True).order_by().distinct())
    found = Finding.objects.filter(pk__in=changes.order_by().values("finding"))
    if kinds == {str(_KINDS.RESOLVED)}:
        events = FindingEvent.objects.filter(
            finding=OuterRef("pk"),
            kind=FindingEvent.Kind.STATUS,
            created_at__gt=OuterRef("resolved_at"),
        )
        return found.filter(status=Status.AUTO_CLOSED, resolved_at__gte=run.started_at).exclude(
            Exists(events)
        )
    return _untouched(run, found.exclude(status__in=GONE_STATUSES))


def _hold(run: Import) -> bool:
    """Whether it is still being undone; nothing is recorded in its source until the transaction
    ends."""
    _lock_source(run)
    run.refresh_from_db(fields=("state", "undo_counts", "undone_by"))
    return run.state == Import.State.UNDOING


def _lock_source(run: Import) -> None:
    list(Source.objects.select_for_update(no_key=True).filter(pk__in=[run.source_id]))


def _added(run: Import, name: str, number: int) -> int:
    return int(run.undo_counts.get(name, 0)) + number


def _count(run: Import, **counts: int) -> None:
    Import.objects.filter(pk=run.pk).update(undo_counts=run.undo_counts | counts)


@transaction.atomic
def _end(run: Import) -> None:
    """The scope is as it was: what waited for a person before does again."""
    if not _hold(run):
        return
    before = run.scope_before
    if not before.get("is_mixed", True):
        Scope.objects.filter(pk__in=[run.scope_id]).update(is_mixed=False)
    for pk, note in before.get("held", {}).items():
        waiting = Import.objects.filter(pk=pk, closing=Import.Closing.NONE)
        waiting.update(closing=Import.Closing.HELD, closing_note=note)
    held = Import.objects.filter(pk=run.pk, closing=Import.Closing.HELD)
    held.update(closing=Import.Closing.NONE, closing_note="The import was undone.")
    Import.objects.filter(pk=run.pk).update(state=Import.State.UNDONE)
    run.state = Import.State.UNDONE
