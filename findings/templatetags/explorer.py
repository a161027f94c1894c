"""Addresses of the explorer's own links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.accounts.access import signed_in
from config.lib.links import address
from config.lib.ui_tags import ago, bolt, icon, url_with
from findings.explorer.columns import assignee_of
from findings.explorer.due import SOON_DAYS, days_left, due_in_words
from findings.explorer.group_address import written
from findings.explorer.groups import Group
from findings.explorer.inbox import TRIAGE_LABELS, Triage, triage_of
from findings.explorer.pages import Sort
from findings.explorer.set_by import due_button_of, inbox_entry_of, set_severity_of
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.suggest import team_names
from findings.tabs import Tab, tabs_of

register = template.Library()
LIST = "findings:finding-list"
PLACE = (
    *("page", "finding", "tab", "open", "open_none", "more"),
    *("in", "in_of", "in_none", "in_any"),
)


@register.simple_tag(takes_context=True)
def only_this(context: template.Context, facet: str, value: str) -> str:
    """This search with this one value of the facet."""
    dropped = (f"{facet}_of", f"find_{facet}", "page")
    return url_with(context, **{facet: value}, **dict.fromkeys(dropped))


@register.simple_tag(takes_context=True)
def sorted_by(context: template.Context, name: str, now: Sort) -> str:
    """This search sorted by the column: the largest first, then the other way round; what is
    due soon comes first."""
    first, other = (name, f"-{name}") if name == "due" else (f"-{name}", name)
    turned = other if now == first else first
    return url_with(context, sort=turned, page=None)


@register.simple_tag(takes_context=True)
def view_tabs(context: template.Context, params: ExplorerQuery) -> list[Tab]:
    """One statement."""
    return tabs_of(signed_in(context["request"]), params.state)


@register.simple_tag
def team_options() -> SafeString:
    """For a field with list="teams": the teams that findings name, as they write them."""
    options = format_html_join("", '<option value="{}"></option>', ((n,) for n in team_names()))
    return format_html('<datalist id="teams">{}</datalist>', options)


class GroupLinks(NamedTuple):
    """Addresses of a group's row."""

    findings: str  # the list of them
    toggled: str  # this page with the group open, or closed
    more: str  # this page with more of it
    members: str  # its rows alone
    within: str  # what a form says to choose it


@register.simple_tag(takes_context=True)
def whole_search(context: template.Context) -> str:
    """Made once for all groups of a page: no page, no finding, no group of it."""
    return _without_place(context)


@register.simple_tag
def group_links(group: Group, whole: str, *, is_open: bool = False) -> GroupLinks:
    chosen = written(group.within)
    within = urlencode(chosen)
    opened = urlencode([(name.replace("in", "open"), value) for name, value in chosen])
    here = f"{address(LIST)}?{whole}"
    return GroupLinks(
        f"{here}&{within}",
        here if is_open else f"{here}&{opened}",
        f"{here}&{opened}&more=yes",
        f"{address('findings:explorer-group')}?{whole}&{within}",
        within,
    )


@register.simple_tag(takes_context=True)
def grouped_by(context: template.Context, name: str) -> str:
    """This search grouped by something else, or not at all."""
    query = _without_place(context, "group")
    return f"{address(LIST)}?{query}{f'&group={quote(name)}' if name else ''}"


def before_term(context: template.Context) -> str:
    """The address of this search with one term more, up to that term."""
    query = context["request"].GET.copy()
    for name in PLACE:
        query.pop(name, None)
    text = query.pop("q", [""])[-1].strip()
    text = f"({text})" if " OR " in text else text
    rest = f"{query.urlencode()}&" if query else ""
    return f"{address(LIST)}?{rest}q={quote(f'{text} ' if text else '')}"


@register.simple_tag(takes_context=True)
def every_group(context: template.Context) -> str:
    """All findings of this search that are in a group."""
    return f"{address(LIST)}?{_without_place(context)}&in_any=yes"


def _without_place(context: template.Context, *more: str) -> str:
    """The address of the whole search."""
    query = context["request"].GET.lists()
    left_out = (*PLACE, *more)
    return urlencode({name: values for name, values in query if name not in left_out}, doseq=True)


@register.filter
def count_of(counts: Mapping[str, str] | str, key: str) -> str:
    """The number beside a tab, where they were counted."""
    return counts.get(key, "") if isinstance(counts, Mapping) else ""


@register.filter
def assignee(finding: Finding) -> str:
    return assignee_of(finding)


@register.simple_tag
def severity_mark(finding: Finding) -> SafeString:
    """Beside the pill, where the severity is not the source's: by a person or by a rule."""
    found = set_severity_of(finding)
    if found is None:
        return SafeString("")
    mark, kind = (icon("user"), "by-person") if found.person else (bolt(), "by-rule")
    return format_html(
        '<span class="{}" role="img" tabindex="0" aria-label="{}" data-tip="{}">{}</span>',
        *(kind, found.text, found.text, mark),
    )


@register.simple_tag
def due_cell(finding: Finding) -> SafeString:
    """When it is due, and the day."""
    due = due_button_of(finding)
    if due is None or finding.due_at is None:
        return format_html('<span class="dim">{}</span>', "—")
    days = days_left(finding.due_at)
    kind = "bad" if days < 0 else "warn" if days <= SOON_DAYS else ""
    return format_html(
        '<div class="due {}">{}</div><div class="sub small">{}</div>',
        *(kind, due_in_words(days), due.label),
    )


@register.simple_tag
def triage_cell(finding: Finding) -> SafeString:
    """Whether somebody is at it, and who."""
    triage = triage_of(finding)
    kind = "" if triage is Triage.PENDING else "prog"
    return format_html(
        '<span class="st {}"><span class="ring" aria-hidden="true"></span>{}</span>'
        '<div class="clip sub small">{}</div>',
        *(kind, TRIAGE_LABELS[triage], assignee_of(finding) or "Unassigned"),
    )


@register.simple_tag
def added_cell(finding: Finding) -> SafeString:
    """Which rule or person put it into the Inbox, and when."""
    added = inbox_entry_of(finding)
    return format_html(
        '<div class="clip" title="{}">{}</div><div class="sub small">{}{}</div>',
        added.name,
        added.name or "—",
        "Default · " if added.is_default else "",
        ago(added.at, short=True) if added.at else "",
    )


@register.simple_tag(takes_context=True)
def toggled(context: template.Context, name: str, value: str, chosen: bool) -> str:  # noqa: FBT001
    """This page with only this value of the panel, or with none if that is chosen."""
    return url_with(context, **{name: None if chosen else value, "page": None})
