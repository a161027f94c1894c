"""How long each kind of row is kept. Each app registers its own, so that none below knows of it.

What grows with every finding, ticket or request goes some day. A kind says which rows, by which
column they are old, after how many days, and why nobody misses them then. The nightly run deletes
them (`config.runtime.retention`); what must go sooner has a task of its own, named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Model, Q, QuerySet


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one model. They are looked at in the order of their primary key, which is that in
    which they were made; or, where that says nothing of it, in the order of their age."""

    model: type[Model]
    age: str  # the column that says since when a row is over; null: it is not
    may_go: Q = field(default_factory=Q)  # of the old ones: nothing is promised by them any more
    by_age: bool = False
    before_delete: Callable[[Sequence[Any]], None] | None = None
    """Called with the primary keys, in the transaction that deletes them."""

    def old(self, cutoff: datetime) -> QuerySet[Any]:
        return self.rows().filter(**{f"{self.age}__lt": cutoff})

    def rows(self) -> QuerySet[Any]:
        return QuerySet(self.model).order_by()


class Dealt(NamedTuple):
    looked_at: int  # 0 at the end
    deleted: int
    cursor: Any = None  # JSON


@dataclass(frozen=True, slots=True)
class RowKind:
    name: str  # as in RETENTION_DAYS
    label: str
    days: int  # 0: kept forever
    why: str  # a sentence: why they may go, or what is never deleted
    tables: Sequence[Table]
    least_days: int = 1  # pages or other rows need them so long
    chunk: int = 1_000  # rows looked at in a transaction
    setting: str = "RETENTION_DAYS"  # where its days are set; "" where they cannot be
    task: str = ""  # the one that deletes them every minute; the nightly run only counts them
    delete_some: Callable[[datetime, Any], Dealt] | None = None
    """Its own way to deal with the next of what is older, from the cursor of the last time on."""
    at_end: Callable[[int], None] | None = None
    """Called once a night with how many went, if any did."""
    count_old: Callable[[datetime], int] | None = None
    """What that would come to; else the old rows that may go."""


_kinds: dict[str, RowKind] = {}


def register(*kinds: RowKind) -> None:
    _kinds.update((kind.name, kind) for kind in kinds)


def row_kinds() -> list[RowKind]:
    return list(_kinds.values())


def days_kept(kind: RowKind | str) -> int:
    """As configured; 0: forever."""
    kind = _kinds[kind] if isinstance(kind, str) else kind
    if kind.setting == "RETENTION_DAYS":
        return int(settings.RETENTION_DAYS.get(kind.name, kind.days))
    return int(getattr(settings, kind.setting)) if kind.setting else kind.days


def cutoff_of(kind: RowKind | str, now: datetime) -> datetime | None:
    """What is older than this is over; None: nothing is."""
    days = days_kept(kind)
    return now - timedelta(days=days) if days else None


def problems() -> Iterable[tuple[str, str]]:
    """What is wrong with RETENTION_DAYS: a sentence and what to do."""
    for name, days in settings.RETENTION_DAYS.items():
        kind = _kinds.get(name)
        names = ", ".join(k.name for k in row_kinds() if k.setting == "RETENTION_DAYS")
        if kind is None or kind.setting != "RETENTION_DAYS":
            yield f"RETENTION_DAYS has no rows named {name!r}.", f"There are: {names}."
        elif days and days < kind.least_days:
            yield (
                f"RETENTION_DAYS keeps {name} for {days} days.",
                f"Set at least {kind.least_days}, or 0 to keep them forever.",
            )
