"""What sources report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from config.lib.any_of import AnyOf
from config.lib.rows import writer
from findings.archive.tombstones import bring_back
from findings.evaluations import request_recheck
from findings.events import Event, send_on_commit, write_events
from findings.facts import GONE_STATUSES, Status
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
    new_row,
    report_row,
    source_values,
)
from findings.recording.stored import columns, known_of
from findings.services.opening import open_again
from findings.signals import findings_changed, findings_recorded


class Recorded(NamedTuple):
    new: int = 0
    seen_again: int = 0
    reopened: int = 0


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
    open_again(reopened, now=now, is_mute_lifted=False, unmuted_rule_id=None)
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
