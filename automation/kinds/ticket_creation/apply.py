"""Create Ticket: each match takes a slot of the rule's day and opens a case, or says why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.kinds.base import Applied, Chunk, Verdict
from automation.kinds.ticket_creation import limits
from automation.kinds.ticket_creation.destination_faults import destination_faults
from automation.kinds.ticket_creation.groups import Groups, Ticket, subjects_of
from automation.kinds.ticket_creation.tickets import (
    draft_of,
    group_draft_of,
    over_limit_update,
    promise_of,
    promise_of_group,
)
from automation.models import Decision
from config.lib.links import absolute
from config.lib.utc import midnight
from findings import services as findings
from findings.facts import Facts, Severity, Status
from findings.facts import Ticket as FindingTicket
from findings.services import Claimed, TicketUpdate
from ticketing.drafts import PRIORITY_OF_SEVERITY, limit_notice_draft
from ticketing.group_text import Member, worst_first
from ticketing.groups import join
from ticketing.models import Case
from ticketing.services import CaseDraft, open_cases

Outcome = Decision.Outcome


class _Promise(NamedTuple):
    """A case to open; without a finding it is the limit notice."""

    draft: CaseDraft | Ticket
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
    groups: Groups = field(default_factory=Groups)
    promises: list[_Promise] = field(default_factory=list)
    over_limit: list[TicketUpdate] = field(default_factory=list)

    def ticket(self) -> Mapping[UUID, str]:
        """Turn every match into a case, or say why not; the rules that are broken, and why."""
        rules = list(self.rules.values())
        grants = limits.lock_usage(
            {UUID(rule.id): rule.action.max_tickets_per_day for rule in rules},
            day=self.now.date(),
        )
        faulty = destination_faults(rules)
        faults = {rule_id: fault.reason for rule_id, fault in faulty.items()}
        self.groups = Groups(self._groupable(faults))
        for rule in rules:
            grant = grants[UUID(rule.id)]
            if rule.id in faults:
                self._refuse(rule, grant, faults[rule.id])
            else:
                self._ticket_of(rule, grant)
        self._keep()
        findings.store_tickets(self.over_limit)
        limits.write_usage(grants.values())
        return {UUID(rule_id): reason for rule_id, reason in faults.items()}

    def _groupable(self, faults: Collection[str]) -> Iterator[tuple[RuleSpec, Claimed]]:
        """The matches that may come to a ticket of a group, with their rules."""
        for rule in self.rules.values():
            if rule.action.grouping and rule.id not in faults:
                for finding in self.matched[rule.id]:
                    if not _has_ticket(finding):
                        yield rule, finding

    def _refuse(self, rule: RuleSpec, grant: limits.Grant, reason: str) -> None:
        for finding in self.matched[rule.id]:
            if _has_ticket(finding):
                self._leave(finding, rule, grant)
            else:
                grant.usage.error += 1
                self.decide(finding, Outcome.ERROR, rule, reason=reason)

    def _ticket_of(self, rule: RuleSpec, grant: limits.Grant) -> None:
        last = self.matched[rule.id][-1].facts
        for finding in self.matched[rule.id]:
            if _has_ticket(finding):
                self._leave(finding, rule, grant)
            elif self.groups.has(finding) and (shared := self.groups.ticket_to_join(rule, finding)):
                shared.findings.append(finding)
                grant.usage.grouped += 1
                self.decide(finding, Outcome.GROUPED, rule, case_id=shared.case_id)
            elif (used := grant.take_slot()) is None:
                self.decide(finding, Outcome.OVER_LIMIT, rule)
                workflow = finding.facts.workflow
                self.over_limit.append(over_limit_update(finding.pk, workflow, _uuid(rule.id)))
            else:
                last = finding.facts
                self._promise(finding, rule, grant, used)
        if grant.request_notice():
            self.promises.append(_Promise(self._notice(rule, last), grant))

    def _leave(self, finding: Claimed, rule: RuleSpec, grant: limits.Grant) -> None:
        grant.usage.already_ticketed += 1
        self.decide(finding, Outcome.ALREADY_TICKETED, rule)

    def _promise(self, finding: Claimed, rule: RuleSpec, grant: limits.Grant, used: int) -> None:
        """A case of its own, or the first of its group, to which others of this chunk may come."""
        if not self.groups.has(finding):
            self.promises.append(_Promise(self._draft(finding, rule), grant, finding, used))
            return
        ticket = self.groups.open(rule, finding)
        ticket.findings.append(finding)
        self.promises.append(_Promise(ticket, grant, finding, used))

    def _keep(self) -> None:
        drafts = [
            self._group_draft(promise.draft) if isinstance(promise.draft, Ticket) else promise.draft
            for promise in self.promises
        ]
        join(self.groups.additions, now=self.now)
        cases = open_cases(drafts, now=self.now)
        for (_, grant, finding, used), draft, case in zip(
            self.promises, drafts, cases, strict=True
        ):
            if finding is not None:
                grant.usage.last_ticket_at = self.now
                grant.usage.last_case_id = case.pk
                ticketed = Verdict(finding.pk, Outcome.TICKETED, draft.rule_id, case.pk, used)
                self.verdicts.append(ticketed)

    def decide(
        self,
        finding: Claimed,
        outcome: Outcome,
        rule: RuleSpec | None = None,
        *,
        case_id: UUID | None = None,
        reason: str = "",
    ) -> None:
        rule_id = _uuid(rule.id) if rule else None
        self.verdicts.append(Verdict(finding.pk, outcome, rule_id, case_id, reason=reason))

    def _draft(self, finding: Claimed, rule: RuleSpec) -> CaseDraft:
        draft = draft_of(rule, finding.facts, made_by=f"Created by the rule “{rule.name}”.")
        return CaseDraft(
            **draft._asdict(),
            **self._from_rule(rule),
            origin=Case.Origin.RULE,
            findings=subjects_of([finding]),
            promise=promise_of(rule, finding.facts),
        )

    def _group_draft(self, ticket: Ticket) -> CaseDraft:
        members = worst_first(
            Member(finding.facts, absolute("findings:finding-show", finding.facts.finding_id))
            for finding in ticket.findings
        )
        group = group_draft_of(ticket, members)
        return CaseDraft(
            title="",
            description="",
            priority=PRIORITY_OF_SEVERITY[Severity(members[0].facts.severity)],
            **self._from_rule(ticket.rule),
            origin=Case.Origin.RULE,
            findings=subjects_of(ticket.findings),
            promise=promise_of_group(ticket.rule, [member.facts for member in members]),
            group=group,
        )

    def _notice(self, rule: RuleSpec, last: Facts) -> CaseDraft:
        """The day's final ticket. Fields that are filled from a finding are from its last one,
        so that a field which Jira requires does not stay empty."""
        today = midnight(self.now)
        draft = limit_notice_draft(
            rule_name=rule.name,
            limit=rule.action.max_tickets_per_day,
            reset=today + timedelta(days=1),
            rule_url=absolute("automation:rule-edit", rule.id),
            over_limit_url=absolute(
                "findings:finding-list",
                query={
                    "from": f"{today:%Y-%m-%dT%H:%M:%SZ}",
                    "to": f"{today + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
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
            "rule_id": _uuid(rule.id),
            "rule_name": rule.name,
            "rule_set_version": self.version,
        }


_uuid = lru_cache(maxsize=10_000)(UUID)  # of rules: each finding that one matches names it


def _has_ticket(finding: Claimed) -> bool:
    return finding.facts.ticket in _ATTACHED


_ATTACHED = frozenset(ticket.value for ticket in FindingTicket if ticket.is_attached)
