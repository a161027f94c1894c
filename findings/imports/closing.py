"""What a complete report no longer holds is gone: deciding it, and closing those findings.

An import belongs to a scope. Once all of it is recorded, the open findings of the scope that were
not seen since it began are missing. They are closed, unless that would be rash: then a person
decides. Muted findings are left alone, since muting was a person's decision; so are those of what
the scanner could not look at (`unscanned`).

Killed anywhere, nothing is lost or done twice: each step is one transaction whose rows tell what
is left to do, and an import that is never taken up again leaves its findings to the next one.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from config.accounts.audit.events import Object, record_event
from config.accounts.models import User
from config.lib.isolation import run_each
from config.lib.rows import writer
from config.lib.utc import moment_text
from findings.facts import OPEN_STATUSES, Status
from findings.formats.values.identity import RECIPE_VERSION
from findings.imports.unscanned import is_of_unscanned, sentence, why_incomplete
from findings.models import Finding, FindingEvent, Import, Scope, Source
from findings.recording.import_changes import keep_resolved
from findings.services import lock, remove_due_dates
from findings.signals import findings_changed

CHUNK = 1_000  # findings closed in one transaction
_DECIDED = ("closing", "closing_note", "missing", "expected", "kept", "scope_before")
_EVENT = ("finding_id", "kind", "before", "after", "note", "actor_id", "created_at")


class ScopeCoverage(NamedTuple):
    """How the findings of a scope that were open before an import stand after it."""

    missing: int = 0
    seen: int = 0
    kept: int = 0  # not seen, but of what the scanner could not look at

    @property
    def expected(self) -> int:
        return self.missing + self.seen


class ClosingDecision(NamedTuple):
    closing: Import.Closing
    note: str = ""
    is_mixed: bool = False  # found out now: the scope is several


def decide(
    coverage: ScopeCoverage, *, run: Import, scope: Scope, is_overtaken: bool = False
) -> ClosingDecision:
    """What becomes of the missing findings. Pure: the same for an import and for a dry run."""
    if note := _why_nothing(run, scope, is_overtaken=is_overtaken):
        return ClosingDecision(Import.Closing.NONE, note)
    unread = sentence(run.unscanned, coverage.kept)
    if not coverage.missing:
        return ClosingDecision(Import.Closing.DONE, unread)
    shares_nothing = not coverage.seen and not run.reopened and run.received > run.rejected
    if not scope.target and shares_nothing:
        return ClosingDecision(Import.Closing.NONE, MIXED, is_mixed=True)
    doubt = _doubt(coverage, run)
    return ClosingDecision(
        Import.Closing.HELD if doubt else Import.Closing.DONE, f"{unread} {doubt}".strip()
    )


def _doubt(coverage: ScopeCoverage, run: Import) -> str:
    """Why a person decides, or ""."""
    missing = f"{coverage.missing:,} of {coverage.expected:,} findings are missing from this report"
    if run.may_be_cut:
        return f"{missing}, and the file may be cut off."
    if run.rejected:
        return f"{missing}, of which not every record went in."
    is_rash = coverage.missing * 100 > coverage.expected * settings.IMPORT_HOLD_PERCENT
    return f"{missing}." if is_rash else ""


def _why_nothing(run: Import, scope: Scope, *, is_overtaken: bool) -> str:
    if incomplete := why_incomplete(run.unscanned):
        return incomplete
    if run.is_partial:
        return "A partial report closes nothing."
    if is_overtaken:
        return "A later report of the same scope decides."
    return MIXED if scope.is_mixed else ""


MIXED = (
    "Reports of several targets were sent without a scope, so none of them closes what it lacks. "
    "Name a scope with each report, for instance the repository."
)


def apply(run: Import) -> None:
    """The report was read to its end: close what is missing, or say why not."""
    if run.closing == Import.Closing.OPEN:
        _store_decision(run)
    if run.closing == Import.Closing.DONE and run.missing:
        _close_all(run, actor=None)


class AlreadyDecided(ValueError):
    """Somebody else was faster, or a later report; `str(error)` says who for a person."""


def resolve_held(run: Import, *, actor: User) -> None:
    """A person says that the missing findings are gone. Raises AlreadyDecided.

    Decided first and then done: nobody can keep open what is being closed. What dies in between
    is finished by `finish_resolving`.
    """
    _answer(run, Import.Closing.RESOLVING, actor=actor, note=f"Resolved by {actor.name}.")
    _finish(run)


def finish_resolving() -> None:
    """What was decided by a process that died before it had closed everything."""
    left = Import.objects.filter(closing=Import.Closing.RESOLVING)
    run_each(left.select_related("source", "scope", "decided_by").order_by("started_at"), _finish)


def _finish(run: Import) -> None:
    _close_all(run, actor=run.decided_by)
    with transaction.atomic():
        ours = Import.objects.filter(pk=run.pk, closing=Import.Closing.RESOLVING)
        if ours.update(closing=Import.Closing.DONE) and run.decided_by:
            actor = run.decided_by
            _record(run, "missing findings resolved", actor=actor, count=run.resolved)
    run.closing = Import.Closing.DONE


def missing_from(run: Import) -> QuerySet[Finding]:
    """The open findings of the import's scope that nothing has reported since it began."""
    return _missing(run).select_related("evaluation").order_by("-severity_rank", "pk")


def keep_open(run: Import, *, actor: User) -> None:
    """A person says that the report is wrong and the findings are not gone.

    Raises AlreadyDecided.
    """
    with transaction.atomic():
        _answer(run, Import.Closing.KEPT, actor=actor, note=f"Kept open by {actor.name}.")
        _record(run, "missing findings kept", actor=actor, count=run.missing)


