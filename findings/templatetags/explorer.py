"""Addresses of the explorer's own links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template

from config.accounts.access import signed_in
from config.lib.ui_tags import url_with
from findings.explorer.columns import COLUMNS, assignee_of
from findings.explorer.pages import COUNTED, Sort
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.tabs import Tab, tabs_of

register = template.Library()


@register.simple_tag(takes_context=True)
def only_this(context: template.Context, facet: str, value: str) -> str:
    """This search with this one value of the facet."""
    return url_with(context, **{facet: value, f"{facet}_of": None, "page": None})


@register.simple_tag(takes_context=True)
def sorted_by(context: template.Context, name: str, now: Sort) -> str:
    """This search sorted by the column: the largest first, then the other way round."""
    turned = name if now == f"-{name}" else f"-{name}"
    return url_with(context, sort=turned, page=None)


@register.simple_tag(takes_context=True)
def column_links(context: template.Context, shown: Sequence[str]) -> list[tuple[str, str, bool]]:
    """For each column its label, the address that turns it over, and whether it is shown."""
    links = []
    for name, column in COLUMNS.items():
        named = [other for other in COLUMNS if (other in shown) is not (other == name)]
        href = url_with(context, cols=",".join(named) or "none")
        links.append((column.label, href, name in shown))
    return links


@register.simple_tag(takes_context=True)
def view_tabs(context: template.Context, asked: ExplorerQuery) -> list[Tab]:
    """One statement."""
    return tabs_of(signed_in(context["request"]), asked.state)


@register.filter
def count_of(counts: Mapping[str, str] | str, key: str) -> str:
    """The number beside a tab, where they were counted."""
    return counts.get(key, "") if isinstance(counts, Mapping) else ""


@register.filter
def assignee(finding: Finding) -> str:
    return assignee_of(finding)


@register.filter
def counted(number: int) -> str:
    """A number of findings that match: "1,284", or "10,000+" beyond what is counted."""
    return f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"


@register.filter
def thousands(number: int) -> str:
    return f"{number:,}"
