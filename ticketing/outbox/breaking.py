"""When the failure of one ticket is the fault of its rule."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ticketing.models import Attempt, Case, ExternalIssue
from ticketing.outbox.moves import move
from ticketing.signals import destination_broken
from ticketing.states import State
from ticketing.trackers.base import Fault, TrackerError

ENOUGH = 3
"""So many different tickets refused for the same reason are no accident of their content."""


def consider(issue: ExternalIssue, error: TrackerError) -> None:
    """Break the rule of this blocked ticket if its configuration is at fault.

    In the transaction that blocked it. The rule's other tickets would fail alike, and each
    try could cost the space a number: they wait as well. Tickets made by hand, tests and
    what a limit notice says never break a rule.
    """
    rule_id, origin = issue.case.rule_id, issue.case.origin
    if rule_id is None or origin not in Case.MADE_BY_RULES:
        return
    if error.fault != Fault.CONFIG and not (
        origin == Case.Origin.RULE and _is_repeated(issue, error)
    ):
        return
    block_waiting([rule_id], like=issue, reason=error.reason, field=error.field)
    destination_broken.send(
        sender=ExternalIssue, rule_id=rule_id, reason=error.reason, field=error.field, issue=issue
    )


def block_waiting(
    rule_ids: Collection[UUID], *, like: ExternalIssue, reason: str, field: str
) -> int:
    """Hold what these rules promised in the place of `like` until it is repaired; how many."""
    alike = ExternalIssue.objects.filter(
        case__rule_id__in=rule_ids,
        case__origin__in=Case.MADE_BY_RULES,
        account=like.account_id,
        space_id=like.space_id,
        type_id=like.type_id,
    )
    why = {"fault": Fault.CONFIG, "reason": reason, "field": field}
    return move(alike, State.PENDING, State.BLOCKED, **why)


def _is_repeated(issue: ExternalIssue, error: TrackerError) -> bool:
    """Whether enough tickets of the rule were refused like this since one was created."""
    of_rule = ExternalIssue.objects.filter(
        case__rule_id=issue.case.rule_id, case__origin=Case.Origin.RULE
    )
    latest = of_rule.filter(state=State.CREATED).order_by("-delivered_at").first()
    alike = of_rule.filter(
        state=State.BLOCKED, fault=Fault.REJECTED, field=error.field, reason=error.reason
    )
    if latest is not None:
        refused = Attempt.objects.filter(
            outcome=Fault.REJECTED, ended_at__gt=latest.delivered_at
        ).values("issue")
        alike = alike.filter(pk__in=refused) | alike.filter(pk=issue.pk)
    return alike.count() >= ENOUGH
