"""Whose tickets cannot be created, as far as our own tables say: certain, and cheap to ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import CreateTicket
from config.accounts.models import User
from ticketing import allowed_spaces
from ticketing.allowed_spaces import SpaceOf
from ticketing.models import Destination, Project


class DestinationFault(NamedTuple):
    field: str  # of the rule, as `InvalidRule.errors` names it
    reason: str
    is_missing: bool = False  # what the rule names is not there: the public API accepts that


def destination_faults(rules: Sequence[RuleSpec]) -> dict[str, DestinationFault]:
    """Rule id → why its destination cannot take a ticket, for those that cannot."""
    projects = dict(
        Project.objects.filter(pk__in={rule.action.project_id for rule in rules}).values_list(
            "pk", "key"
        )
    )
    people = set(
        User.objects.filter(
            pk__in={rule.action.assignee_id for rule in rules if rule.action.assignee_id},
            is_active=True,
        ).values_list("pk", flat=True)
    )
    destinations = destinations_of(rules)
    closed = allowed_spaces.closed_among(
        {(each.account_id, each.space_id) for each in destinations.values()}
    )
    faults = {}
    for rule in rules:
        action: CreateTicket = rule.action
        project_id = action.project_id
        if project_id not in projects:
            faults[rule.id] = _missing("project", "The case project does not exist.")
        elif action.assignee_id and action.assignee_id not in people:
            reason = "The assignee does not exist or is deactivated."
            faults[rule.id] = _missing("assignee", reason)
        elif action.is_jira and (
            fault := _fault_of(destinations.get(project_id), projects[project_id], closed)
        ):
            faults[rule.id] = fault
    return faults


def destinations_of(rules: Sequence[RuleSpec]) -> dict[UUID, Destination]:
    """Project id → where its issues are created, for the rules whose tickets go to Jira."""
    projects = {rule.action.project_id for rule in rules if rule.action.is_jira}
    rows = Destination.objects.filter(project__in=projects).select_related("account")
    return {destination.project_id: destination for destination in rows}


def _fault_of(
    destination: Destination | None, key: str, closed: Collection[SpaceOf]
) -> DestinationFault | None:
    if destination is None:
        return _missing("project", f"No Jira account is connected to project {key}.")
    if destination.account.deleted_at or destination.account.connected_at is None:
        return DestinationFault("project", f"The Jira account of project {key} was removed.")
    if not destination.is_enabled:
        reason = f"The Jira integration of project {key} is switched off."
        return DestinationFault("project", reason)
    if (destination.account_id, destination.space_id) in closed:
        return DestinationFault("project", allowed_spaces.reason(destination.space_key))
    return None


def _missing(field: str, reason: str) -> DestinationFault:
    return DestinationFault(field, reason, is_missing=True)
