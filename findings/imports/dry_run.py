"""What a report would do, without doing it: counted against the table, nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.utils import timezone

from findings.archive.tombstones import known_of as archived_of
from findings.archive.tombstones import tombstones
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Ticket, type_choice
from findings.formats.normalised import Normalised, Rejected
from findings.formats.streams.records import RefusedReport
from findings.imports.closing import ScopeCoverage, decide
from findings.imports.intake import with_source
from findings.imports.recognition import RecognisedReport, recognised, scope_of
from findings.imports.rule_counts import RuleCounts, foresight, most_severe_first
from findings.imports.run import (
    BATCH,
    CLOCK_SKEW,
    MAX_ERRORS,
    ImportOptions,
    as_error,
    nothing_went_in,
)
from findings.imports.unrecorded import new_finding, reopened_findings
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
    scanner: str
    findings: int = 0
    new: int = 0
    seen_again: int = 0
    changed: int = 0  # of those seen again: with another severity
    reopened: int = 0
    resolved: int = 0
    rejected: int = 0
    missing: int = 0
    expected: int = 0
    kept: int = 0  # open, and of what the scanner could not look at
    closing: str = ""  # as on Import
    closing_note: str = ""
    severities: dict[str, int] = field(default_factory=dict)  # most severe first
    types: dict[str, int] = field(default_factory=dict)  # as people call them, most findings first
    columns: list[str] = field(default_factory=list)  # of a table whose columns a map may name
    unread_columns: list[str] = field(default_factory=list)  # of those, what nothing is taken from
    errors: list[dict[str, Any]] = field(default_factory=list)
    unscanned: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rules: RuleCounts = field(default_factory=RuleCounts)

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
        self._now = timezone.now()
        self._source = Source.objects.filter(name=report.source).first()
        self._scope = scope_of(report, self._source)
        self._rules = foresight(self._now)
        self._left = self._open_in_scope()
        self._expected = len(self._left)
        self._seen: set[int] = set()  # hashes of fingerprints: a tenth of their size
        self._adopted: set[int] = set()
        self._unticketed: set[int] = set()  # archived ones, which rules will see again
        self._severities: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._summary = Summary(
            format=report.format.NAME,
            source=report.source,
            scope=self._scope.target,
            scanner=self._scope.scanner,
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
        good = with_source(batch, self._report.source)
        rejected = [each for each in batch if isinstance(each, Rejected)]
        summary = self._summary
        summary.errors += map(as_error, rejected[: MAX_ERRORS - len(summary.errors)])
        summary.rejected += len(rejected)
        summary.findings += len(good)
        known = self._known(good)
        last = {finding.fingerprint: finding for finding in good}
        self._foresee({name: each for name, each in last.items() if not self._is_seen(name)}, known)
        for finding in good:
            self._severities[finding.severity] += 1
            self._types[type_choice(finding.finding_type, finding.resource_type).label] += 1
            self._count(finding, known.get(finding.fingerprint))

    def _foresee(self, first: Mapping[str, Normalised], known: Mapping[str, Known]) -> None:
        """In the order of the pipeline: those that are in the table already come first."""
        back = [(known[name], finding) for name, finding in first.items() if name in known]
        gone = [pair for pair in back if pair[0].status in GONE_STATUSES]
        for again in reopened_findings(gone, now=self._now):
            self._rules.add(again, is_new=False)
        source = self._source or Source(name=self._report.source)
        for row, finding in gone:
            if row.pk in self._unticketed:
                back_again = new_finding(finding, source=source, now=self._now)
                self._rules.add(back_again, is_new=False)
        for name, finding in first.items():
            if name not in known:
                new = new_finding(finding, source=source, now=self._now)
                self._rules.add(new, is_new=True)

    def _is_seen(self, fingerprint: str) -> bool:
        return hash(fingerprint) in self._seen

    def _known(self, good: Sequence[Normalised]) -> dict[str, Known]:
        if self._source is None:
            return {}
        named = lookup_fingerprints(good)
        found = Finding.objects.filter(source=self._source, fingerprint__in=named)
        rows = list(map(known_of, found.values_list(*columns(Known._fields))))
        rows += self._archived_rows(named - {row.fingerprint for row in rows})
        free = (row for row in rows if row.pk not in self._adopted)
        known = stored_rows(good, free, reporter=reporter_of(self._scope))
        self._adopted |= {row.pk for name, row in known.items() if name != row.fingerprint}
        return known

    def _archived_rows(self, fingerprints: set[str]) -> list[Known]:
        """Of those that will come back from the archive."""
        found = tombstones(self._source, fingerprints) if self._source else []
        rows = [(each.pk_before, each.columns.get("ticket", Ticket.NONE)) for each in found]
        unticketed = (pk for pk, ticket in rows if not Ticket(ticket).is_attached)
        self._unticketed |= set(unticketed)
        return [archived_of(each) for each in found]

    def _count(self, finding: Normalised, row: Known | None) -> None:
        if self._is_seen(finding.fingerprint):
            self._summary.seen_again += 1
        elif row is None:
            self._summary.new += 1
        elif row.status in GONE_STATUSES:
            self._summary.reopened += 1
        else:
            self._summary.seen_again += 1
            self._summary.changed += row.source_severity != finding.severity
        self._seen.add(hash(finding.fingerprint))
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
        summary.kept = coverage.kept
        summary.resolved = coverage.missing if decision.closing == Import.Closing.DONE else 0
        summary.severities = most_severe_first(self._severities)
        summary.types = dict(self._types.most_common())
        summary.rules = self._rules.finish()
        return summary
