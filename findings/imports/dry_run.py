"""What a report would do, without doing it: counted against the table, nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.utils import timezone

from findings.facts import GONE_STATUSES, OPEN_STATUSES, Severity, type_choice
from findings.formats.normalised import Normalised, Rejected
from findings.formats.streams.records import RefusedReport
from findings.imports.closing import ScopeCoverage, decide
from findings.imports.recognition import RecognisedReport, recognised, scope_of
from findings.imports.run import (
    BATCH,
    CLOCK_SKEW,
    MAX_ERRORS,
    ImportOptions,
    as_error,
    nothing_went_in,
)
from findings.imports.unscanned import is_of_unscanned
from findings.models import Finding, Import, Source
from findings.recording.adoption import lookup_fingerprints, stored_rows
from findings.recording.rows import Known
from findings.recording.stored import columns, known_of
from findings.services import reporter_of


@dataclass(kw_only=True)
class Summary:
    """The counts are those that the import would have if it ran now."""

    format: str
    source: str
    scope: str  # "": the default scope of source and scanner
    findings: int = 0
    new: int = 0
    seen_again: int = 0
    reopened: int = 0
    resolved: int = 0
    rejected: int = 0
    missing: int = 0
    expected: int = 0
    closing: str = ""  # as on Import
    closing_note: str = ""
    severities: dict[str, int] = field(default_factory=dict)  # most severe first
    types: dict[str, int] = field(default_factory=dict)  # as people call them, most findings first
    columns: list[str] = field(default_factory=list)  # of a table whose columns a map may name
    unread_columns: list[str] = field(default_factory=list)  # of those, what nothing is taken from
    errors: list[dict[str, Any]] = field(default_factory=list)
    unscanned: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def dry_run(file: BinaryIO, options: ImportOptions) -> Summary:
    """Read the report to its end; RefusedReport if it does not go in."""
    report = recognised(
        file,
        source=options.source,
        target=options.scope,
        name=options.format_name,
        columns=options.columns,
    )
    counting = _Counting(report)
    outcomes = report.outcomes(latest=timezone.now() + CLOCK_SKEW)
    while batch := list(islice(outcomes, BATCH)):
        counting.add(batch)
    counting.refuse_if_nothing_goes_in()
    return counting.finish(is_partial=options.is_partial or report.is_partial)


class _Counting:
    def __init__(self, report: RecognisedReport) -> None:
        self._report = report
        self._source = Source.objects.filter(name=report.source).first()
        self._scope = scope_of(report, self._source)
        self._left = self._open_in_scope()
        self._expected = len(self._left)
        self._seen: set[int] = set()  # hashes of fingerprints: a tenth of their size
        self._adopted: set[int] = set()
        self._severities: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._summary = Summary(
            format=report.format.NAME,
            source=report.source,
            scope=report.target,
            columns=report.columns,
            unscanned=report.unscanned,
            notes=report.notes,
            unread_columns=report.unread_columns,
        )

    def _open_in_scope(self) -> set[int]:
        if self._scope.pk is None:
            return set()
        open_ones = Finding.objects.filter(scope=self._scope, status__in=OPEN_STATUSES)
        return set(open_ones.values_list("pk", flat=True))

    def _of_unscanned(self) -> set[int]:
        """The open findings of what the scanner could not look at."""
        rows = self._summary.unscanned
        if self._scope.pk is None or not rows:
            return set()
        open_ones = Finding.objects.filter(scope=self._scope, status__in=OPEN_STATUSES)
        return set(open_ones.filter(is_of_unscanned(rows)).values_list("pk", flat=True))

    def add(self, batch: Sequence[Normalised | Rejected]) -> None:
        good = [each for each in batch if isinstance(each, Normalised)]
        rejected = [each for each in batch if isinstance(each, Rejected)]
        summary = self._summary
        summary.errors += map(as_error, rejected[: MAX_ERRORS - len(summary.errors)])
        summary.rejected += len(rejected)
        summary.findings += len(good)
        known = self._known(good)
        for finding in good:
            self._severities[finding.severity] += 1
            self._types[type_choice(finding.finding_type, finding.resource_type).label] += 1
            self._count(finding.fingerprint, known.get(finding.fingerprint))

    def _known(self, good: Sequence[Normalised]) -> dict[str, Known]:
        if self._source is None:
            return {}
        found = Finding.objects.filter(
            source=self._source, fingerprint__in=lookup_fingerprints(good)
        )
        rows = map(known_of, found.values_list(*columns(Known._fields)))
        free = (row for row in rows if row.pk not in self._adopted)
        known = stored_rows(good, free, reporter=reporter_of(self._scope))
        self._adopted |= {row.pk for name, row in known.items() if name != row.fingerprint}
        return known

    def _count(self, fingerprint: str, row: Known | None) -> None:
        if hash(fingerprint) in self._seen:
            self._summary.seen_again += 1
        elif row is None:
            self._summary.new += 1
        elif row.status in GONE_STATUSES:
            self._summary.reopened += 1
        else:
            self._summary.seen_again += 1
        self._seen.add(hash(fingerprint))
        if row:
            self._left.discard(row.pk)

    def refuse_if_nothing_goes_in(self) -> None:
        summary = self._summary
        if summary.rejected and not summary.findings:
            raise RefusedReport(nothing_went_in(summary.rejected, summary.errors[0]))

    def finish(self, *, is_partial: bool) -> Summary:
        summary = self._summary
        kept = self._left & self._of_unscanned()
        coverage = ScopeCoverage(
            missing=len(self._left - kept), seen=self._expected - len(self._left), kept=len(kept)
        )
        run = Import(
            received=summary.findings + summary.rejected,
            reopened=summary.reopened,
            rejected=summary.rejected,
            is_partial=is_partial,
            unscanned=summary.unscanned,
            may_be_cut=self._report.may_be_cut,
        )
        decision = decide(coverage, run=run, scope=self._scope)
        summary.closing, summary.closing_note = decision.closing.value, decision.note
        summary.missing, summary.expected = coverage.missing, coverage.expected
        summary.resolved = coverage.missing if decision.closing == Import.Closing.DONE else 0
        summary.severities = {
            each.value: self._severities[each] for each in Severity if self._severities[each]
        }
        summary.types = dict(self._types.most_common())
        return summary
