"""How long it takes from a finding to its created ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import median, quantiles
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case as DbCase
from django.db.models import Exists, F, FloatField, Func, OuterRef, Subquery, When
from django.db.models.sql.compiler import SQLCompiler

from automation.models import Decision
from config.lib.utc import midnight
from ticketing.models import Case, ExternalIssue

TIMED = 1_000  # tickets whose time is looked at, the newest


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds from a finding to its created ticket."""

    median: float
    p95: float


class _Seconds(Func):
    """From the second moment to the first."""

    output_field = FloatField()
    arg_joiner = " - "

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Any:
        template = "extract(epoch FROM %(expressions)s)::float8"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        compiled = [compiler.compile(each) for each in self.get_source_expressions()]
        days = " - ".join(f"julianday({sql})" for sql, _ in compiled)
        return f"({days}) * 86400", tuple(each for _, params in compiled for each in params)


def speed(first: date) -> Speed | None:
    """Of the newest tickets that rules made and that are created where they belong. One
    statement."""
    ticketed = Decision.objects.filter(
        outcome=Decision.Outcome.TICKETED, created_at__gte=midnight(first)
    )
    issues = ExternalIssue.objects.filter(case=OuterRef("case_id"), detached_at=None)
    cases = Case.objects.filter(pk=OuterRef("case_id"))
    created = When(Exists(issues), then=Subquery(issues.values("delivered_at")[:1]))
    newest = ticketed.order_by("-created_at").annotate(
        seconds=_Seconds(
            DbCase(created, default=Subquery(cases.values("created_at"))), F("requested_at")
        )
    )
    took = newest.values_list("seconds", flat=True)[:TIMED]
    seconds = sorted(number for number in took if number is not None)
    if not seconds:
        return None
    return Speed(median(seconds), quantiles([*seconds, seconds[-1]], n=20, method="inclusive")[-1])