def _answer(run: Import, closing: Import.Closing, *, actor: User, note: str) -> None:
    """Of several at once one decides. Raises AlreadyDecided."""
    held = Import.objects.filter(pk=run.pk, closing=Import.Closing.HELD)
    is_ours = held.update(closing=closing, closing_note=note, decided_by=actor)
    run.refresh_from_db(fields=("closing", "closing_note", "resolved", "decided_by"))
    if not is_ours:
        raise AlreadyDecided(f"This has already been decided. {run.closing_note}".strip())


def _record(run: Import, action: str, *, actor: User, count: int) -> None:
    scope = run.scope.target if run.scope else ""
    details = {"source": run.source.name if run.source else "", "scope": scope}
    on = Object(str(run.pk), run.file_name)
    record_event("import", action, actor=actor, on=on, count=count, details=details)


@transaction.atomic
def _store_decision(run: Import) -> None:
    scope = _locked(run)
    coverage = _coverage(run, scope)
    decision = decide(coverage, run=run, scope=scope, is_overtaken=_is_overtaken(run))
    if decision.is_mixed:
        Scope.objects.filter(pk=scope.pk).update(is_mixed=True)
    if scope.recipe_version < RECIPE_VERSION and not run.is_partial:
        # What it had from before is adopted by now: it asks no longer for rows of other scopes.
        Scope.objects.filter(pk=scope.pk).update(recipe_version=RECIPE_VERSION)
    run.closing, run.closing_note = decision.closing, decision.note
    run.missing, run.expected, run.kept = coverage.missing, coverage.expected, coverage.kept
    held = Import.objects.filter(scope=scope, closing=Import.Closing.HELD)
    older = held.filter(started_at__lt=run.started_at) if not run.is_partial else held.none()
    notes = {str(pk): note for pk, note in older.values_list("pk", "closing_note")}
    run.scope_before = {"is_mixed": scope.is_mixed, "held": notes}
    run.save(update_fields=_DECIDED)
    older.update(
        closing=Import.Closing.NONE, closing_note="A later report of the same scope decides."
    )


def _locked(run: Import) -> Scope:
    """The import's scope, while nothing is recorded in its source until the transaction ends."""
    if run.source_id is None or run.scope_id is None:
        raise ValueError("an import has source and scope once its report was recognised")
    Source.objects.select_for_update(no_key=True).get(pk=run.source_id)
    return Scope.objects.get(pk=run.scope_id)


def _is_overtaken(run: Import) -> bool:
    """Whether a later report of the scope is in or on its way: it knows better what is gone."""
    later = Import.objects.filter(scope=run.scope_id, started_at__gt=run.started_at)
    return later.filter(
        is_partial=False, state__in=(Import.State.RUNNING, Import.State.DONE)
    ).exists()


def _missing(run: Import) -> QuerySet[Finding]:
    """Those of its scope that it lacks, without those that its scanner could not look at."""
    missing = _open(run.scope_id).filter(evaluation__last_seen_at__lt=run.started_at)
    if not run.unscanned:
        return missing
    # Not `exclude(…)`: NOT is unknown, and not true, of a finding without a file.
    return missing.exclude(pk__in=_open(run.scope_id).filter(is_of_unscanned(run.unscanned)))


def _open(scope: int | None) -> QuerySet[Finding]:
    return Finding.objects.filter(scope=scope, status__in=OPEN_STATUSES)


def _coverage(run: Import, scope: Scope) -> ScopeCoverage:
    """What opened since it began is new, and says nothing about those that were open."""
    since = run.started_at
    counts = _open(scope.pk).aggregate(
        missing=Count("pk", filter=Q(evaluation__last_seen_at__lt=since)),
        seen=Count("pk", filter=Q(evaluation__last_seen_at__gte=since, opened_at__lt=since)),
    )
    missing = _missing(run).count() if run.unscanned else counts["missing"]
    return ScopeCoverage(missing, counts["seen"], kept=counts["missing"] - missing)


def _close_all(run: Import, *, actor: User | None) -> None:
    while _close_some(run, actor=actor) == CHUNK:
        pass
    run.refresh_from_db(fields=("resolved",))


@transaction.atomic
def _close_some(run: Import, *, actor: User | None) -> int:
    """Close the next chunk of missing findings; their number. Seven statements, and two more
    where some have a due date."""
    _locked(run)
    gone = list(
        _missing(run)
        .order_by("pk")  # whoever locks findings locks them in this order
        .select_for_update(no_key=True, of=("self",))
        .values_list("pk", "status", "due_at")[:CHUNK]
    )
    if gone:
        now = timezone.now()
        if dated := [pk for pk, _, due_at in gone if due_at]:
            remove_due_dates(lock(dated))
        Finding.objects.filter(pk__in=[pk for pk, *_ in gone]).update(
            status=Status.AUTO_CLOSED, resolved_at=now, detection_changed_at=now
        )
        note = f"Not in import {run} of {moment_text(run.started_at)}."
        kind, closed = FindingEvent.Kind.STATUS.value, Status.AUTO_CLOSED.value
        by = actor.pk if actor else None
        rows = [(pk, kind, status, closed, note, by, now) for pk, status, _ in gone]
        writer().insert(FindingEvent, _EVENT, rows)
        keep_resolved(run, [(pk, status, now) for pk, status, _ in gone])
        Import.objects.filter(pk=run.pk).update(resolved=F("resolved") + len(gone))
        transaction.on_commit(_send_news, robust=True)
    return len(gone)


def _send_news() -> None:
    findings_changed.send(sender=Finding)
