"""The oracle: what the five kinds of rules mean, in the fewest words, and slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from automation.engine.rules import RuleSpec
from findings.facts import Facts
from findings.models import Finding
from findings.query.parse import parse_rule_query
from findings.query.predicate import compile_predicate

UP = {"critical": "critical", "high": "critical", "medium": "high", "low": "medium"}
DOWN = {"critical": "high", "high": "medium", "medium": "low"}
FLOOR_IS_LOW = (
    "iac_misconfiguration",
    "runtime_code_vulnerability",
    "secret",
    "static_code_vulnerability",
)
NONE_IS_LOWEST = ("host_and_container_vulnerability", "library_vulnerability")


@dataclass
class Answer:
    """What a finding is to be, and which rule matched it in each kind that asked its rules."""

    severity: str
    status: str
    mute_reason: str = ""
    is_in_inbox: bool = False
    due_on: object = None
    ticket: str = ""
    rules: dict[str, str | None] = field(default_factory=dict)


def answer(kinds: Mapping[str, Sequence[RuleSpec]], finding: Finding, now: datetime) -> Answer:
    """Of a finding that is not closed. What people chose is read from it, and nothing of rules
    but whether one mutes it."""
    facts = finding.facts
    source, of_type = finding.source_severity, finding.finding_type
    said = first(kinds, "severity_modifier", facts, lambda r: changed(r, source, of_type) != source)
    by_rule = changed(said, source, of_type) if said else ""
    severity = finding.person_severity or by_rule or source
    result = Answer(severity, finding.status, rules={"severity_modifier": named(said)})
    facts = facts._replace(severity=severity)

    muting = first(kinds, "mute", facts, lambda r: not is_over(r, now))
    result.rules["mute"] = named(muting)
    is_persons = finding.status == "muted" and finding.mute_rule_id is None
    if not is_persons:
        if finding.status == "muted":
            result.status = "open"
        if muting and not finding.is_mute_lifted:
            result.status, result.mute_reason = "muted", muting.action.reason.value

    inbox = first(kinds, "inbox", facts)
    result.rules["inbox"] = named(inbox)
    choice = finding.inbox_choice
    result.is_in_inbox = choice == "added" if choice else inbox is not None

    if result.status != "muted":
        due = first(kinds, "due_date", facts)
        result.rules["due_date"] = named(due)
        result.due_on = due and day(due, severity, finding)
    result.ticket = ticket(kinds, facts, result.status)
    return result


def ticket(kinds: Mapping[str, Sequence[RuleSpec]], facts: Facts, status: str) -> str:
    if status == "muted":
        return "muted"
    if not any(rule.enabled for rule in kinds["ticket_creation"]):
        return "no_rules"
    return "ticketed" if first(kinds, "ticket_creation", facts) else "no_match"


def first(kinds, kind, facts, acts=lambda rule: True) -> RuleSpec | None:
    for rule in kinds[kind]:
        predicate = compile_predicate(parse_rule_query(rule.query).root)
        is_match = rule.enabled and facts.finding_type in rule.finding_types and predicate(facts)
        if is_match and acts(rule) and not is_unnamed_unknown(kind, rule, facts):
            return rule
    return None


def is_unnamed_unknown(kind: str, rule: RuleSpec, facts: Facts) -> bool:
    is_unknown = kind == "severity_modifier" and facts.source_severity == "unknown"
    return is_unknown and "unknown" not in rule.query


def changed(rule: RuleSpec, severity: str, finding_type: str) -> str:
    lowest = "none" if finding_type in NONE_IS_LOWEST else "info"
    lowest = "low" if finding_type in FLOOR_IS_LOW else lowest
    delta = getattr(rule.action, "severity_delta", None)
    if delta is None:
        to = rule.action.severity.value
        return lowest if to == "info_none" else to
    if severity == "unknown":
        return severity
    if severity in ("info", "none"):  # beneath the ladder
        return "low" if delta == "up_one" else severity
    return UP[severity] if delta == "up_one" else DOWN.get(severity, lowest)


def is_over(rule: RuleSpec, now: datetime) -> bool:
    return rule.action.expire_at is not None and rule.action.expire_at <= now.timestamp() * 1000


def day(rule: RuleSpec, severity: str, finding: Finding):
    start = finding.first_seen_at
    if rule.action.due_from == "fix_available" and finding.fix_available_at:
        start = finding.fix_available_at
    days = {each.severity.value: each.due_in_days for each in rule.action.due_days_per_severity}
    return start.date() + timedelta(days=days[severity]) if severity in days else None


def named(rule: RuleSpec | None) -> str | None:
    return rule.id if rule else None
