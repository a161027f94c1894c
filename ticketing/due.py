"""Which issues somebody should look at: the queue of the sync, and its bell."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.lib.tasks import enqueue
from ticketing.models import Case, ExternalIssue, JiraAccount, JiraUser
from ticketing.states import State


def mark_due(cases: Iterable[Case]) -> None:
    """Have the issues of these cases read and written soon, if they have any.

    In the caller's transaction, so that no change here is ever forgotten: one statement.
    """
    _mark(ExternalIssue.objects.filter(case__in=list(cases)))


def mark_issue_due(account: JiraAccount, issue_id: str) -> None:
    """The same for an issue there, which need not be one of ours."""
    _mark(ExternalIssue.objects.filter(account=account, issue_id=issue_id))


def mark_assigned_due(users: Collection[JiraUser]) -> None:
    """The same for the cases of these people, who were known in Jira alone until now."""
    _mark(ExternalIssue.objects.filter(case__jira_assignee__in=users))


def mark_blocked_due(project_id: UUID) -> None:
    """The same for those of a project that Jira asked something of that nobody had answered."""
    _mark(ExternalIssue.objects.filter(case__project=project_id).exclude(closing_field=""))


def ring() -> None:
    enqueue("ticketing.tasks.sync")


def _mark(issues: QuerySet[ExternalIssue]) -> None:
    followed = issues.filter(state=State.CREATED, detached_at=None)
    # Set even if it is due already: whoever works on it now must see that it is due again.
    if followed.update(sync_due_at=timezone.now()):
        ring()
