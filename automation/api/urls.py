from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema_view

from automation.api.default_rules import (
    DefaultRulesView,
    DefaultRuleView,
    DisableView,
    EnableView,
)
from automation.api.rules import KindView, RuleOrderView, RulesView, RuleView
from automation.api.schemas import Operations
from automation.kinds.base import RuleKind
from automation.kinds.registry import ORDER

app_name = "automation-api"

_AUTOMATION = "security/findings/automation"


def _paths(kind: RuleKind) -> Iterator[URLPattern]:
    root, operations = f"{_AUTOMATION}/{kind.resource_type}", Operations(kind)
    yield path(root, _view(RulesView, kind, get=operations.list(), post=operations.create()))
    yield path(f"{root}/reorder", _view(RuleOrderView, kind, post=operations.reorder()))
    one = _view(
        RuleView, kind, get=operations.show(), put=operations.replace(), delete=operations.delete()
    )
    yield path(f"{root}/<rule_id>", one)
    if kind.defaults:
        yield from _paths_of_defaults(kind)


def _paths_of_defaults(kind: RuleKind) -> Iterator[URLPattern]:
    root, operations = f"{_AUTOMATION}/default_{kind.resource_type}", Operations(kind)
    one = f"{root}/<rule_id>"
    yield path(root, _view(DefaultRulesView, kind, get=operations.list_defaults()))
    yield path(one, _view(DefaultRuleView, kind, get=operations.one_default("get")))
    yield path(f"{one}/enable", _view(EnableView, kind, post=operations.one_default("enable")))
    yield path(f"{one}/disable", _view(DisableView, kind, post=operations.one_default("disable")))


def _view(view: type[KindView], kind: RuleKind, **operations: Any) -> Any:
    """The view for one kind of rules, with what the document says of its methods."""
    own: Any = type(f"{type(kind).__name__}{view.__name__}", (view,), {"kind": kind})
    return extend_schema_view(**operations)(own).as_view()


urlpatterns = [each for kind in ORDER for each in _paths(kind)]
