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
from config.lib.any_of import AnyOf
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
    named = AnyOf("rule_id", [rule_id.hex for rule_id in limits])
    of_rules = DailyUsage.objects.filter(named, day=day)
    absent = limits.keys() - set(of_rules.values_list("rule_id", flat=True))
    if absent:  # once a day
        DailyUsage.objects.bulk_create(
            [DailyUsage(rule_id=rule_id, day=day) for rule_id in sorted(absent)],
            ignore_conflicts=True,
        )
    rows = of_rules.select_for_update()
    return {
        usage.rule_id: Grant(usage, limits[usage.rule_id]) for usage in rows.order_by("rule_id")
    }


def write_usage(grants: Iterable[Grant]) -> None:
    """Store what was used, in one statement."""
    usages = [grant.usage for grant in grants]
    rows = [(usage.pk, *(getattr(usage, name) for name in _WRITTEN)) for usage in usages]
    writer().update(DailyUsage, _WRITTEN, rows)


def used_slots(rule_ids: Iterable[str], *, day: date) -> dict[str, int]:
    """How many each rule has taken; nothing is locked."""
    rows = DailyUsage.objects.filter(rule_id__in=[*rule_ids], day=day)
    return {str(rule_id): used for rule_id, used in rows.values_list("rule_id", "ticketed")}
