"""The explorer's table: its cells, and the addresses of the menus of its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import quote

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.ui_tags import (
    DRAWN,
    ago,
    finding_status,
    severity_pill,
    tag_chip,
    type_icon,
    url_with,
)
from findings.explorer.columns import (
    COLUMNS,
    MAX_COLUMNS,
    SEVERITY,
    Column,
    columns_of,
    named,
)
from findings.explorer.pages import SORTS, Sort
from findings.explorer.table import Cell, Table
from findings.explorer.values import Value, tag_of, where_of
from findings.forms import ExplorerQuery
from findings.grouping import group_field
from findings.models import Finding
from findings.templatetags.explorer import (
    PLACE,
    before_term,
    due_cell,
    grouped_by,
    severity_mark,
)

register = template.Library()
SHOWN_VALUES = 3
MAX_SHOWN, MAX_TITLE = 120, 500
"""Characters of a value in a cell, and of what one sees of it on hovering."""
_MONO = ("cve", "package", "fix", "rule", "resource", "other")


# --- Values: each a link to the findings that have it, and for a script its menu ---------------


class Links:
    """Where the links of values lead: this search, and one term more.

    Of one table, in which many rows have the same value: it is written once.
    """

    def __init__(self, before: str) -> None:
        self.before = before  # the address up to the term
        self.link = cache(self._link)

    def _link(self, value: Value, shown: SafeString | str, *, mono: bool = False) -> SafeString:
        """What is shown of a value as a link, if there is a term for it."""
        kind = " mono" if mono else ""
        if not value.term:
            title = value.text[:MAX_TITLE]
            return format_html('<span class="clip{}" title="{}">{}</span>', kind, title, shown)
        return format_html(
            '<a class="v clip{}" href="{}{}" title="{}" data-term="{}" data-of="{}">{}</a>',
            *(kind, self.before, quote(value.term), value.text, value.term, value.group, shown),
        )


@register.simple_tag(takes_context=True)
def value_links(context: template.Context) -> Links:
    """Made once for a table: it has some hundreds of them."""
    return Links(before_term(context))


@register.simple_tag
def where(finding: Finding, links: Links) -> SafeString:
    """Under the title: what it is known as, and on what it was found."""
    return _in_line(where_of(finding), links, " · ")


@register.simple_tag
def tag_value(tag: str, links: Links) -> SafeString:
    return links.link(tag_of(tag), tag_chip(tag))


@register.simple_tag
def severity_cell(finding: Finding, links: Links) -> SafeString:
    [value] = SEVERITY.values(finding)
    pill = links.link(value, severity_pill(finding.severity))
    return format_html("{}{}", pill, severity_mark(finding))


@register.simple_tag
def cells(finding: Finding, found: Sequence[Cell], links: Links, ticket: SafeString) -> SafeString:
    """Of all columns of a row. The ticket comes as a higher app draws it."""
    return format_html_join(
        "",
        "{}{}</td>",
        (
            (
                _opened(each.css, each.label),
                ticket if each.column.name == "ticket" else _cell(finding, each, links),
            )
            for each in found
        ),
    )


@lru_cache(maxsize=DRAWN)
def _opened(css: str, label: str) -> SafeString:
    """The cells of a column begin alike."""
    labelled = format_html(' data-label="{}"', label) if label else ""
    return format_html('<td role="cell" class="{}"{}>', css, labelled)


def _cell(finding: Finding, found: Cell, links: Links) -> SafeString:
    if draw := _DRAWN.get(found.column.kind):
        return draw(finding, found.values, links)
    if not found.values:
        return format_html('<span class="dim">{}</span>', "—")
    return _in_line(found.values, links, ", ", mono=found.column.kind in _MONO)


def _in_line(
    values: Sequence[Value], links: Links, between: str, *, mono: bool = False
) -> SafeString:
    first = values[:SHOWN_VALUES]
    said = format_html_join(between, "{}", ((links.link(v, _short(v), mono=mono),) for v in first))
    if len(values) == len(first):
        return said
    rest = ", ".join(value.text for value in values[SHOWN_VALUES:])[:MAX_TITLE]
    more = len(values) - len(first)
    return format_html('{} <span class="dim" title="{}">+{}</span>', said, rest, more)


def _short(value: Value) -> str:
    return value.text if len(value.text) <= MAX_SHOWN else f"{value.text[: MAX_SHOWN - 1]}…"


Draw = Callable[[Finding, Sequence[Value], Links], SafeString]


def _type(finding: Finding, values: Sequence[Value], links: Links) -> SafeString:
    return links.link(values[0], type_icon(finding.type_choice))


def _status(finding: Finding, values: Sequence[Value], links: Links) -> SafeString:
    return links.link(values[0], finding_status(finding.status))


def _owner(_finding: Finding, values: Sequence[Value], links: Links) -> SafeString:
    """The service over the team."""
    service, team = (
        next((value for value in values if value.group == group), None)
        for group in ("service", "team")
    )
    return format_html(
        '<div class="clip">{}</div><div class="clip sub small">{}</div>',
        links.link(service, _short(service)) if service else "—",
        links.link(team, _short(team)) if team else "",
    )


def _tags(_finding: Finding, values: Sequence[Value], links: Links) -> SafeString:
    first, more = values[:SHOWN_VALUES], len(values) - SHOWN_VALUES
    chips = format_html_join(
        "", "{}", ((links.link(each, tag_chip(_short(each))),) for each in first)
    )
    rest = ", ".join(value.text for value in values[SHOWN_VALUES:])[:MAX_TITLE]
    note = format_html('<span class="dim" title="{}">+{}</span>', rest, more) if more > 0 else ""
    return format_html('<div class="chips">{}{}</div>', chips, note)


def _time(column: str) -> Draw:
    return lambda finding, _values, _links: ago(getattr(finding, column), short=True)


_DRAWN: dict[str, Draw] = {
    "type": _type,
    "status": _status,
    "owner": _owner,
    "tags": _tags,
    "due": lambda finding, _values, _links: due_cell(finding),
    "seen": _time("first_seen_at"),
    "changed": _time("detection_changed_at"),
    "opened": _time("opened_at"),
    "last": _time("last_seen_at"),
}


# --- The menus of columns -----------------------------------------------------------------------


class Item(NamedTuple):
    label: str
    href: str
    icon: str
    is_now: bool = False


@register.simple_tag(takes_context=True)
def column_menu(
    context: template.Context, column: Column, params: ExplorerQuery
) -> list[list[Item]]:
    """What one can do with a column: parts of its menu."""
    parts = [
        _sorts(context, column, params.sort),
        _groups(context, column),
        _filters(context, column),
        _places(context, column, params),
    ]
    return [part for part in parts if part]


def _sorts(context: template.Context, column: Column, now: Sort) -> list[Item]:
    return [
        Item(
            label,
            url_with(context, sort=sort, page=None),
            "arrow-down" if sort.is_descending else "arrow-up",
            sort is now,
        )
        for sort, label in SORTS.items()
        if column.sort and sort.field == column.sort
    ]


def _groups(context: template.Context, column: Column) -> list[Item]:
    return [
        Item(f"Group by {group_field(name).short}", grouped_by(context, name), "layers")
        for name in column.groups
    ]


def _filters(context: template.Context, column: Column) -> list[Item]:
    if column.field is None:
        return []
    before = before_term(context)
    return [
        Item("Only with a value", f"{before}{quote(column.exists)}", "funnel"),
        Item("Only without", f"{before}{quote(f'-{column.exists}')}", "minus"),
    ]


def _places(context: template.Context, column: Column, params: ExplorerQuery) -> list[Item]:
    names = list(params.columns)
    if column.name not in names:  # always there, or only because the list is in its order
        return []
    at = names.index(column.name)
    items = [
        Item(label, _columns(context, _swapped(names, at, at + by)), icon)
        for label, icon, by in (("Move left", "arrow-left", -1), ("Move right", "arrow-right", 1))
        if 0 <= at + by < len(names)
    ]
    return [*items, Item("Hide", _hidden(context, column, params), "x")]


def _swapped(names: Sequence[str], at: int, to: int) -> list[str]:
    moved = list(names)
    moved[at], moved[to] = moved[to], moved[at]
    return moved


def _hidden(context: template.Context, column: Column, params: ExplorerQuery) -> str:
    """Without the column, and without its order, which would bring it back."""
    rest = [name for name in params.columns if name != column.name]
    if column.sort and column.sort == params.sort.field:
        return url_with(context, cols=named(rest), sort=None, page=None)
    return _columns(context, rest)


def _columns(context: template.Context, names: Sequence[str]) -> str:
    return url_with(context, cols=named(names))


class Chosen(NamedTuple):
    """A line of the list of columns."""

    column: Column
    is_empty: bool
    left: str  # addresses, "" where there is none
    right: str
    hide: str


class Columns(NamedTuple):
    chosen: Sequence[Chosen]
    others: Sequence[Item]
    is_full: bool
    most: int = MAX_COLUMNS


@register.simple_tag(takes_context=True)
def column_choices(context: template.Context, params: ExplorerQuery, table: Table) -> Columns:
    names, empty = list(params.columns), {column.name for column in table.empty}
    chosen = []
    for at, column in enumerate(columns_of(names)):
        left = _columns(context, _swapped(names, at, at - 1)) if at else ""
        right = _columns(context, _swapped(names, at, at + 1)) if at + 1 < len(names) else ""
        hide = _hidden(context, column, params)
        chosen.append(Chosen(column, column.name in empty, left, right, hide))
    is_full = len(names) >= MAX_COLUMNS
    others = [
        Item(column.label, _columns(context, [*names, column.name]), "plus")
        for column in COLUMNS.values()
        if column.name not in names and not is_full
    ]
    return Columns(chosen, others, is_full)


@register.simple_tag(takes_context=True)
def search_fields(context: template.Context) -> list[tuple[str, str]]:
    """Hidden fields of a form that asks for this search again."""
    params = context["request"].GET
    return [
        (name, value)
        for name in params
        if name not in (*PLACE, "add")
        for value in params.getlist(name)
    ]
