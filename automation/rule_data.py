"""What is said of a rule, and what may be said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.models import Rule
from findings.facts import FindingType
from findings.query.ast import QueryError
from findings.query.parse import parse_rule_query
from ticketing.placeholders import PlaceholderError, check

MAX_NAME = 255
MAX_QUERY = 30_000
MAX_LIMIT = 500
MAX_FIELDS = 64 * 1024  # bytes of JSON: every version of the rules keeps them


class InvalidRule(ValueError):
    """What is wrong with a rule, by field. `position` is where in the query, or else in the
    text of a field, from 0."""

    def __init__(self, errors: dict[str, str], *, position: int | None = None) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """What a person or a client says of a rule."""

    name: str
    finding_types: Sequence[str]
    project_id: UUID
    max_tickets_per_day: int
    query: str = ""
    target: str = Rule.Target.CASE_MANAGEMENT
    assignee_id: UUID | None = None
    fields: dict[str, Any] | None = None
    enabled: bool = True


def data_of(rule: Rule) -> RuleData:
    """What was said of the rule, as it would be said again."""
    return RuleData(
        name=rule.name,
        finding_types=rule.finding_types,
        query=rule.query,
        target=rule.target,
        project_id=rule.project_id,
        assignee_id=rule.assignee_id,
        fields=rule.fields,
        max_tickets_per_day=rule.max_tickets_per_day,
        enabled=rule.enabled,
    )


def validate(data: RuleData) -> None:
    """Raise InvalidRule with every field that is wrong."""
    errors: dict[str, str] = {}
    position = None
    if not data.name.strip() or len(data.name) > MAX_NAME:
        errors["name"] = f"Enter a rule name of 1 to {MAX_NAME} characters."
    if not data.finding_types:
        errors["finding_types"] = "Select at least one finding type."
    elif unknown := [t for t in data.finding_types if t not in set(FindingType)]:
        errors["finding_types"] = f"“{unknown[0]}” is not a finding type."
    if not 1 <= data.max_tickets_per_day <= MAX_LIMIT:
        errors["max_tickets_per_day"] = f"Enter a whole number from 1 to {MAX_LIMIT}."
    if data.target not in Rule.Target.values:
        errors["target"] = "Tickets can be created in Jira and in Case Management."
    try:
        parse_rule_query(data.query)
    except QueryError as error:
        errors["query"] = error.message
        position = error.position
    try:
        check(data.fields)
    except PlaceholderError as error:
        errors["fields"] = error.sentence
        position = position if "query" in errors else error.position
    if len(json.dumps(data.fields).encode()) > MAX_FIELDS:
        errors["fields"] = f"The fields may have {MAX_FIELDS:,} bytes as JSON."
    if errors:
        raise InvalidRule(errors, position=position)
