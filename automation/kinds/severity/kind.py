from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from automation.engine.rules import RuleSpec
from automation.kinds.base import EffectKind, Match, Note, Problem
from automation.kinds.severity.action import (
    FLOOR_IS_LOW,
    Level,
    ModifySeverity,
    SetSeverity,
    modified,
)
from automation.kinds.severity.form import SeverityForm
from automation.kinds.severity.preview import SeverityPreview
from automation.kinds.severity.scanner_severity import named
from automation.kinds.severity.words import describe
from findings.facts import GONE_STATUSES, Severity, Status, type_choice
from findings.models import Finding
from findings.rule_effects import set_severities, severity_effects
from findings.rule_state import RuleActor
from findings.services import Claimed


class SeverityKind(EffectKind):
    name = "severity_modifier"
    label = "Modify Severity"
    slug = "modify_severity"
    icon = "gauge"
    summary = "Raise or lower what the scanner says"
    effect_label = "Severity"
    done = "changed"
    holder = "severity_rule_id"
    resource_type = "severity_modifier_rules"
    rule_type = "severity_modifier"
    Action = ModifySeverity
    Form = SeverityForm
    preview = SeverityPreview()
    severity_path = "severity_details.adjusted.value"
    severity_label = "Severity from the scanner"
    severity_help = "What the scanner says, before any rule and before a person’s change."
    passed_over = "No change"
    passes_over = True
    not_in_query = {
        "severity": "@severity can't be used here. Use @severity_details.adjusted.value.",
        "severity_details.user_adjusted": "@severity_details.user_adjusted can't be used here. "
        "Use @severity_details.adjusted.value.",
    }

    def problems(
        self, action: ModifySeverity, *, finding_types: Sequence[str], query: str
    ) -> Sequence[Problem]:
        return [*_problems(action, finding_types)]

    def accepts(self, rule: RuleSpec, finding: Claimed, now: datetime) -> bool:
        """A rule acts where it changes the scanner's severity."""
        was = finding.facts.source_severity
        if was == Severity.UNKNOWN and Severity.UNKNOWN not in named(rule.query):
            return False
        return modified(rule.action, was, finding.facts.finding_type) != was

    def brief(self, action: ModifySeverity) -> str:
        said = describe(action, "")
        return f"Set to {said['to']}" if "to" in said else f"{said['direction']} one level"

    def describe(self, action: ModifySeverity, query: str) -> Mapping[str, Any]:
        return describe(action, query)

    def notes(self, rules: Sequence[RuleSpec], now: datetime) -> Mapping[UUID, Note]:
        here = Finding.objects.order_by().exclude(status__in=GONE_STATUSES)
        kept = here.filter(severity_rule_id__in=[rule.id for rule in rules])
        counts = kept.exclude(person_severity="").values_list("severity_rule_id")
        return {pk: _kept(pk, number) for pk, number in counts.annotate(number=Count("pk"))}

    def if_deleted(self, number: int) -> str:
        go = "1 finding goes" if number == 1 else f"{number:,} findings go"
        return f"{go} back to the scanner's severity. Resolved and auto-closed ones keep theirs."

    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        return set_severities([_change(match) for match in matches], now=now)

    def foresee(self, match: Match, now: datetime) -> Claimed:
        return severity_effects([_change(match)]).after()[0]


def _kept(pk: UUID, number: int) -> Note:
    matches = "1 match keeps" if number == 1 else f"{number:,} matches keep"
    query = f"@workflow.automations.rule_id:{pk} @severity_details.user_adjusted.value:*"
    here = [("status", status.value) for status in Status if not status.is_gone]
    return Note(f"{matches} the severity that a person set.", [("q", query), *here])


def _change(match: Match) -> tuple[Claimed, str, RuleActor | None]:
    return match.finding, _severity(*match), match.actor


def _severity(finding: Claimed, rule: RuleSpec | None) -> str:
    if rule is None:
        return ""
    facts = finding.facts
    return modified(rule.action, facts.source_severity, facts.finding_type).value


def _problems(action: ModifySeverity, finding_types: Sequence[str]) -> Iterator[Problem]:
    if isinstance(action, SetSeverity) and action.severity is Level.INFO_NONE:
        for each in finding_types:
            if each in FLOOR_IS_LOW:
                name = type_choice(each, "").label
                sentence = f"Info / None is not possible for {name}. Its lowest severity is Low."
                yield Problem("severity", sentence)
                return
