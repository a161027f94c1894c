"""What people and rules have set on a finding, as pages say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from config.lib.utc import day_text, short_day_text
from findings.explorer.due import days_left, due_in_words
from findings.facts import Severity
from findings.models import Finding
from findings.workflow import RuleType, rule_of


class SetSeverity(NamedTuple):
    """ "High from scanner → Critical raised by rule X"; a person's stands above a rule's."""

    source: str
    holds: str
    person: str  # who set the one that holds; "" for a rule
    rule_id: UUID | None
    rule_name: str
    rule_severity: str
    verb: str  # what the rule does to the source's: "raise" or "lower"
    note: str  # why the person did

    @property
    def text(self) -> str:
        """In one sentence, for a tooltip."""
        said = f"{in_words(self.source)} from scanner → {in_words(self.holds)}"
        if not self.person:
            return f"{said} {self.verb}d by rule {self.rule_name}"
        said = f"{said} set by {self.person}"
        if self.rule_severity:
            by_rule = in_words(self.rule_severity)
            said = f"{said}; rule {self.rule_name} would {self.verb} it to {by_rule}"
        return f"{said} · {self.note}" if self.note else said


def set_severity_of(finding: Finding) -> SetSeverity | None:
    if not finding.base_severity:
        return None
    rule = rule_of(finding.workflow, RuleType.SEVERITY)
    source, by_rule = finding.source_severity, finding.rule_severity
    raises = by_rule and Severity(by_rule).rank > Severity(source).rank
    noted = finding.workflow.get("severity_override") or {}
    return SetSeverity(
        source,
        finding.severity,
        _person(noted) if finding.person_severity else "",
        finding.severity_rule_id,
        rule.name if rule else "",
        by_rule,
        "raise" if raises else "lower",
        str(noted.get("description", "")),
    )


def _person(noted: Mapping[str, Any]) -> str:
    return str((noted.get("updated_by") or {}).get("name", "")) or "a person"


class RuleMute(NamedTuple):
    rule_id: UUID
    rule_name: str
    until: datetime | None


def rule_mute_of(finding: Finding) -> RuleMute | None:
    if finding.mute_rule_id is None:
        return None
    rule = rule_of(finding.workflow, RuleType.MUTE)
    return RuleMute(finding.mute_rule_id, rule.name if rule else "", finding.muted_until)


class DueButton(NamedTuple):
    day: str  # as a query writes it
    label: str  # "30 Nov"
    note: str
    is_overdue: bool


def due_button_of(finding: Finding) -> DueButton | None:
    if finding.due_at is None:
        return None
    day = finding.due_at.astimezone(UTC).date()
    rule = rule_of(finding.workflow, RuleType.DUE_DATE)
    by = f" · set by rule {rule.name}" if rule else ""
    label = short_day_text(day) if day.year == timezone.now().year else day_text(day)
    days = days_left(finding.due_at)
    return DueButton(day.isoformat(), label, f"{due_in_words(days)}{by}", days < 0)


class InboxEntry(NamedTuple):
    """Who put a finding into the Inbox: a rule or a person; "" where nobody says."""

    name: str
    is_rule: bool
    is_default: bool
    at: datetime | None


def inbox_entry_of(finding: Finding) -> InboxEntry:
    noted: dict[str, Any] = finding.workflow.get("security_inbox") or {}
    rule = rule_of(finding.workflow, RuleType.INBOX)
    name = rule.name if rule else str((noted.get("added_by") or {}).get("name", ""))
    added_at = noted.get("added_at")
    at = datetime.fromtimestamp(added_at / 1000, UTC) if added_at else None
    return InboxEntry(name, bool(rule), bool(rule) and not _is_uuid(finding.inbox_rule_id), at)


def _is_uuid(text: str) -> bool:
    """Default rules have an id in words."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def written_day(text: str) -> str:
    """ "2026-11-30" as "30 Nov 2026"; "" for nothing."""
    return day_text(date.fromisoformat(text)) if text else ""


def in_words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
