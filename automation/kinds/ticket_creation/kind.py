from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automation.engine.rules import RuleSpec
from automation.kinds.base import Applied, Chunk, Planner, Problem, RuleKind
from automation.kinds.ticket_creation.action import MAX_LIMIT, NAME, CreateTicket, Target
from automation.kinds.ticket_creation.apply import apply
from automation.kinds.ticket_creation.planner import TicketPlanner
from config.lib.tasks import enqueue
from findings.facts import Status
from findings.grouping import UnknownGroupField, group_fields, label_of
from findings.services import Claimed
from ticketing.allowed_spaces import closed_among
from ticketing.allowed_spaces import reason as closed_reason
from ticketing.models import Destination
from ticketing.placeholders import PlaceholderError, check

MAX_FIELDS = 64 * 1024  # bytes of JSON: every version of the rules keeps them


class TicketCreation(RuleKind):
    name = NAME
    label = "Create Ticket"
    slug = "create_ticket"
    icon = "bolt"
    summary = "Open a Jira issue or a case for matching findings"
    effect_label = "Destination"
    done = "tickets"
    resource_type = "ticket_creation_rules"
    rule_type = "ticket_creation"
    Action = CreateTicket
    field_paths = {"project": "project_id", "type": "project_id", "assignee": "fields/assignee"}
    acts_on_existing = False

    def problems(
        self, action: CreateTicket, *, finding_types: Sequence[str], query: str
    ) -> Sequence[Problem]:
        return [*_problems(action)]

    def said(self, action: CreateTicket, *, before: CreateTicket | None) -> CreateTicket:
        """Clients of the public API do not know of groups, and so do not end them."""
        return action.with_unsaid(before)

    def read(self, stored: Mapping[str, Any]) -> CreateTicket:
        action: CreateTicket = super().read(stored)
        return action.with_unsaid(None)

    def brief(self, action: CreateTicket) -> str:
        per = f", one per {label_of(action.grouping)}" if action.grouping else ""
        return f"{Target(action.target).label}{per}, {action.max_tickets_per_day} a day"

    def require_allowed(self, actions: Sequence[CreateTicket]) -> Mapping[str, str]:
        """Tickets are created only where an admin opened the space.

        A rule that is off may wait there: switching it on asks again, and so does each ticket.
        """
        projects = {action.project_id for action in actions if action.is_jira}
        places = list(Destination.objects.filter(project__in=projects)) if projects else []
        closed = closed_among({(place.account_id, place.space_id) for place in places})
        for place in places:
            if (place.account_id, place.space_id) in closed:
                return {"project": closed_reason(place.space_key)}
        return {}

    def rules_changed(self, actions: Sequence[CreateTicket]) -> None:
        if any(action.is_jira for action in actions):
            enqueue("automation.tasks.check_destinations")

    def skips(self, finding: Claimed) -> bool:
        return finding.facts.status == Status.MUTED

    def apply(self, chunk: Chunk) -> Applied:
        return apply(chunk)

    def planner(self, active: Sequence[RuleSpec]) -> Planner:
        return TicketPlanner(active)


def _problems(action: CreateTicket) -> Iterator[Problem]:
    if not 1 <= action.max_tickets_per_day <= MAX_LIMIT:
        sentence = f"Enter a whole number from 1 to {MAX_LIMIT}."
        yield Problem("max_tickets_per_day", sentence)
    if action.target not in set(Target):
        yield Problem("target", "Tickets can be created in Jira and in Case Management.")
    if isinstance(action.group_by, list):
        try:
            group_fields(action.group_by)
        except UnknownGroupField as error:
            yield Problem("group_by", str(error))
    try:
        check(action.fields)
    except PlaceholderError as error:
        yield Problem("fields", error.sentence, error.position)
    if len(json.dumps(action.fields).encode()) > MAX_FIELDS:
        yield Problem("fields", f"The fields may have {MAX_FIELDS:,} bytes as JSON.")
