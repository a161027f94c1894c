"""What other tools say of the same problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from findings.correlation import MAX_LENGTH, CorrelationId
from findings.facts import GONE_STATUSES
from findings.models import Finding

_SHOWN = 5  # links of one line; who wants more searches by the correlation id
_LOOKED_AT = 50
_PATH = "correlation_id"


class Related(NamedTuple):
    finding_id: str
    scanner: str  # who says so
    title: str


def also_reported(finding: Finding) -> Sequence[Related]:
    """Findings with the same correlation id that are not gone; one statement, or none."""
    shared = finding.attributes.get(_PATH)
    if not isinstance(shared, str) or not 0 < len(shared) <= MAX_LENGTH:
        return []
    others = sharing(shared).exclude(pk=finding.pk).exclude(status__in=GONE_STATUSES)
    found = map(_related, others.select_related("source").order_by("pk")[:_LOOKED_AT])
    own = _related(finding).scanner  # one tool may find a package at several paths
    return [each for each in found if each.scanner != own][:_SHOWN]


def sharing(correlation_id: str) -> QuerySet[Finding]:
    """Findings with this id, found by its index."""
    return Finding.objects.alias(shared=CorrelationId("attributes")).filter(shared=correlation_id)


def _related(finding: Finding) -> Related:
    scanner = finding.attributes.get("scanner")
    name = scanner.get("name") if isinstance(scanner, dict) else ""
    reported = name if isinstance(name, str) else ""
    return Related(finding.finding_id, reported or finding.source.name, finding.title)
