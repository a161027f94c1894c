"""Ticket creation rules, as the public API has them: read, changed, put in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automation import services
from automation.api import schemas
from automation.api.documents import rule_document
from automation.api.requests import TYPE, OrderDocument, RuleDocument, rule_data, rule_order
from automation.models import Rule
from automation.rule_data import InvalidRule
from automation.selectors import page_of_rules, rule_by_id
from config.accounts import idempotency
from config.accounts.access import answerable
from config.accounts.idempotency import answer_once
from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError, ApiErrors, error
from config.lib.public.documents import MAX_BYTES, read_document
from config.lib.public.paging import page_links, read_page
from config.lib.public.schemas import answers, page_parameters
from config.lib.public.views import PublicView
from config.lib.request_body import JSON

MAX_PAGE = 1000
_ID = OpenApiParameter("rule_id", str, OpenApiParameter.PATH, description="A UUID.")
_AT = {
    "name": "/data/attributes/name",
    "finding_types": "/data/attributes/rule/finding_types",
    "query": "/data/attributes/rule/query",
    "target": "/data/attributes/action/target",
    "max_tickets_per_day": "/data/attributes/action/max_tickets_per_day",
    "fields": "/data/attributes/action/fields",
}
"""Where a client says what the service calls by this name."""


class RulesView(PublicView):
    required_permissions = {"GET": Permission.RULES_READ, "POST": Permission.RULES_WRITE}

    @extend_schema(
        operation_id="list_security_findings_automation_ticket_creation_rules",
        summary="List ticket creation rules",
        description="In the order in which they are tried.",
        parameters=page_parameters(default=MAX_PAGE, most=MAX_PAGE),
        responses=answers(200, schemas.LIST),
    )
    def get(self, request: Request) -> Response:
        page = read_page(request, default=MAX_PAGE, most=MAX_PAGE)
        rules, total = page_of_rules(page.rows)
        return Response(
            {
                "data": [rule_document(rule) for rule in rules],
                "meta": {"page": {"total_filtered_count": total}},
                "links": page_links(request, page, total=total),
            }
        )

    @extend_schema(
        operation_id="create_security_findings_automation_ticket_creation_rule",
        summary="Create a ticket creation rule",
        description="It becomes the last of the list, and acts on findings from now on. Whether "
        "the project and the assignee exist shows when the rule first makes a ticket.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schemas.CREATE},
        responses=answers(201, schemas.ONE, 409, 422),
    )
    def post(self, request: Request) -> Response:
        return answer_once(request, partial(_create, request), limit=MAX_BYTES)


class RuleView(PublicView):
    required_permissions = {
        "GET": Permission.RULES_READ,
        "PUT": Permission.RULES_WRITE,
        "DELETE": Permission.RULES_WRITE,
    }

    @extend_schema(
        operation_id="get_security_findings_automation_ticket_creation_rule",
        summary="Show a ticket creation rule",
        parameters=[_ID],
        responses=answers(200, schemas.ONE),
    )
    def get(self, request: Request, rule_id: str) -> Response:
        rule = rule_by_id(_id(rule_id))
        if rule is None:
            raise _gone()
        return Response({"data": rule_document(rule)})

    @extend_schema(
        operation_id="update_security_findings_automation_ticket_creation_rule",
        summary="Replace a ticket creation rule",
        description="What is absent is cleared. Enabling a broken rule clears the reason.",
        parameters=[_ID],
        request={JSON: schemas.UPDATE},
        responses=answers(200, schemas.ONE, 422),
    )
    def put(self, request: Request, rule_id: str) -> Response:
        pk = _id(rule_id)
        document = read_document(request, RuleDocument)
        data = rule_data(document)
        if document.data.id not in (None, pk):
            detail = "The id in the body is not the one in the path."
            raise ApiError(400, detail=detail, pointer="/data/id")
        with _refusals():
            rule = services.edit_rule(pk, data, actor=answerable(request.user))
        return Response({"data": rule_document(rule)})

    @extend_schema(
        operation_id="delete_security_findings_automation_ticket_creation_rule",
        summary="Delete a ticket creation rule",
        description="The tickets it made stay as they are.",
        parameters=[_ID],
        responses=answers(204, None),
    )
    def delete(self, request: Request, rule_id: str) -> Response:
        with _refusals():
            services.delete_rule(_id(rule_id), actor=answerable(request.user))
        return Response(status=204)


class RuleOrderView(PublicView):
    required_permissions = {"POST": Permission.RULES_WRITE}

    @extend_schema(
        operation_id="reorder_security_findings_automation_ticket_creation_rules",
        summary="Put the ticket creation rules in order",
        description="Names every rule once. Of two orders at once the later one stands, whole.",
        request={JSON: schemas.ORDER},
        responses=answers(200, schemas.ORDER, 422),
    )
    def post(self, request: Request) -> Response:
        ids = rule_order(read_document(request, OrderDocument))
        with _refusals():
            services.reorder(ids, actor=answerable(request.user))
        return Response({"data": [{"type": TYPE, "id": str(pk)} for pk in ids]})


def _create(request: Request) -> Response:
    data = rule_data(read_document(request, RuleDocument))
    with _refusals():
        rule = services.create_rule(data, actor=answerable(request.user))
    return Response({"data": rule_document(rule)}, status=201)


def _id(sent: str) -> UUID:
    try:
        return UUID(sent)
    except ValueError:
        raise _gone() from None


def _gone() -> ApiError:
    return ApiError(404, detail="rule does not exist")


@contextmanager
def _refusals() -> Iterator[None]:
    """What the services refuse, as the API says it."""
    try:
        yield
    except Rule.DoesNotExist:
        raise _gone() from None
    except services.InvalidOrder as refusal:
        raise ApiError(422, detail=str(refusal), pointer="/data") from None
    except InvalidRule as refusal:
        raise ApiErrors(
            422,
            [
                error(422, _sentence(refusal, name), source={"pointer": _AT[name]})
                for name in refusal.errors
            ],
        ) from None


def _sentence(refusal: InvalidRule, name: str) -> str:
    """A query's error says where in the text it is, for who has no caret to look at."""
    said = refusal.errors[name]
    if name != "query" or refusal.position is None:
        return said
    return f"{said.rstrip('.')} (at character {refusal.position + 1})."
