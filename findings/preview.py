"""What a report would do, without doing it: counted against the table, nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.utils import timezone

from findings.closing import Standing, judge
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Severity, type_choice
from findings.formats.column_map import offered
from findings.formats.normalised import Normalised, Rejected
from findings.formats.registry import columns_of
from findings.imports import BATCH, CLOCK_SKEW, MAX_ERRORS, Sent, as_error
from findings.models import Finding, Import, Source
from findings.reports import Report, recognised, scope_of


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
    errors: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def look_through(file: BinaryIO, sent: Sent) -> Summary:
    """Read the report to its end; RefusedReport if it does not go in."""
    report = recognised(
        file,
        source=sent.source,
        target=sent.scope,
        name=sent.format_name,
        columns=sent.columns,
    )
    counting = _Counting(report)
    outcomes = report.outcomes(latest=timezone.now() + CLOCK_SKEW)
    while batch := list(islice(outcomes, BATCH)):
        counting.add(batch)
    return counting.finish(is_partial=sent.is_partial or report.is_partial)


class _Counting:
    def __init__(self, report: Report) -> None:
        self._source = Source.objects.filter(name=report.source).first()
        self._scope = scope_of(report, self._source)
        self._left = self._open_in_scope()
        self._expected = len(self._left)
        self._seen: set[int] = set()  # hashes of fingerprints: a tenth of their size
        self._severities: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._summary = Summary(
            format=report.format.NAME,
            source=report.source,
            scope=report.target,
            columns=offered(columns_of(report.format, report.file)),
        )

    def _open_in_scope(self) -> set[int]:
        if self._scope.pk is None:
            return set()
        open_ones = Finding.objects.filter(scope=self._scope, status__in=OPEN_STATUSES)
        return set(open_ones.values_list("pk", flat=True))

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
            self._count(finding.fingerprint, known)

    def _known(self, good: Sequence[Normalised]) -> dict[str, tuple[int, str]]:
        if self._source is None:
            return {}
        rows = Finding.objects.filter(
            source=self._source, fingerprint__in=[finding.fingerprint for finding in good]
        )
        return {
            fingerprint: (pk, status)
            for fingerprint, pk, status in rows.values_list("fingerprint", "pk", "status")
        }

    def _count(self, fingerprint: str, known: dict[str, tuple[int, str]]) -> None:
        pk, status = known.get(fingerprint, (0, ""))
        if hash(fingerprint) in self._seen:
            self._summary.seen_again += 1
        elif not pk:
            self._summary.new += 1
        elif status in GONE_STATUSES:
            self._summary.reopened += 1
        else:
            self._summary.seen_again += 1
        self._seen.add(hash(fingerprint))
        self._left.discard(pk)

    def finish(self, *, is_partial: bool) -> Summary:
        summary = self._summary
        standing = Standing(missing=len(self._left), seen=self._expected - len(self._left))
        run = Import(
            received=summary.findings + summary.rejected,
            reopened=summary.reopened,
            rejected=summary.rejected,
            is_partial=is_partial,
        )
        verdict = judge(standing, run=run, scope=self._scope)
        summary.closing, summary.closing_note = verdict.closing.value, verdict.note
        summary.missing, summary.expected = standing.missing, standing.expected
        summary.resolved = standing.missing if verdict.closing == Import.Closing.DONE else 0
        summary.severities = {
            each.value: self._severities[each] for each in Severity if self._severities[each]
        }
        summary.types = dict(self._types.most_common())
        return summary
