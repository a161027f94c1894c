"""The daily limit: slots are taken under the lock of the rule's row for the UTC day.

The lock is held until the caller's transaction commits, together with the decision and the
case that use the slot, so that no number of workers can exceed the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from automation.models import DailyUsage
from config.lib.rows import writer

_WRITTEN = (
    "ticketed",
    "grouped",
    "over_limit",
    "already_ticketed",
    "error",
    "notice_requested",
    "last_ticket_at",
    "last_case_id",
)


@dataclass(slots=True)
class Grant:
    """What one rule may do in this transaction; `usage` is locked."""

    usage: DailyUsage
    limit: int
    is_limit_met: bool = False  # by a slot taken, or not to be had, in this transaction

    def take_slot(self) -> int | None:
        """Take one slot and return how many were used before it; None at the limit."""
        used = self.usage.ticketed
        self.is_limit_met = used + 1 >= self.limit
        if used >= self.limit:
            self.usage.over_limit += 1
            return None
        self.usage.ticketed += 1
        return used

    def request_notice(self) -> bool:
        """Whether the limit was met just now and nobody has said so today; true once a day.

        A limit that was lowered below the day's use is met by the next finding that wants a slot.
        """
        if self.usage.notice_requested or not self.is_limit_met:
            return False
        self.usage.notice_requested = True
        return True


def lock_usage(limits: Mapping[UUID, int], *, day: date) -> dict[UUID, Grant]:
    """Lock the day's row of each rule (in one order, so that workers never deadlock)."""
    DailyUsage.objects.bulk_create(
        [DailyUsage(rule_id=rule_id, day=day) for rule_id in sorted(limits)],
        ignore_conflicts=True,
    )
    rows = DailyUsage.objects.select_for_update().filter(rule_id__in=limits, day=day)
    return {
        usage.rule_id: Grant(usage, limits[usage.rule_id]) for usage in rows.order_by("rule_id")
    }


def write_usage(grants: Iterable[Grant]) -> None:
    """Store what was used, in one statement."""
    usages = [grant.usage for grant in grants]
    rows = [(usage.pk, *(getattr(usage, name) for name in _WRITTEN)) for usage in usages]
    writer().update(DailyUsage, _WRITTEN, rows)
