"""Would the tickets of a rule be accepted? Asked right before a rule that is on is saved.

What our own tables say is certain. Jira itself is asked once for each destination, and not for
long: one that does not answer stops nobody from saving, and `early_warning` asks it again.
Called outside of transactions, because it may take seconds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import NAME, CreateTicket
from automation.kinds.ticket_creation.destination_faults import destination_faults, destinations_of
from automation.kinds.ticket_creation.tickets import issue_fields
from automation.models import Rule
from automation.rules.data import InvalidRule, RuleData, data_of, rule_spec
from config.lib.deadline import Deadline
from ticketing.accounts import is_callable
from ticketing.destinations import Place
from ticketing.models import JiraAccount
from ticketing.place_check import Cause, TicketPlace, checker_for

log = structlog.stdlib.get_logger(__name__)

SECONDS = 8.0
"""For all that is asked of Jira while somebody waits for rules to be saved."""
TIMEOUT = 4.0
"""How long Jira may be silent, in seconds."""
_FIELDS = {"": "project", "project": "project", "issuetype": "type", "assignee": "assignee"}


def require_destinations(wanted: Mapping[UUID, RuleData], *, accepts_missing: bool = False) -> str:
    """Raise InvalidRule if tickets of these rules, by their ids, would surely be refused.

    Nothing is asked of a rule that is off, or creates none. Returns why something could not be
    found out, for a person; empty if everything was. With `accepts_missing` a rule may name a
    project, an account or a person that is not there: that shows when it is used.
    """
    specs = [
        rule_spec(pk, data)
        for pk, data in wanted.items()
        if data.enabled and isinstance(data.action, CreateTicket)
    ]
    faults = destination_faults(specs)
    for spec in specs:
        fault = faults.get(spec.id)
        if fault and not (accepts_missing and fault.is_missing):
            raise _refusal(spec, fault.field, fault.reason, among=wanted)
    return _look_at_all([spec for spec in specs if spec.id not in faults], among=wanted)


def require_destinations_of(rule_ids: Collection[UUID]) -> str:
    """The same for stored rules that are about to be switched on, or to deliver."""
    rules = Rule.objects.filter(kind=NAME, pk__in=rule_ids)
    return require_destinations({rule.pk: replace(data_of(rule), enabled=True) for rule in rules})


def require_place(account: JiraAccount, place: Place, fields: Mapping[str, Any] | None) -> str:
    """The same for a place that no project is linked to yet."""
    return _look(account, place, issue_fields(fields), Deadline(SECONDS))


def _look_at_all(specs: Sequence[RuleSpec], *, among: Collection[UUID]) -> str:
    places, deadline = destinations_of(specs), Deadline(SECONDS)
    unknown: dict[tuple[UUID, str], str] = {}
    for spec in specs:
        action: CreateTicket = spec.action
        if not action.is_jira:
            continue
        there, fields = places[action.project_id], issue_fields(action.fields)
        same = (there.project_id, json.dumps(fields, sort_keys=True))
        if same in unknown:
            continue
        try:
            unknown[same] = _look(there.account, there, fields, deadline)
        except InvalidRule as refusal:
            [(field, reason)] = refusal.errors.items()
            raise _refusal(spec, field, reason, among=among) from None
    return " ".join(dict.fromkeys(filter(None, unknown.values())))


def _look(
    account: JiraAccount, place: TicketPlace, fields: Mapping[str, Any], deadline: Deadline
) -> str:
    if not is_callable(account, now=timezone.now()):
        return _unknown(account.problem or f"{account.name} may not be called at the moment.")
    with checker_for(account, deadline=deadline, patience=TIMEOUT) as checker:
        problem = checker.check(place, fields)
    if problem is None:
        return ""
    if problem.cause is Cause.ACCOUNT:
        log.info("destination not checked", account=account.name, reason=problem.reason)
        return _unknown(problem.reason)
    field = _FIELDS.get(problem.field, f"fields.{problem.field}")
    raise InvalidRule({field: problem.reason})


def _refusal(spec: RuleSpec, field: str, reason: str, *, among: Collection[UUID]) -> InvalidRule:
    return InvalidRule({field: f"“{spec.name}”: {reason}" if len(among) > 1 else reason})


def _unknown(reason: str) -> str:
    return f"Whether Jira takes the tickets could not be checked: {reason}"
