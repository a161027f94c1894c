"""The rules of one kind, as the public API has them: read, changed, put in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.documents import rule_document
from automation.api.requests import read_order, read_rule
from automation.api.schemas import MAX_PAGE
from automation.destinations.check import require_destinations
from automation.kinds.base import RuleKind
from automation.models import Rule
from automation.rules import services
from automation.rules.data import InvalidRule, RuleData, validate
from automation.rules.order import InvalidOrder
from automation.rules.selectors import page_of_rules, rule_of_kind
from config.accounts.access import answerable
from config.accounts.idempotency import answer_once
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES
from config.lib.datadog_api.paging import page_links, read_page
from config.lib.datadog_api.views import PublicView
from config.lib.jsonapi import ApiError, ApiErrors, error

_AT = {
    "name": "/data/attributes/name",
    "finding_types": "/data/attributes/rule/finding_types",
    "query": "/data/attributes/rule/query",
}
"""Where a client says what the service calls by this name; all else is in the action."""


class KindView(PublicView):
    kind: ClassVar[RuleKind]

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """What the services refuse, as the API says it."""
        try:
            yield
        except Rule.DoesNotExist:
            raise gone() from None
        except InvalidOrder as refusal:
            raise ApiError(422, detail=str(refusal), pointer="/data") from None
        except InvalidRule as refusal:
            raise ApiErrors(
                422,
                [
                    error(422, _sentence(refusal, name), source={"pointer": self._pointer(name)})
                    for name in refusal.errors
                ],
            ) from None

    def require_destination(self, pk: UUID, data: RuleData) -> None:
        """Before any transaction: Jira is asked. Existing clients may name what does not exist."""
        with self.refusals():
            validate(data)
            require_destinations({pk: data}, accepts_missing=True)

    def require_rule(self, pk: UUID) -> Rule:
        rule = rule_of_kind(self.kind.name, pk)
        if rule is None:
            raise gone()
        return rule

    def _pointer(self, name: str) -> str:
        group, _, field = name.partition(".")
        place = self.kind.field_paths.get(group, group)
        at = _AT.get(group, f"/data/attributes/action/{place}")
        return f"{at}/{field}" if field else at


class RulesView(KindView):
    required_permissions = {"GET": Permission.RULES_READ, "POST": Permission.RULES_WRITE}

    def get(self, request: Request) -> Response:
        page = read_page(request, default=MAX_PAGE, most=MAX_PAGE)
        rules, total = page_of_rules(self.kind.name, page.rows)
        return Response(
            {
                "data": [rule_document(rule) for rule in rules],
                "meta": {"page": {"total_filtered_count": total}},
                "links": page_links(request, page, total=total),
            }
        )

    def post(self, request: Request) -> Response:
        before = partial(self._check_new, request)
        return answer_once(request, partial(self._create, request), limit=MAX_BYTES, before=before)

    def _check_new(self, request: Request) -> None:
        data, _ = read_rule(request, self.kind)
        self.require_destination(UUID(int=0), data)

    def _create(self, request: Request) -> Response:
        data, _ = read_rule(request, self.kind)
        with self.refusals():
            rule = services.create_rule(data, actor=answerable(request.user))
        return Response({"data": rule_document(rule)}, status=201)


class RuleView(KindView):
    required_permissions = {
        "GET": Permission.RULES_READ,
        "PUT": Permission.RULES_WRITE,
        "DELETE": Permission.RULES_WRITE,
    }

    def get(self, request: Request, rule_id: str) -> Response:
        return Response({"data": rule_document(self.require_rule(_id(rule_id)))})

    def put(self, request: Request, rule_id: str) -> Response:
        pk = _id(rule_id)
        data, named = read_rule(request, self.kind)
        if named not in (None, pk):
            detail = "The id in the body is not the one in the path."
            raise ApiError(400, detail=detail, pointer="/data/id")
        self.require_rule(pk)
        self.require_destination(pk, data)
        with self.refusals():
            rule = services.edit_rule(pk, data, actor=answerable(request.user))
        return Response({"data": rule_document(rule)})

    def delete(self, request: Request, rule_id: str) -> Response:
        rule = self.require_rule(_id(rule_id))
        with self.refusals():
            services.delete_rule(rule.pk, actor=answerable(request.user))
        return Response(status=204)


class RuleOrderView(KindView):
    required_permissions = {"POST": Permission.RULES_WRITE}

    def post(self, request: Request) -> Response:
        ids = read_order(request, self.kind)
        with self.refusals():
            services.reorder(self.kind.name, ids, actor=answerable(request.user))
        type_ = self.kind.resource_type
        return Response({"data": [{"type": type_, "id": str(pk)} for pk in ids]})


def gone() -> ApiError:
    return ApiError(404, detail="rule does not exist")


def _id(sent: str) -> UUID:
    try:
        return UUID(sent)
    except ValueError:
        raise gone() from None


def _sentence(refusal: InvalidRule, name: str) -> str:
    """A query's error says where in the text it is, for who has no caret to look at."""
    said = refusal.errors[name]
    if name != "query" or refusal.position is None:
        return said
    return f"{said.rstrip('.')} (at character {refusal.position + 1})."
