"""Rules that come with the product: shown, and switched on and off."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.documents import default_document
from automation.api.rules import KindView
from automation.rules.default_rows import DefaultRow, default_rows
from automation.rules.defaults import default_row, disable_default, enable_default
from config.accounts.access import answerable
from config.accounts.roles import Permission


class _DefaultView(KindView):
    def answer(self, row: DefaultRow) -> Response:
        return Response({"data": default_document(row, self.kind)})


class DefaultRulesView(_DefaultView):
    required_permissions = {"GET": Permission.RULES_READ}

    def get(self, request: Request) -> Response:
        rows = default_rows(self.kind)
        return Response({"data": [default_document(row, self.kind) for row in rows]})


class DefaultRuleView(_DefaultView):
    required_permissions = {"GET": Permission.RULES_READ}

    def get(self, request: Request, rule_id: str) -> Response:
        with self.refusals():
            return self.answer(default_row(self.kind, rule_id))


class EnableView(_DefaultView):
    required_permissions = {"POST": Permission.RULES_WRITE}

    def post(self, request: Request, rule_id: str) -> Response:
        with self.refusals():
            return self.answer(enable_default(self.kind, rule_id, actor=answerable(request.user)))


class DisableView(_DefaultView):
    required_permissions = {"POST": Permission.RULES_WRITE}

    def post(self, request: Request, rule_id: str) -> Response:
        with self.refusals():
            return self.answer(disable_default(self.kind, rule_id, actor=answerable(request.user)))
