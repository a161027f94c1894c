"""Reads for the page of importers: who sends findings, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from findings.facts import CONTAINER_IMAGE, TypeChoice, type_choice
from findings.formats.registry import FORMATS
from findings.models import Finding, Import, Source

DAYS = 7
RECENT = 25
_CLOCK_SKEW = timedelta(days=1)
LABELS = {each.NAME: each.LABEL for each in FORMATS}


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source with its last report and what was new in the last seven UTC days."""

    source: Source
    last: Import | None  # None: it sends through the API, finding by finding
    types: Sequence[TypeChoice]  # of the findings that were new
    days: Sequence[tuple[date, int]]  # oldest first; new by our clock, not the scanner's

    @property
    def new(self) -> int:
        return sum(number for _, number in self.days)

    @property
    def format(self) -> str:
        return LABELS.get(self.last.format, "") if self.last else "Findings API"


def first_day() -> datetime:
    """When the days that are counted begin."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1)


def source_rows() -> list[SourceRow]:
    """Every source by name; three statements."""
    last = Import.objects.filter(source=OuterRef("pk")).order_by("-started_at")
    sources = Source.objects.annotate(last_import=Subquery(last.values("pk")[:1]))
    rows = list(sources)
    imports = Import.objects.in_bulk([row.last_import for row in rows if row.last_import])
    counts, types = _news()
    today = timezone.now().date()
    week = [today - timedelta(days=before) for before in reversed(range(DAYS))]
    return [
        SourceRow(
            source=row,
            last=imports.get(row.last_import),
            types=sorted(types[row.pk]),
            days=[(day, counts[row.pk, day]) for day in week],
        )
        for row in rows
    ]


def _news() -> tuple[dict[tuple[int, date], int], dict[int, set[TypeChoice]]]:
    """New findings of the last days, counted by source and day, and their types by source."""
    since = first_day()
    groups = (
        # What opened has changed then, or later: the index of the changes finds it.
        Finding.objects.filter(opened_at__gte=since, detection_changed_at__gte=since - _CLOCK_SKEW)
        .order_by()
        .annotate(day=TruncDate("opened_at", tzinfo=UTC))
        .values("source_id", "day", "finding_type")
        .annotate(all=Count("pk"), images=Count("pk", filter=Q(resource_type=CONTAINER_IMAGE)))
    )
    counts: dict[tuple[int, date], int] = defaultdict(int)
    types: dict[int, set[TypeChoice]] = defaultdict(set)
    for group in groups:
        counts[group["source_id"], group["day"]] += group["all"]
        if group["images"]:
            types[group["source_id"]].add(type_choice(group["finding_type"], CONTAINER_IMAGE))
        if group["images"] < group["all"]:
            types[group["source_id"]].add(type_choice(group["finding_type"], ""))
    return counts, types


def recent_imports() -> QuerySet[Import]:
    return Import.objects.select_related("source").defer("errors", "summary", "unscanned", "notes")[
        :RECENT
    ]
