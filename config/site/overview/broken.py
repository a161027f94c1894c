"""The rules that a fault has disabled, and what they missed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from automation.decisions.facts import facts_of_all
from automation.engine.compile import compile_rules
from automation.models import Decision, Rule, RuleCheck
from automation.rules.data import spec_of
from config.site.overview.rules import TICKETS
from findings.facts import OPEN_STATUSES, Ticket
from ticketing.outbox import waiting_count

EXAMINED = 2_000  # decisions that are matched again for what broken rules missed, the newest


@dataclass(frozen=True, slots=True)
class Broken:
    rules: Sequence[Rule]
    at: datetime | None  # when the first of them was disabled
    causes: Mapping[str, int]  # why → how many rules, most first
    missed: int  # findings that they would have ticketed since then, and that have no ticket
    is_cut: bool  # there may be more: only the newest decisions were looked at
    waiting: int  # their tickets that wait for a repaired destination
    field: str  # at fault in the first


def broken(rules: Sequence[Rule]) -> Broken | None:
    """The rules that a fault has disabled, and what they missed since; None if there are none."""
    gone = [rule for rule in rules if rule.is_broken]
    if not gone:
        return None
    past = Rule.history.filter(history_change_reason__startswith="auto-disabled")
    when = past.filter(id__in=[rule.pk for rule in gone]).order_by("history_date")
    since: dict[UUID, datetime] = dict(when.values_list("id", "history_date"))
    at = min(since.values(), default=None)
    missed, is_cut = _missed(gone, since=at) if at else (0, False)
    check = RuleCheck.objects.filter(rule=gone[0]).first()
    return Broken(
        rules=gone,
        at=at,
        causes=dict(Counter(rule.auto_disabled_reason for rule in gone).most_common()),
        missed=missed,
        is_cut=is_cut,
        waiting=sum(waiting_count([rule.pk for rule in gone]).values(), start=0),
        field=check.field if check else "",
    )


def _missed(rules: Sequence[Rule], *, since: datetime) -> tuple[int, bool]:
    """How many findings without a ticket, decided since then, any of the rules would match.

    A broken rule is skipped, so no decision names it: what it missed is matched again here.
    """
    specs = [replace(spec_of(rule), enabled=True, auto_disabled_reason="") for rule in rules]
    compiled = compile_rules(specs)
    without = Decision.objects.filter(
        kind=TICKETS,
        created_at__gte=since,
        finding__ticket__in=(Ticket.NONE, Ticket.OVER_LIMIT),
        finding__status__in=OPEN_STATUSES,
    ).exclude(outcome=Decision.Outcome.MUTED)
    newest = list(facts_of_all(without.order_by("-id")[:EXAMINED]))
    missed = {finding for finding, facts in newest if compiled.first_match(facts) is not None}
    return len(missed), len(newest) == EXAMINED
