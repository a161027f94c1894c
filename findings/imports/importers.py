"""Reads for the page of importers: who sends findings, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from config.lib.utc import microseconds
from findings.columnar.pinned import current
from findings.columnar.selection import counted
from findings.columnar.table import Table
from findings.facts import CONTAINER_IMAGE, TypeChoice, type_choice
from findings.formats.registry import FORMATS
from findings.models import Finding, Import, Source

DAYS = 7
RECENT = 25
_CLOCK_SKEW = timedelta(days=1)
_DAY = timedelta(days=1) // timedelta.resolution
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
    """Every source by name; three statements, two of them where the columns in memory tell."""
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


class _New(NamedTuple):
    """So many findings of one source and type were new on a UTC day."""

    source_id: int
    day: date
    finding_type: str
    is_image: bool
    number: int


def _news() -> tuple[dict[tuple[int, date], int], dict[int, set[TypeChoice]]]:
    """New findings of the last days, counted by source and day, and their types by source."""
    since = first_day()
    table = current()
    counts: dict[tuple[int, date], int] = defaultdict(int)
    types: dict[int, set[TypeChoice]] = defaultdict(set)
    for new in _new_in(table, since) if table else _new_in_database(since):
        counts[new.source_id, new.day] += new.number
        resource_type = CONTAINER_IMAGE if new.is_image else ""
        types[new.source_id].add(type_choice(new.finding_type, resource_type))
    return counts, types


def _new_in_database(since: datetime) -> Iterator[_New]:
    """One statement."""
    groups = (
        # What opened has changed then, or later: the index of the changes finds it.
        Finding.objects.filter(opened_at__gte=since, detection_changed_at__gte=since - _CLOCK_SKEW)
        .order_by()
        .annotate(
            day=TruncDate("opened_at", tzinfo=UTC),
            is_image=Case(When(resource_type=CONTAINER_IMAGE, then=True), default=False),
        )
        .values_list("source_id", "day", "finding_type", "is_image")
        .annotate(number=Count("pk"))
    )
    return map(_New._make, groups)


def _new_in(table: Table, since: datetime) -> Iterator[_New]:
    """The same from the columns in memory."""
    opened = table.moments("opened_at")
    changed = table.moments("detection_changed_at")
    is_new = table.alive & (opened >= microseconds(since))
    is_new &= changed >= microseconds(since - _CLOCK_SKEW)
    source, kind = table.profile_column("source_id"), table.profile_column("finding_type")
    is_image = table.profiles_with("resource_type", [CONTAINER_IMAGE])
    of_profile = (source.codes * len(kind.entries) + kind.codes) * 2 + is_image
    days = (opened[is_new] - microseconds(since)) // _DAY
    profiles = of_profile[table.profile_codes.values[is_new]]
    width = len(source.entries) * len(kind.entries) * 2
    codes, numbers = counted(days * width + profiles)
    for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
        (day, rest), image = divmod(code // 2, width // 2), bool(code % 2)
        of_source, of_kind = divmod(rest, len(kind.entries))
        yield _New(
            int(source.entries[of_source]),
            since.date() + timedelta(days=day),
            kind.entries[of_kind],
            image,
            number,
        )


def recent_imports() -> QuerySet[Import]:
    return Import.objects.select_related("source").defer("errors", "summary", "unscanned", "notes")[
        :RECENT
    ]
