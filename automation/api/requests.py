"""What clients send of rules: its shape. What the values may be is for the services."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request

from automation.kinds.base import RuleKind
from automation.rules.data import MAX_NAME, MAX_QUERY, RuleData
from config.lib.datadog_api.documents import check_type, read_document
from config.lib.datadog_api.shapes import Document, Replaced, ResourceId, documented, of, only
from findings.facts import FindingType

Action = TypeVar("Action")
Name = Annotated[str, documented(minLength=1, maxLength=MAX_NAME)]


class Scope(Struct):
    finding_types: Annotated[list[Annotated[str, only(*FindingType)]], documented(minItems=1)]
    query: Annotated[
        str | None,
        Meta(description="Without `@workflow.*` and `@status`, which change after the decision."),
        documented(maxLength=MAX_QUERY),
    ] = None


class RuleRequest(Struct, Generic[Action]):
    name: Name
    rule: Scope
    action: Action
    enabled: Annotated[bool | None, Meta(description="Default: true.")] = None


def read_rule(request: Request, kind: RuleKind) -> tuple[RuleData, UUID | None]:
    """The rule as the service takes it, and the id that the document names.

    What is absent is what a new rule would have.
    """
    shape = of(Document, of(Replaced, str, of(RuleRequest, kind.Action)))
    resource = read_document(request, shape).data
    check_type(resource.type, kind.resource_type, pointer="/data/type")
    said = resource.attributes
    data = RuleData(
        name=said.name,
        enabled=said.enabled is not False,
        finding_types=said.rule.finding_types,
        query=said.rule.query,
        action=said.action,
    )
    return data, resource.id


def read_order(request: Request, kind: RuleKind) -> list[UUID]:
    items = read_document(request, Document[list[ResourceId[str]]]).data
    for place, item in enumerate(items):
        check_type(item.type, kind.resource_type, pointer=f"/data/{place}/type")
    return [item.id for item in items]
