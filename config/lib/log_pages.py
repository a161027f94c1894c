"""Logs as pages, newest first, and the time ranges that they are filtered by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

from config.lib.keyset import Column, Keyset, Moment

Row = TypeVar("Row", bound=Model)


class Range(NamedTuple):
    label: str
    length: timedelta


RANGES: Mapping[str, Range] = {
    "24h": Range("Past 24 hours", timedelta(hours=24)),
    "7d": Range("Past 7 days", timedelta(days=7)),
    "30d": Range("Past 30 days", timedelta(days=30)),
}
RANGE_CHOICES = [(slug, each.label) for slug, each in RANGES.items()]


class NewestFirst:
    """Rows by a moment of theirs, those of one moment by their primary key."""

    def __init__(self, moment: str, pk: Column) -> None:
        self._moment = moment
        self._keyset = Keyset(Moment(), pk)

    def behind(self, rows: QuerySet[Row], at: datetime, pk: Any) -> QuerySet[Row]:
        same = {self._moment: at, "pk__lt": pk}
        return rows.filter(Q(**{f"{self._moment}__lt": at}) | Q(**same))

    def page(self, rows: QuerySet[Row], *, before: str, size: int) -> tuple[list[Row], str]:
        """A page behind the keyset, and the keyset of the next one; empty on the last. One
        statement. Raises BadKeyset."""
        if before:
            rows = self.behind(rows, *self._keyset.read(before))
        found = list(rows.order_by(f"-{self._moment}", "-pk")[: size + 1])
        shown = found[:size]
        if len(found) <= size:
            return shown, ""
        return shown, self._keyset.write(getattr(shown[-1], self._moment), shown[-1].pk)
