"""Links that lead from findings to the editor of a new rule, with a search for its criteria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from automation.kinds.registry import ORDER
from automation.rules.templates import TEMPLATES, RuleTemplate
from config.accounts.access import signed_in
from config.accounts.roles import Permission
from config.lib.links import address
from findings.explorer.group_address import written
from findings.explorer.groups import Group
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.query.ast import Exact, Field, Node, Or, Root, Term
from findings.query.canonical import write
from findings.tabs import Tab

register = template.Library()
DESCRIBING = ("env", "team", "service")
"""Keys of the tags that tell which findings are like this one."""


@register.inclusion_tag("automation/_create_from.html", takes_context=True)
def create_rule_from(
    context: template.Context, params: ExplorerQuery, tabs: Sequence[Tab]
) -> dict[str, Any]:
    """From the search of the page, under the name that it is saved under."""
    name = next((tab.name for tab in tabs if tab.is_now and tab.query), "")
    return _links(context, params.state, name=name, id="search", label="Create rule from this")


@register.inclusion_tag("automation/_create_from.html", takes_context=True)
def create_rule_from_finding(context: template.Context, finding: Finding) -> dict[str, Any]:
    """For findings like this one."""
    found = _links(context, search_of_finding(finding), id="finding", label="Create rule")
    return found | {"button": True}


@register.simple_tag(takes_context=True)
def rule_from_group_url(context: template.Context, group: Group, params: ExplorerQuery) -> str:
    """The editor's address for the findings of a group; "" for who may not write rules."""
    if not _may_write(context):
        return ""
    state = "&".join(filter(None, [params.state, urlencode(written(group.within))]))
    return _address(address("automation:rule-create"), state)


@register.simple_tag
def rule_templates() -> Sequence[RuleTemplate]:
    return TEMPLATES


def search_of_finding(finding: Finding) -> str:
    """The explorer's address for those of its type and severity that have the same describing
    tags."""
    terms = [_any_of(key, finding.tags) for key in DESCRIBING]
    query = " ".join(
        f"({write(node)})" if isinstance(node, Or) else write(node) for node in terms if node
    )
    chosen = [("severity", finding.severity), ("type", finding.type_choice.value)]
    return urlencode(([("q", query)] if query else []) + chosen)


def _any_of(key: str, tags: Sequence[str]) -> Node | None:
    values = [value for name, _, value in (tag.partition(":") for tag in tags) if name == key]
    nodes = tuple(Term(Field(Root.TAG, key), Exact(value)) for value in dict.fromkeys(values))
    return nodes[0] if len(nodes) == 1 else Or(nodes) if nodes else None


def _links(context: template.Context, state: str, *, name: str = "", **more: str) -> dict[str, Any]:
    addresses = [
        (kind, _address(reverse("automation:rule-create-of", args=[kind.slug]), state, name))
        for kind in reversed(ORDER)
    ]
    return {"may_write_rules": _may_write(context), "kinds": addresses, **more}


def _address(path: str, state: str, name: str = "") -> str:
    params = [("search", state)] + ([("name", name)] if name else [])
    return f"{path}?{urlencode(params)}"


def _may_write(context: template.Context) -> bool:
    return signed_in(context["request"]).may(Permission.RULES_WRITE)
