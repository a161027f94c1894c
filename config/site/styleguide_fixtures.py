"""What the style guide shows of the larger components: one of each state, none of it stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from automation.kinds.ticket_creation.action import NAME, CreateTicket, Target
from automation.models import DailyUsage, Rule, RuleCheck
from automation.rules.selectors import RuleRow
from config.accounts.models import User
from ticketing.case_lists import CaseRow, Column
from ticketing.issues import Sync, sync_of
from ticketing.models import Case, ExternalIssue, JiraAccount, JiraUser, Project
from ticketing.states import State

SOMEBODY_IN_JIRA = JiraUser(pk=1, user_id="priya", name="Priya Platform")
_PROJECT = Project(key="RISK", name="Cloud Risk")


class SampleForm(forms.Form):
    label = forms.CharField(label="Rule name", initial="Exposed secrets", required=False)
    limit = forms.IntegerField(
        label="Rate limit",
        min_value=1,
        max_value=500,
        help_text="Resets at 00:00 UTC.",
        error_messages={"min_value": "Enter a whole number from 1 to 500."},
    )


SAMPLE_TOASTS = (
    {
        "tone": "volt",
        "title": "Rule Exposed secrets saved",
        "text": "Applies to new findings from now on.",
        "link_url": "#toast-samples",
        "link_label": "View rule",
    },
    {
        "tone": "ok",
        "icon": "circle-check",
        "title": "Exposed secrets moved to position 1",
        "text": "Applies to findings from now on.",
    },
    {
        "tone": "warn",
        "icon": "triangle-alert",
        "title": "You will be signed out in 2 minutes",
        "text": "What is not saved would be lost.",
        "link_url": "#toast-samples",
        "link_label": "Stay signed in",
    },
    {
        "tone": "bad",
        "icon": "circle-x",
        "title": "Order not saved",
        "text": "Tomasz Kowal changed the order a moment ago. The list shows the current order.",
    },
)
_ACTION = CreateTicket(
    target=Target.CASE_MANAGEMENT, project_id=UUID(int=0), max_tickets_per_day=25
)


def sample_rules(someone: User, *, now: datetime) -> list[RuleRow]:
    """Running, full, broken, shadowed, about to fail, disabled."""
    gone = "Case project Cloud Risk was deleted."
    return [
        _rule_row(1, "Exposed secrets", someone, now=now, used=3),
        _rule_row(2, "Public cloud storage", someone, now=now, used=25, over=11),
        _rule_row(3, "Host patching", someone, now=now, enabled=False, auto_disabled_reason=gone),
        _rule_row(4, "Secrets in prod", someone, now=now, shadowed_by=1),
        _rule_row(5, "Attack paths", someone, now=now, warning="Space OPS is not in the webhook."),
        _rule_row(6, "Terraform drift", someone, now=now, enabled=False),
    ]


def _rule_row(
    number: int,
    name: str,
    someone: User,
    *,
    now: datetime,
    used: int = 0,
    over: int = 0,
    shadowed_by: int | None = None,
    warning: str = "",
    **fields: Any,
) -> RuleRow:
    rule = Rule(
        kind=NAME,
        name=name,
        finding_types=["secret", "api_security", "identity_risk"],
        query="@severity:(critical OR high) env:prod",
        modified_at=now - timedelta(days=number),
        modified_by=someone,
        **fields,
    )
    case = Case(key=f"RISK-{number}") if used else None
    return RuleRow(
        rule=rule,
        action=_ACTION,
        reason=rule.auto_disabled_reason,
        number=number,
        project=_PROJECT,
        destination=None,
        assignee=someone if number % 2 else None,
        usage=DailyUsage(rule_id=rule.pk, ticketed=used),
        over_limit=over,
        last_ticket_at=now - timedelta(minutes=6 * number) if case else None,
        last_case=case,
        last_key=case.key if case else "",
        shadowed_by=shadowed_by,
        shadowed_by_id="",
        check=RuleCheck(rule_id=rule.pk, warning=warning) if warning else None,
        waiting=0,
    )


def sample_issues(now: datetime) -> list[ExternalIssue | None]:
    """In every state that a case's issue can be in, and none."""
    created = {"state": State.CREATED, "issue_key": "SEC-4830", "synced_at": now}
    account = JiraAccount(name="acme", site_url="https://acme.atlassian.example")
    states: list[dict[str, Any]] = [
        created,
        created | {"sync_due_at": now},
        created | {"sync_problem": "Jira has no transition to In Progress."},
        created | {"gone_at": now},
        {"state": State.PENDING},
        {"state": State.BLOCKED, "reason": "Team is required for Task in SEC."},
    ]
    return [*(ExternalIssue(account=account, **state) for state in states), None]


def sample_syncs(now: datetime) -> list[Sync]:
    return [sync_of(issue) for issue in sample_issues(now)]


def sample_column(someone: User, *, now: datetime) -> Column:
    """Cards of a rule, a person and a limit notice, with issues of different fortune."""
    kinds: tuple[tuple[Case.Origin, str, dict[str, Any], int], ...] = (
        (Case.Origin.RULE, "P1", {"assignee": someone}, 0),
        (Case.Origin.MANUAL, "P3", {}, 2),
        (Case.Origin.LIMIT_NOTICE, "NOT_DEFINED", {"jira_assignee": SOMEBODY_IN_JIRA}, -1),
    )
    issues = sample_issues(now)
    rows = [
        CaseRow(
            Case(
                key=f"RISK-{nth}",
                title="Active AWS access key committed to payments-api",
                origin=origin,
                rule_name="Exposed secrets",
                priority=priority,
                modified_at=now,
                **assigned,
            ),
            nth,
            issues[at],
        )
        for nth, (origin, priority, assigned, at) in enumerate(kinds, start=1)
    ]
    return Column(Case.Status.OPEN, Case.Status.OPEN.label, rows, len(rows))
