"""News from below: findings are answered by ringing the queue, a broken destination at once. What
a dry run asks of the rules is answered by `foresight`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.dispatch import receiver

from automation.decisions.explain import rules_over_limit
from automation.foresight import Foresight
from automation.kinds.ticket_creation.tickets import issue_fields, over_limit_update
from automation.models import Rule
from automation.rules.data import action_of, known_action
from automation.rules.selectors import jira_rules, rules_of_project
from automation.rules.services import break_rules
from config.lib.tasks import enqueue
from findings import services as findings
from findings.imports.rule_counts import foresee_with
from findings.signals import findings_recorded
from ticketing import outbox
from ticketing.models import Destination, ExternalIssue
from ticketing.signals import destination_broken, findings_detached, project_deleting

foresee_with(Foresight)


@receiver(findings_recorded)
def enqueue_evaluation(**_: object) -> None:
    enqueue("automation.tasks.evaluate")


@receiver(destination_broken)
def break_its_rule(
    rule_id: UUID, reason: str, field: str, issue: ExternalIssue, **_: object
) -> None:
    """In the transaction that blocks the ticket: both happen, or neither."""
    rule = Rule.objects.filter(pk=rule_id).first()
    if rule is None or _was_repaired_since(rule, issue):
        return
    broken = break_rules({rule_id: reason}, field=field)
    if broken and (alike := _alike(rule, reason, field, issue)):
        broken = break_rules(dict.fromkeys(alike, reason), field=field)
        outbox.block_waiting(broken, like=issue, reason=reason, field=field)


@receiver(project_deleting)
def keep_the_project_of_rules(project_id: UUID, **_: object) -> str:
    """What rules need the project for."""
    names = list(rules_of_project(project_id).values_list("name", flat=True))
    if not names:
        return ""
    said = "1 rule that creates" if len(names) == 1 else f"{len(names)} rules that create"
    return f"{said} tickets in it ({', '.join(names[:3])}{', …' if names[3:] else ''})"


@receiver(findings_detached)
def return_over_limit(finding_pks: Sequence[int], **_: object) -> None:
    """The ticket of a test or of a person is gone: they are among those over a limit again."""
    rules = rules_over_limit(finding_pks)
    if rules:
        workflows = findings.lock_workflows(rules)
        findings.store_tickets(
            [over_limit_update(pk, workflow, rules[pk]) for pk, workflow in workflows.items()]
        )


def _was_repaired_since(rule: Rule, issue: ExternalIssue) -> bool:
    """Whether what the ticket was refused for is no longer what the rule says."""
    if rule.modified_at <= issue.case.created_at:
        return False
    action = action_of(rule)
    place = Destination.objects.filter(project_id=action.project_id)
    is_there = place.filter(
        account=issue.account_id, space_id=issue.space_id, type_id=issue.type_id
    )
    return issue_fields(action.fields) != issue.fields or not is_there.exists()


def _alike(rule: Rule, reason: str, field: str, issue: ExternalIssue) -> list[UUID]:
    """The rules whose next ticket would be refused like this one: in the same place, with the
    same value of the field at fault.

    One refusal says nothing of them yet; the second rule that breaks for this reason does. So
    a thousand rules on one space that is gone cost two tries, and two versions of the rules.
    """
    places = Destination.objects.filter(
        account=issue.account_id, space_id=issue.space_id, type_id=issue.type_id
    )
    projects = [str(pk) for pk in places.values_list("project_id", flat=True)]
    of_place = jira_rules().filter(action__project_id__in=projects).exclude(pk=rule.pk)
    if not of_place.filter(auto_disabled_reason=reason).exists():
        return []
    value = issue.fields.get(field)
    said = {other.pk: known_action(other) for other in of_place.filter(enabled=True)}
    return [
        pk
        for pk, action in said.items()
        if action and issue_fields(action.fields).get(field) == value
    ]
