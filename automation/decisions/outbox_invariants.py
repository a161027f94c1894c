"""The law of the outbox: each promise has one issue, and each case made for Jira one promise."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from automation.kinds.ticket_creation.action import NAME
from automation.rules.active import specs_of
from ticketing.models import Attachment, Case, ExternalIssue
from ticketing.outbox.numbers import by_state
from ticketing.states import State


def violations() -> Iterator[str]:
    """Every way in which promises contradict the law, from the tables alone."""
    yield from _one_promise_for_each_case_of_jira()
    yield from _one_issue_for_each_promise()
    yield from _findings_mirror_their_issues()


def counts() -> str:
    """The promises by state, for a person."""
    return ", ".join(f"{each.number} {each.state}" for each in by_state())


def _one_promise_for_each_case_of_jira() -> Iterator[str]:
    """A second one at a time is refused by a constraint; one that is missing is seen here."""
    bare = Case.objects.filter(origin__in=Case.MADE_BY_RULES, external_issues=None)
    for_jira: dict[int, set[str]] = {}
    for key, rule_id, number in bare.values_list("key", "rule_id", "rule_set_version"):
        version = number or 0
        if version not in for_jira:
            specs = specs_of(NAME, version)
            for_jira[version] = {spec.id for spec in specs if spec.action and spec.action.is_jira}
        if str(rule_id) in for_jira[version]:
            yield f"{key} was made for Jira and nothing was promised there."


def _one_issue_for_each_promise() -> Iterator[str]:
    created = ExternalIssue.objects.filter(state=State.CREATED)
    for issue in created.filter(issue_key=""):
        yield f"Promise {issue.key} is kept by an issue without a key."
    shared = created.filter(detached_at=None).order_by().values("account", "issue_key")
    for row in shared.annotate(number=Count("pk")).filter(number__gt=1):
        yield f"{row['issue_key']} stands for {row['number']} promises."
    lost = ExternalIssue.objects.filter(state=State.SENDING, lease_until=None)
    for issue in lost:
        yield f"Promise {issue.key} is being sent by nobody."


def _findings_mirror_their_issues() -> Iterator[str]:
    attached = Attachment.objects.filter(
        case__external_issues__state=State.CREATED, case__external_issues__detached_at=None
    ).values_list("finding__finding_id", "finding__workflow", "case__external_issues__issue_key")
    for finding_id, workflow, key in attached:
        if workflow.get("integrations", {}).get("jira") != [key]:
            yield f"Finding {finding_id} has the issue {key} and does not say so."
