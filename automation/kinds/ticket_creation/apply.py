"""Create Ticket: each match takes a slot of the rule's day and opens a case, or says why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.kinds.base import Applied, Chunk, Verdict
from automation.kinds.ticket_creation import limits
from automation.kinds.ticket_creation.destination_faults import destination_faults
from automation.kinds.ticket_creation.tickets import draft_of, promise_of
from automation.models import Decision
from config.lib.links import absolute
from findings import services as findings
from findings.facts import Facts, Status, Ticket
from findings.services import Claimed, TicketUpdate
from ticketing.attachments import Subject
from ticketing.drafts import limit_notice_draft
from ticketing.models import Case
from ticketing.services import CaseDraft, open_cases

Outcome = Decision.Outcome


class _Promise(NamedTuple):
    """A case to open; without a finding it is the limit notice."""

    draft: CaseDraft
    grant: limits.Grant
    finding: Claimed | None = None
    used_before: int | None = None


def apply(chunk: Chunk) -> Applied:
    """Decide each finding: muted, no match, or what its rule's day leaves for it."""
    run = _Run(chunk.version, chunk.now)
    for finding, rule in chunk.matches:
        if rule is not None:
            run.matched[rule.id].append(finding)
            run.rules[rule.id] = rule
        elif finding.facts.status == Status.MUTED:
            run.decide(finding, Outcome.MUTED)
        else:
            run.decide(finding, Outcome.NO_MATCH if chunk.has_rules else Outcome.NO_RULES)
    broken = run.ticket() if run.matched else {}
    return Applied([match.finding for match in chunk.matches], run.verdicts, broken=broken)


@dataclass(slots=True)
class _Run:
    version: int
    now: datetime
    verdicts: list[Verdict] = field(default_factory=list)
    matched: dict[str, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, RuleSpec] = field(default_factory=dict)

    def ticket(self) -> Mapping[UUID, str]:
        """Turn every match into a case, or say why not; the rules that are broken, and why."""
        rules = list(self.rules.values())
        grants = limits.lock_usage(
            {UUID(rule.id): rule.action.max_tickets_per_day for rule in rules},
            day=self.now.date(),
        )
        faulty = destination_faults(rules)
        faults = {rule_id: fault.reason for rule_id, fault in faulty.items()}
        promises: list[_Promise] = []
        over_limit: list[TicketUpdate] = []
        for rule in rules:
            grant = grants[UUID(rule.id)]
            last = self.matched[rule.id][-1].facts
            for finding in self.matched[rule.id]:
                if Ticket(finding.facts.ticket).is_attached:
                    grant.usage.already_ticketed += 1
                    self.decide(finding, Outcome.ALREADY_TICKETED, rule)
                elif rule.id in faults:
                    grant.usage.error += 1
                    self.decide(finding, Outcome.ERROR, rule, reason=faults[rule.id])
                elif (used := grant.take_slot()) is None:
                    self.decide(finding, Outcome.OVER_LIMIT, rule)
                    over_limit.append(_over_limit(finding, rule))
                else:
                    last = finding.facts
                    promises.append(_Promise(self._draft(finding, rule), grant, finding, used))
            if rule.id not in faults and grant.request_notice():
                promises.append(_Promise(self._notice(rule, last), grant))
        self._keep(promises)
        findings.store_tickets(over_limit)
        limits.write_usage(grants.values())
        return {UUID(rule_id): reason for rule_id, reason in faults.items()}

    def _keep(self, promises: Sequence[_Promise]) -> None:
        cases = open_cases([promise.draft for promise in promises], now=self.now)
        for (draft, grant, finding, used), case in zip(promises, cases, strict=True):
            if finding is not None:
                grant.usage.last_ticket_at = self.now
                grant.usage.last_case_id = case.pk
                ticketed = Verdict(finding.pk, Outcome.TICKETED, draft.rule_id, case.pk, used)
                self.verdicts.append(ticketed)

    def decide(
        self, finding: Claimed, outcome: Outcome, rule: RuleSpec | None = None, reason: str = ""
    ) -> None:
        rule_id = UUID(rule.id) if rule else None
        self.verdicts.append(Verdict(finding.pk, outcome, rule_id, reason=reason))

    def _draft(self, finding: Claimed, rule: RuleSpec) -> CaseDraft:
        draft = draft_of(rule, finding.facts, made_by=f"Created by the rule “{rule.name}”.")
        return CaseDraft(
            **draft._asdict(),
            **self._from_rule(rule),
            origin=Case.Origin.RULE,
            findings=(Subject(finding.pk, dict(finding.facts.workflow)),),
            promise=promise_of(rule, finding.facts),
        )

    def _notice(self, rule: RuleSpec, last: Facts) -> CaseDraft:
        """The day's final ticket. Fields that are filled from a finding are from its last one,
        so that a field which Jira requires does not stay empty."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        draft = limit_notice_draft(
            rule_name=rule.name,
            limit=rule.action.max_tickets_per_day,
            reset=midnight + timedelta(days=1),
            rule_url=absolute("automation:rule-edit", rule.id),
            over_limit_url=absolute(
                "findings:finding-list",
                query={
                    "from": f"{midnight:%Y-%m-%dT%H:%M:%SZ}",
                    "to": f"{midnight + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
                    "by": "decided",
                    "ticket": "over_limit",
                    "rule": rule.id,
                },
            ),
        )
        return CaseDraft(
            **draft._asdict(),
            **self._from_rule(rule),
            origin=Case.Origin.LIMIT_NOTICE,
            notice_day=self.now.date(),
            promise=promise_of(rule, last),
        )

    def _from_rule(self, rule: RuleSpec) -> dict[str, Any]:
        return {
            "project_id": rule.action.project_id,
            "assignee_id": rule.action.assignee_id,
            "rule_id": UUID(rule.id),
            "rule_name": rule.name,
            "rule_set_version": self.version,
        }


def _over_limit(finding: Claimed, rule: RuleSpec) -> TicketUpdate:
    return TicketUpdate(
        pk=finding.pk,
        ticket=Ticket.OVER_LIMIT,
        ticket_key="",
        ticket_status="",
        ticket_rule_id=UUID(rule.id),
        workflow=dict(finding.facts.workflow),
    )
