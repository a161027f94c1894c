"""What a rule's ticket for a finding says: its case, and the issue that is promised in Jira; and
what a finding says that gets none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import CreateTicket
from automation.kinds.ticket_creation.groups import Ticket
from config.lib.links import absolute
from findings.facts import Facts, facts_to_json
from findings.facts import Ticket as FindingTicket
from findings.services import TicketUpdate
from ticketing.drafts import Draft, finding_draft
from ticketing.group_text import Group, Member, Summary
from ticketing.groups import GroupDraft, write_group
from ticketing.outbox import Promise
from ticketing.placeholders import fill, summary_and_description

TEMPLATES = ("summary", "description")
"""Fields of a rule that say what the case says, too; the rest is the issue's alone."""


def draft_of(rule: RuleSpec, facts: Facts, *, made_by: str) -> Draft:
    """The case, by the rule's own templates where it has them. `made_by` ends the usual text."""
    url = absolute("findings:finding-show", facts.finding_id)
    draft = finding_draft(facts, url=url, made_by=made_by)
    action: CreateTicket = rule.action
    if not action.is_jira or not action.fields:
        return draft
    own = summary_and_description(action.fields, facts, url=url, rule_name=rule.name)
    return draft._replace(
        title=own.summary or draft.title, description=own.description or draft.description
    )


def promise_of(rule: RuleSpec, facts: Facts) -> Promise | None:
    """The issue, if the rule's tickets are in Jira."""
    action: CreateTicket = rule.action
    if not action.is_jira:
        return None
    return Promise(issue_fields(action.fields), facts_to_json(facts))


def group_draft_of(ticket: Ticket, members: Sequence[Member]) -> GroupDraft:
    """The case for a group; `members` are its findings, the worst first."""
    rule = ticket.rule
    return GroupDraft(
        case_id=ticket.case_id,
        rule_id=UUID(rule.id),
        key=ticket.key,
        group=Group(rule.action.grouping, ticket.values, rule.name),
        members=members,
        templates=_templates_of(rule),
        takes_more=ticket.is_last,
        follows=ticket.follows.case_id if ticket.follows else None,
        is_continuation=ticket.is_continuation,
    )


def text_of_group(rule: RuleSpec, group: Group, members: Sequence[Member]) -> Draft:
    """What the ticket for a group would say."""
    return write_group(group, members, _templates_of(rule), "•••")


def _templates_of(rule: RuleSpec) -> dict[str, Any]:
    fields = (rule.action.fields if rule.action.is_jira else None) or {}
    return {name: fields[name] for name in TEMPLATES if name in fields}


def promise_of_group(rule: RuleSpec, facts: Sequence[Facts]) -> Promise | None:
    """The issue for a group, whose findings are given the worst first: its fields are filled from
    the worst."""
    promise = promise_of(rule, facts[0])
    if promise is None:
        return None
    summary = {"group": Summary.of(facts)._asdict()}
    return promise._replace(facts={**(promise.facts or {}), **summary})


def filled_fields(rule: RuleSpec, facts: Facts) -> dict[str, Any]:
    """The issue's fields as they are for one finding; those without a value are left out."""
    url = absolute("findings:finding-show", facts.finding_id)
    filled = fill(issue_fields(rule.action.fields), facts, url=url, rule_name=rule.name)
    return filled or {}


def issue_fields(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """A rule's fields without those that the case says already."""
    return {name: value for name, value in (fields or {}).items() if name not in TEMPLATES}


def over_limit_update(pk: int, workflow: Mapping[str, Any], rule_id: UUID) -> TicketUpdate:
    """The finding has no ticket, as the rule's day left none for it."""
    return TicketUpdate(
        pk=pk,
        ticket=FindingTicket.OVER_LIMIT,
        ticket_key="",
        ticket_status="",
        ticket_rule_id=rule_id,
        workflow=dict(workflow),
    )
