"""A finding's own copy of its ticket: what the explorer shows and filters on without a join."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from config.lib.utc import epoch_ms
from findings import services as findings
from findings.facts import Ticket
from findings.services import TicketUpdate
from ticketing.models import Attachment, Case, ExternalIssue
from ticketing.states import State

_TICKET_OF_ORIGIN = {
    Case.Origin.RULE: Ticket.AUTOMATED,
    Case.Origin.LIMIT_NOTICE: Ticket.AUTOMATED,
    Case.Origin.MANUAL: Ticket.MANUAL,
    Case.Origin.API: Ticket.MANUAL,
    Case.Origin.TEST: Ticket.TEST,
}


def ticket_update(
    pk: int,
    workflow: Mapping[str, Any],
    case: Case,
    issue: ExternalIssue | None = None,
    *,
    attached_at: datetime,
) -> TicketUpdate:
    """What the finding with this pk and workflow says once it is attached to `case`.

    `issue` is the one that the case has in Jira.
    """
    rule = case.rule_id if case.origin == Case.Origin.RULE else None
    return TicketUpdate(
        pk=pk,
        ticket=_TICKET_OF_ORIGIN[Case.Origin(case.origin)],
        ticket_key=case.key,
        ticket_status=case.status.lower(),
        ticket_rule_id=rule,
        workflow={
            **_without_ticket(workflow),
            **({"automations": _automations(workflow, case)} if rule else {}),
            "integrations": {**_other_integrations(workflow), **_integrations(case, issue)},
        },
        ticketed_at=attached_at,
    )


def no_ticket_update(pk: int, workflow: Mapping[str, Any]) -> TicketUpdate:
    """What the finding says once it is attached to no case any more."""
    return TicketUpdate(
        pk=pk,
        ticket=Ticket.NONE,
        ticket_key="",
        ticket_status="",
        ticket_rule_id=None,
        workflow=_without_ticket(workflow),
    )


def mirror(cases: Iterable[Case]) -> None:
    """Write the cases' present state onto every finding attached to them (four statements)."""
    by_id = {case.pk: case for case in cases}
    issues = issues_of(by_id)
    rows = Attachment.objects.filter(case_id__in=by_id)
    attached = {
        pk: (case_pk, at)
        for pk, case_pk, at in rows.values_list("finding_id", "case_id", "created_at")
    }
    workflows = findings.lock_workflows(attached)
    findings.store_tickets(
        [
            ticket_update(
                pk,
                workflow,
                by_id[attached[pk][0]],
                issues.get(attached[pk][0]),
                attached_at=attached[pk][1],
            )
            for pk, workflow in workflows.items()
        ]
    )


def issues_of(case_pks: Collection[UUID]) -> dict[UUID, ExternalIssue]:
    """Case → the issue it has in Jira, with its account; cases without one are left out."""
    held = ExternalIssue.objects.filter(
        case__in=case_pks, state=State.CREATED, detached_at=None
    ).select_related("account")
    return {issue.case_id: issue for issue in held}


def _integrations(case: Case, issue: ExternalIssue | None) -> dict[str, Any]:
    if issue is None:
        return {"cases": [_case(case)]}
    jira = {"key": issue.issue_key, "status": issue.remote_status, "url": issue.url}
    return {"cases": [_case(case) | {"jira_issue": jira}], "jira": [issue.issue_key]}


def _case(case: Case) -> dict[str, Any]:
    return {
        "id": str(case.pk),
        "key": case.key,
        "status": case.status.lower(),
        "title": case.title,
        "created_at": epoch_ms(case.created_at),
        "updated_at": epoch_ms(case.modified_at),
    }


def _automations(workflow: Mapping[str, Any], case: Case) -> list[dict[str, Any]]:
    others = _other_automations(workflow)
    rule = {
        "rule_id": str(case.rule_id),
        "rule_name": case.rule_name,
        "rule_type": "ticket_creation",
    }
    return [*others, rule]


def _other_automations(workflow: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [a for a in workflow.get("automations", ()) if a["rule_type"] != "ticket_creation"]


def _other_integrations(workflow: Mapping[str, Any]) -> dict[str, Any]:
    there = workflow.get("integrations", {})
    return {name: value for name, value in there.items() if name not in ("cases", "jira")}


def _without_ticket(workflow: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(workflow)
    kept.pop("automations", None)
    if others := _other_automations(workflow):
        kept["automations"] = others
    integrations = _other_integrations(kept)
    kept.pop("integrations", None)
    return {**kept, "integrations": integrations} if integrations else kept
