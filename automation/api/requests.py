"""What clients send of rules: its shape. What the values may be is for `automation.services`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from automation.rule_data import RuleData
from config.lib.public.documents import check_type

TYPE = "ticket_creation_rules"


class Scope(msgspec.Struct):
    finding_types: list[str]
    query: str | None = None


class Action(msgspec.Struct):
    target: str
    project_id: UUID
    max_tickets_per_day: int
    assignee_id: UUID | None = None
    fields: dict[str, Any] | None = None


class Attributes(msgspec.Struct):
    name: str
    rule: Scope
    action: Action
    enabled: bool | None = None


class RuleResource(msgspec.Struct):
    type: str
    attributes: Attributes
    id: UUID | None = None  # of an update; older clients send none


class RuleDocument(msgspec.Struct):
    data: RuleResource


class OrderItem(msgspec.Struct):
    id: UUID
    type: str


class OrderDocument(msgspec.Struct):
    data: list[OrderItem]


def rule_data(document: RuleDocument) -> RuleData:
    """The rule as the service takes it. What is absent is what a new rule would have."""
    check_type(document.data.type, TYPE, pointer="/data/type")
    said = document.data.attributes
    return RuleData(
        name=said.name,
        enabled=said.enabled is not False,
        finding_types=said.rule.finding_types,
        query=said.rule.query or "",
        target=said.action.target,
        project_id=said.action.project_id,
        assignee_id=said.action.assignee_id,
        max_tickets_per_day=said.action.max_tickets_per_day,
        fields=said.action.fields,
    )


def rule_order(document: OrderDocument) -> list[UUID]:
    for place, item in enumerate(document.data):
        check_type(item.type, TYPE, pointer=f"/data/{place}/type")
    return [item.id for item in document.data]
