from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from automation.engine.rules import RuleSpec
from automation.kinds.base import EffectKind, Match, Problem
from automation.kinds.due_date.action import (
    CVE_TYPES,
    CVE_TYPES_ONLY,
    MAX_DAYS,
    WRONG_DAYS,
    DueFrom,
    SetDueDate,
    due_on,
)
from automation.kinds.due_date.form import DueDateForm
from automation.kinds.due_date.preview import DueDatePreview
from findings.facts import Status
from findings.rule_effects import due_date_effects, set_due_dates
from findings.rule_state import RuleActor
from findings.services import Claimed


class DueDateKind(EffectKind):
    name = "due_date"
    label = "Set Due Date"
    slug = "set_due_date"
    icon = "calendar-clock"
    summary = "Say by when findings have to be fixed"
    effect_label = "Due in"
    done = "dated"
    holder = "due_rule_id"
    resource_type = "due_date_rules"
    rule_type = "due_date"
    Action = SetDueDate
    Form = DueDateForm
    preview = DueDatePreview()

    def problems(
        self, action: SetDueDate, *, finding_types: Sequence[str], query: str
    ) -> Sequence[Problem]:
        return [*_problems(action, finding_types)]

    def skips(self, finding: Claimed) -> bool:
        return finding.facts.status == Status.MUTED

    def brief(self, action: SetDueDate) -> str:
        days = action.due_days_per_severity
        return ", ".join(f"{each.severity.capitalize()} {each.due_in_days} d" for each in days)

    def if_deleted(self, number: int) -> str:
        lose = "1 finding loses its" if number == 1 else f"{number:,} findings lose their"
        return f"{lose} due date, unless another rule matches."

    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        return set_due_dates([_change(match) for match in matches], now=now)

    def foresee(self, match: Match, now: datetime) -> Claimed:
        return due_date_effects([_change(match)]).after()[0]


def _change(match: Match) -> tuple[Claimed, date | None, RuleActor | None]:
    return match.finding, _due_on(*match), match.actor


def _due_on(finding: Claimed, rule: RuleSpec | None) -> date | None:
    facts = finding.facts
    if rule is None or facts.first_seen_at is None:
        return None
    return due_on(
        rule.action,
        severity=facts.severity,
        first_seen=facts.first_seen_at,
        fix_available=finding.state.fix_available_at,
    )


def _problems(action: SetDueDate, finding_types: Sequence[str]) -> Iterator[Problem]:
    said = [each.severity for each in action.due_days_per_severity]
    if not said:
        yield Problem("due_days_per_severity", "Enter days for at least one severity.")
    elif len(set(said)) < len(said):
        yield Problem("due_days_per_severity", "Each severity may be named once.")
    if any(not 1 <= each.due_in_days <= MAX_DAYS for each in action.due_days_per_severity):
        yield Problem("due_days_per_severity", WRONG_DAYS)
    if action.due_from is DueFrom.FIX_AVAILABLE and not CVE_TYPES.issuperset(finding_types):
        yield Problem("due_from", CVE_TYPES_ONLY)
