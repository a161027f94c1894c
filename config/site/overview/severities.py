"""Open findings by severity, and how many of them have a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from config.site.overview.links import HELD, OPEN, findings
from findings.facts import Severity
from findings.models import DailyCount
from findings.trends.day_counts import DayCounts

_ALWAYS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)


@dataclass(frozen=True, slots=True)
class SeverityCount:
    severity: Severity
    open: int
    ticketed: int

    @property
    def open_href(self) -> str:
        return findings(status=OPEN, severity=self.severity)

    @property
    def ticketed_href(self) -> str:
        return findings(status=OPEN, severity=self.severity, ticket=HELD)


def open_by_severity(counts: DayCounts) -> list[SeverityCount]:
    """Two statements."""
    found = counts.totals(DailyCount.Measure.OPEN)
    held = counts.totals(DailyCount.Measure.HELD)
    return [
        SeverityCount(severity, found[severity], held[severity])
        for severity in Severity
        if found[severity] or severity in _ALWAYS
    ]
