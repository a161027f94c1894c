"""What a complete report no longer holds is gone: deciding it, and closing those findings.

An import belongs to a scope. Once all of it is recorded, the open findings of the scope that were
not seen since it began are missing. They are closed, unless that would be rash: then a person
decides. Muted findings are left alone, since muting was a person's decision.

Killed anywhere, nothing is lost or done twice: each step is one transaction whose rows tell what
is left to do, and an import that is never taken up again leaves its findings to the next one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from config.accounts.models import User
from config.lib.rows import writer
from findings.facts import OPEN_STATUSES, Status
from findings.models import Finding, FindingEvent, Import, Scope, Source
from findings.signals import findings_changed

CHUNK = 1_000  # findings closed in one transaction
_EVENT = ("finding_id", "kind", "before", "after", "note", "actor_id", "created_at")


class Standing(NamedTuple):
    """How the findings of a scope that were open before an import stand after it."""

    missing: int = 0
    seen: int = 0

    @property
    def expected(self) -> int:
        return self.missing + self.seen


class Verdict(NamedTuple):
    closing: Import.Closing
    note: str = ""
    is_mixed: bool = False  # found out now: the scope is several


def judge(standing: Standing, *, run: Import, scope: Scope, is_overtaken: bool = False) -> Verdict:
    """What becomes of the missing findings. Pure: the same for an import and for a dry run."""
    if note := _why_nothing(run, scope, is_overtaken=is_overtaken):
        return Verdict(Import.Closing.NONE, note)
    if not standing.missing:
        return Verdict(Import.Closing.DONE)
    shares_nothing = not standing.seen and not run.reopened and run.received > run.rejected
    if not scope.target and shares_nothing:
        return Verdict(Import.Closing.NONE, MIXED, is_mixed=True)
    missing = f"{standing.missing:,} of {standing.expected:,} findings are missing from this report"
    if run.rejected:
        return Verdict(Import.Closing.HELD, f"{missing}, of which not every record went in.")
    if standing.missing * 100 > standing.expected * settings.IMPORT_HOLD_PERCENT:
        return Verdict(Import.Closing.HELD, f"{missing}.")
    return Verdict(Import.Closing.DONE)


def _why_nothing(run: Import, scope: Scope, *, is_overtaken: bool) -> str:
    if run.is_partial:
        return "A partial report closes nothing."
    if is_overtaken:
        return "A later report of the same scope decides."
    return MIXED if scope.is_mixed else ""


MIXED = (
    "Reports of several targets were sent without a scope, so none of them closes what it lacks. "
    "Name a scope with each report, for instance the repository."
)


def settle(run: Import) -> None:
    """The report was read to its end: close what is missing, or say why not."""
    if run.closing == Import.Closing.OPEN:
        _decide(run)
    if run.closing == Import.Closing.DONE and run.missing:
        _close_all(run, actor=None)


def resolve_held(run: Import, *, actor: User) -> None:
    """A person says that the missing findings are gone."""
    if run.closing == Import.Closing.HELD:
        _close_all(run, actor=actor)
        _answer(run, Import.Closing.DONE)


def missing_from(run: Import) -> QuerySet[Finding]:
    """The open findings of the import's scope that nothing has reported since it began."""
    missing = Finding.objects.filter(scope=run.scope_id, status__in=OPEN_STATUSES)
    return missing.filter(last_seen_at__lt=run.started_at).order_by("-severity_rank", "pk")


def keep_open(run: Import, *, actor: User) -> None:
    """A person says that the report is wrong and the findings are not gone."""
    _answer(run, Import.Closing.KEPT, note=f"Kept open by {actor.name}.")


def _answer(run: Import, closing: Import.Closing, **said: str) -> None:
    changed = {"closing": closing} | {f"closing_{name}": text for name, text in said.items()}
    Import.objects.filter(pk=run.pk, closing=Import.Closing.HELD).update(**changed)
    run.refresh_from_db(fields=("closing", "closing_note", "resolved"))


@transaction.atomic
def _decide(run: Import) -> None:
    scope = _locked(run)
    standing = Standing(**_open(scope).aggregate(**_standing(run.started_at)))
    verdict = judge(standing, run=run, scope=scope, is_overtaken=_is_overtaken(run))
    if verdict.is_mixed:
        Scope.objects.filter(pk=scope.pk).update(is_mixed=True)
    run.closing, run.closing_note = verdict.closing, verdict.note
    run.missing, run.expected = standing.missing, standing.expected
    run.save(update_fields=("closing", "closing_note", "missing", "expected"))
    if not run.is_partial:
        held = Import.objects.filter(scope=scope, closing=Import.Closing.HELD)
        held.filter(started_at__lt=run.started_at).update(
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


def _open(scope: Scope) -> QuerySet[Finding]:
    return Finding.objects.filter(scope=scope, status__in=OPEN_STATUSES)


def _standing(since: datetime) -> dict[str, Any]:
    """Aggregates; what opened since is new, and says nothing about those that were open."""
    seen = Q(last_seen_at__gte=since, opened_at__lt=since)
    return {
        "missing": Count("pk", filter=Q(last_seen_at__lt=since)),
        "seen": Count("pk", filter=seen),
    }


def _close_all(run: Import, *, actor: User | None) -> None:
    while _close_some(run, actor=actor) == CHUNK:
        pass
    run.refresh_from_db(fields=("resolved",))


@transaction.atomic
def _close_some(run: Import, *, actor: User | None) -> int:
    """Close the next chunk of missing findings; their number. Six statements."""
    scope = _locked(run)
    gone = list(
        _open(scope)
        .filter(last_seen_at__lt=run.started_at)
        .order_by("pk")  # whoever locks findings locks them in this order
        .select_for_update(no_key=True)
        .values_list("pk", "status")[:CHUNK]
    )
    if gone:
        now = timezone.now()
        Finding.objects.filter(pk__in=[pk for pk, _ in gone]).update(
            status=Status.AUTO_CLOSED, resolved_at=now, detection_changed_at=now
        )
        note = f"Not in import {run} of {run.started_at:%Y-%m-%d %H:%M} UTC."
        kind, closed = FindingEvent.Kind.STATUS.value, Status.AUTO_CLOSED.value
        by = actor.pk if actor else None
        rows = [(pk, kind, status, closed, note, by, now) for pk, status in gone]
        writer().insert(FindingEvent, _EVENT, rows)
        Import.objects.filter(pk=run.pk).update(resolved=F("resolved") + len(gone))
        transaction.on_commit(_send_news, robust=True)
    return len(gone)


def _send_news() -> None:
    findings_changed.send(sender=Finding)
