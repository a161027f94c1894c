"""News from below: findings are answered by ringing the queue, a broken destination at once."""

from __future__ import annotations

from uuid import UUID

from django.dispatch import receiver

from automation.models import Rule
from automation.services import break_rule
from automation.tickets import issue_fields
from config.lib.tasks import enqueue
from findings.signals import findings_recorded
from ticketing.models import Destination, ExternalIssue
from ticketing.signals import destination_broken, project_deleting


@receiver(findings_recorded)
def ring_evaluation(**_: object) -> None:
    enqueue("automation.tasks.evaluate")


@receiver(destination_broken)
def break_its_rule(
    rule_id: UUID, reason: str, field: str, issue: ExternalIssue, **_: object
) -> None:
    """In the transaction that blocks the ticket: both happen, or neither."""
    rule = Rule.objects.filter(pk=rule_id).first()
    if rule is not None and not _was_repaired_since(rule, issue):
        break_rule(rule_id, reason=reason, field=field)


@receiver(project_deleting)
def keep_the_project_of_rules(project_id: UUID, **_: object) -> str:
    """What rules need the project for."""
    names = list(Rule.objects.filter(project_id=project_id).values_list("name", flat=True))
    if not names:
        return ""
    said = "1 rule that creates" if len(names) == 1 else f"{len(names)} rules that create"
    return f"{said} tickets in it ({', '.join(names[:3])}{', …' if names[3:] else ''})"


def _was_repaired_since(rule: Rule, issue: ExternalIssue) -> bool:
    """Whether what the ticket was refused for is no longer what the rule says."""
    if rule.modified_at <= issue.case.created_at:
        return False
    place = Destination.objects.filter(project_id=rule.project_id)
    is_there = place.filter(
        account=issue.account_id, space_id=issue.space_id, type_id=issue.type_id
    )
    return issue_fields(rule.fields) != issue.fields or not is_there.exists()
