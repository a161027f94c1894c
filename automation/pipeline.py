"""The pipeline: unevaluated findings → decisions → cases, one transaction a chunk.

A chunk is claimed, decided, ticketed, recorded and settled in one transaction, so a worker
killed on any line leaves nothing behind, and no two workers ever hold the same finding.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from automation import decisions, limits
from automation.decisions import Outcome, Verdict
from automation.engine.rules import RuleSpec
from automation.models import Rule
from automation.rulebook import Rulebook, current_rulebook
from automation.services import break_rule
from automation.tickets import draft_of, promise_of
from config.accounts.models import User
from config.lib.links import absolute
from findings import services as findings
from findings.facts import Facts, Status, Ticket
from findings.services import Claimed, TicketUpdate
from ticketing.attachments import Subject
from ticketing.drafts import limit_notice_draft
from ticketing.models import Case, Destination, Project
from ticketing.services import CaseDraft, open_cases

log = structlog.get_logger(__name__)

CHUNK = 1_000  # more amortises the statements, less holds the locks for a shorter time
SECONDS_A_RING = 30.0  # half of the queue's time-out; whoever is left over is rung for again


def evaluate_all(*, seconds: float = SECONDS_A_RING) -> bool:
    """Evaluate chunk after chunk; True if nobody waits any more, False if time ran out."""
    ends = time.monotonic() + seconds
    while evaluate_chunk():
        if time.monotonic() > ends:
            return False
    return True


@transaction.atomic
def evaluate_chunk(size: int = CHUNK) -> int:
    """Decide up to `size` waiting findings; returns how many. Constant statements."""
    claimed = findings.claim_unevaluated(limit=size)
    if not claimed:
        return 0
    now = timezone.now()
    rulebook = current_rulebook()
    chunk = _Chunk(rulebook, now)
    for finding in claimed:
        chunk.match(finding)
    chunk.ticket()
    decisions.store(chunk.verdicts, rule_set_version=rulebook.version, now=now)
    findings.settle_evaluated([finding.pk for finding in claimed])
    log.info("findings evaluated", count=len(claimed), rule_set_version=rulebook.version)
    return len(claimed)


class _Promise(NamedTuple):
    """A case to open; without a finding it is the limit notice."""

    draft: CaseDraft
    grant: limits.Grant
    finding: Claimed | None = None
    used_before: int | None = None


@dataclass(slots=True)
class _Chunk:
    rulebook: Rulebook
    now: datetime
    verdicts: list[Verdict] = field(default_factory=list)
    matched: dict[int, list[Claimed]] = field(default_factory=lambda: defaultdict(list))

    def match(self, finding: Claimed) -> None:
        """Give the finding its verdict, or put it with the rule that matches it."""
        if finding.facts.status == Status.MUTED:
            self._decide(finding, Outcome.MUTED)
        elif not self.rulebook.has_enabled:
            self._decide(finding, Outcome.NO_RULES)
        elif (index := self.rulebook.compiled.first_match(finding.facts)) is None:
            self._decide(finding, Outcome.NO_MATCH)
        else:
            self.matched[index].append(finding)

    def ticket(self) -> None:
        """Turn every match into a case, or say why not."""
        if not self.matched:
            return
        rules = {index: self.rulebook.specs[index] for index in sorted(self.matched)}
        grants = limits.lock_usage(
            {UUID(rule.id): rule.max_tickets_per_day for rule in rules.values()},
            day=self.now.date(),
        )
        faults = _faults(list(rules.values()))
        promises: list[_Promise] = []
        over_limit: list[TicketUpdate] = []
        for index, rule in rules.items():
            grant = grants[UUID(rule.id)]
            last = self.matched[index][-1].facts
            for finding in self.matched[index]:
                if Ticket(finding.facts.ticket).is_attached:
                    grant.usage.already_ticketed += 1
                    self._decide(finding, Outcome.ALREADY_TICKETED, rule)
                elif rule.id in faults:
                    grant.usage.error += 1
                    self._decide(finding, Outcome.ERROR, rule, reason=faults[rule.id])
                elif (used := grant.take_slot()) is None:
                    self._decide(finding, Outcome.OVER_LIMIT, rule)
                    over_limit.append(_over_limit(finding, rule))
                else:
                    last = finding.facts
                    promises.append(_Promise(self._draft(finding, rule), grant, finding, used))
            if rule.id not in faults and grant.request_notice():
                promises.append(_Promise(self._notice(rule, last), grant))
        self._keep(promises)
        findings.store_tickets(over_limit)
        limits.write_usage(grants.values())
        for rule_id, reason in faults.items():
            break_rule(UUID(rule_id), reason=reason)

    def _keep(self, promises: Sequence[_Promise]) -> None:
        cases = open_cases([promise.draft for promise in promises], now=self.now)
        for (draft, grant, finding, used), case in zip(promises, cases, strict=True):
            if finding is not None:
                grant.usage.last_ticket_at = self.now
                grant.usage.last_case_id = case.pk
                ticketed = Verdict(finding.pk, Outcome.TICKETED, draft.rule_id, case.pk, used)
                self.verdicts.append(ticketed)

    def _decide(
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
            limit=rule.max_tickets_per_day,
            reset=midnight + timedelta(days=1),
            rule_url=absolute("automation:rule-edit", rule.id),
            over_limit_url=absolute(
                "findings:finding-list",
                query={"q": f"@ticket.over_limit:true @ticket.rule:{rule.id}"},
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
            "project_id": UUID(rule.project_id),
            "assignee_id": UUID(rule.assignee_id) if rule.assignee_id else None,
            "rule_id": UUID(rule.id),
            "rule_name": rule.name,
            "rule_set_version": self.rulebook.version,
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


def _faults(rules: Sequence[RuleSpec]) -> dict[str, str]:
    """Rule id → why its destination cannot take a ticket, for those that cannot."""
    projects = dict(
        Project.objects.filter(pk__in={rule.project_id for rule in rules}).values_list("pk", "key")
    )
    people = set(
        User.objects.filter(
            pk__in={rule.assignee_id for rule in rules if rule.assignee_id}, is_active=True
        ).values_list("pk", flat=True)
    )
    destinations = _destinations(
        {UUID(rule.project_id) for rule in rules if rule.target == Rule.Target.JIRA}
    )
    faults = {}
    for rule in rules:
        project_id = UUID(rule.project_id)
        if project_id not in projects:
            faults[rule.id] = "The case project does not exist."
        elif rule.assignee_id and UUID(rule.assignee_id) not in people:
            faults[rule.id] = "The assignee does not exist or is deactivated."
        elif rule.target == Rule.Target.JIRA and (
            fault := _fault_of(destinations.get(project_id), projects[project_id])
        ):
            faults[rule.id] = fault
    return faults


def _destinations(project_ids: set[UUID]) -> dict[UUID, Destination]:
    rows = Destination.objects.filter(project__in=project_ids).select_related("account")
    return {destination.project_id: destination for destination in rows}


def _fault_of(destination: Destination | None, key: str) -> str:
    if destination is None:
        return f"No Jira account is connected to project {key}."
    if destination.account.deleted_at or destination.account.connected_at is None:
        return f"The Jira account of project {key} was removed."
    if not destination.is_enabled:
        return f"The Jira integration of project {key} is switched off."
    return ""
