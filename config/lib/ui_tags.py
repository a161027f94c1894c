"""The words of the pages: small marks that every template may use without loading anything.

Each is a component of the style guide. They are functions rather than templates because a
page of findings has hundreds of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import uuid4
from zlib import crc32

from django import template
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from config.lib.elapsed import elapsed, when_text
from config.lib.links import address
from config.lib.utc import (
    day_text,
    moment_text,
    short_day_text,
    stamp,
    time_text,
    weekday_text,
)

register = template.Library()
register.filter("day", day_text)
register.filter("short_day", short_day_text)
register.filter("weekday", weekday_text)
register.filter("clock", time_text)
register.filter("stamp", stamp)
register.filter("moment", moment_text)
register.filter("elapsed", elapsed)
register.filter("when", when_text)
SUBMISSION_ID = "submission_id"
DRAWN = 500
"""Marks of a kind that are kept: a list shows the same few hundreds of times."""


class TypeChoice(Protocol):
    @property
    def label(self) -> str: ...
    @property
    def icon(self) -> str: ...


class Person(Protocol):
    pk: Any
    name: str


@register.simple_tag
def submission_id() -> SafeString:
    """In a form that makes something: sent twice, it makes one. See `submit_once`."""
    return format_html('<input type="hidden" name="{}" value="{}">', SUBMISSION_ID, uuid4().hex)


@cache
def _sprite() -> str:
    """Its address, which holds for as long as the process does."""
    return static("img/icons.svg")


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def icon(name: str) -> SafeString:
    """An icon of the sprite; it says nothing to a screen reader, so a word or label must."""
    return format_html(
        '<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', _sprite(), name
    )


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def bolt(size: int = 16) -> SafeString:
    """The tile that says: a rule did this. 16, 22 or 44 pixels."""
    return format_html(
        '<span class="bolt b{}" aria-hidden="true"><svg><use href="{}#bolt"/></svg></span>',
        size,
        _sprite(),
    )


@register.filter
def compact(html: str) -> SafeString:
    """Without the lines and the indentation between tags, which are a tenth of a long list. A
    space that shall be seen stands on the line."""
    return mark_safe(_BETWEEN_TAGS.sub("><", html).strip())  # noqa: S308 what a template has escaped


@register.filter
def unquoted(html: str) -> SafeString:
    """Without the quotes that HTML can do without, for what is repeated for each row of a list.

    Templates write none outside of tags: Django escapes those of values."""
    return mark_safe(_QUOTED.sub(r"=\1", html))  # noqa: S308 what a template has escaped


# They begin with what stands there: a look behind at each place takes six times as long.
_QUOTED = re.compile(r'="([\w./#-]+)"(?=[ >])')
_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")


# --- Severity, status, type -----------------------------------------------------------


_BARS_LIT = {"critical": 4, "high": 3, "medium": 2, "low": 1}


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def severity_pill(severity: str, label: str = "") -> SafeString:
    return format_html(
        '<span class="pill {}"><svg aria-hidden="true"><use href="{}#bars-{}"/></svg>{}</span>',
        severity,
        _sprite(),
        _BARS_LIT.get(severity, 0),
        label or str(severity).capitalize(),
    )


_STATUS = '<span class="st {}"><span class="ring" aria-hidden="true"></span>{}</span>'
_FINDING_STATUS = {
    "open": ("", "Open"),
    "in-progress": ("prog", "In progress"),
    "muted": ("muted", "Muted"),
    "resolved": ("closed", "Resolved"),
    "auto_closed": ("closed", "Auto-closed"),
}
_CASE_STATUS = {
    "OPEN": ("", "Open"),
    "IN_PROGRESS": ("prog", "In Progress"),
    "CLOSED": ("closed", "Closed"),
}


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def finding_status(status: str) -> SafeString:
    return format_html(_STATUS, *_FINDING_STATUS[status])


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def case_status(status: str) -> SafeString:
    return format_html(_STATUS, *_CASE_STATUS[status])


@register.simple_tag
def priority(value: str) -> SafeString:
    """A case's priority: P1 to P5, or a dash."""
    if value == "NOT_DEFINED":
        return format_html('<span class="dim">{}</span>', "—")
    return format_html('<span class="prio {}">{}</span>', value.lower(), value)


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def type_icon(choice: TypeChoice) -> SafeString:
    return format_html(
        '<span class="type" role="img" aria-label="{}" title="{}">{}</span>',
        choice.label,
        choice.label,
        icon(choice.icon),
    )


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def type_chip(choice: TypeChoice) -> SafeString:
    return format_html('<span class="chip mark {}">{}</span>', choice.icon, choice.label)


@register.simple_tag
@lru_cache(maxsize=DRAWN)
def tag_chip(text: str) -> SafeString:
    """`key:value` (or `-key:value`, `@attribute:value`) with the key dimmed."""
    key, colon, value = text.partition(":")
    return format_html(
        '<span class="chip tag" title="{}"><span class="k">{}</span>'
        '<span class="clip">{}</span></span>',
        text,
        f"{key}:" if colon else "",
        value if colon else key,
    )


MAX_COUNTED = 10_000
"""How far pages count what may be very much."""


@register.filter
def listed(value: object) -> str:
    """A value of a finding's document, one or a list of them, as it is read: "a, b"."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@register.filter
def thousands(number: int) -> str:
    """ "20,406": how every number of things is written."""
    return f"{number:,}"


@register.filter
def counted(number: int) -> str:
    """`number` of at most MAX_COUNTED + 1 that were counted: "1,284", or "10,000+"."""
    return f"{min(number, MAX_COUNTED):,}{'+' if number > MAX_COUNTED else ''}"


# --- Tickets and limits ---------------------------------------------------------------


@register.simple_tag
def ticket_chip(
    *,
    key: str = "",
    ticket: str,
    status: str = "",
    url: str = "",
    popover_url: str = "",
    note: SafeString | str = "",
) -> SafeString:
    """A finding's ticket: bolt tile when a rule made it, a person's tile when
    somebody did, a flask for a test.

    `ticket` is a `findings.facts.Ticket`, `status` the ticket's own (a case's). With a
    `popover_url` the details open on hover, click and arrow down. `note` stands after the key.
    """
    if ticket == "over_limit":
        return format_html('<span class="badge warn">{}</span>', "Over limit")
    if not key:
        return format_html('<span class="dim">{}</span>', "—")
    done = status.upper() == "CLOSED"
    return format_html(
        '<a class="tk{}" href="{}"{}>{}<span>{}</span>{}{}</a>',
        " done" if done else "",
        url,
        format_html(' data-popover="{}" aria-haspopup="dialog"', popover_url)
        if popover_url
        else "",
        _MADE_BY[ticket](),
        key,
        format_html('{}<span class="vh">closed</span>', icon("check")) if done else "",
        note,
    )


@register.simple_tag
def by_rule() -> SafeString:
    return format_html('{}<span class="vh">{}</span>', bolt(), "By a rule:")


@register.simple_tag
def by_person() -> SafeString:
    return format_html(
        '<span class="by-person">{}</span><span class="vh">{}</span>',
        icon("user-round"),
        "By a person:",
    )


@register.simple_tag
def by_test() -> SafeString:
    return format_html(
        '<span class="by-person">{}</span><span class="vh">{}</span>',
        icon("flask-conical"),
        "Test ticket:",
    )


_MADE_BY = {"automated": by_rule, "manual": by_person, "test": by_test}


@register.simple_tag
def meter(used: int, limit: int, *, off: bool = False) -> SafeString:
    """The bar of a rule's daily limit; the numbers stand in text beside it."""
    percent = min(100, round(100 * used / limit)) if limit else 0
    label = "Not running" if off else f"{used} of {limit} tickets created today"
    return format_html(
        '<svg class="meter{}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><rect class="bg" width="100" height="6"/>'
        '<rect class="fg" width="{}" height="6"/></svg>',
        " full" if used >= limit and not off else "",
        label,
        0 if off else percent,
    )


# --- People and times -----------------------------------------------------------------


@register.simple_tag
def avatar(person: Person | None, *, size: str = "", alone: bool = False) -> SafeString:
    """A person's initials; a dashed outline for nobody. `alone`: no name stands beside it."""
    name = person.name if person else "Unassigned"
    label = (
        format_html('role="img" aria-label="{}" title="{}"', name, name)
        if alone
        else SafeString('aria-hidden="true"')
    )
    if person is None:
        return format_html('<span class="avatar nobody" {}>{}</span>', label, icon("user-round"))
    words = getattr(person, "short_name", name).split()
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    colour = crc32(str(person.pk).encode()) % 8
    return format_html(
        '<span class="avatar a{} {}" data-i="{}" {}></span>', colour, size, initials, label
    )


@register.simple_tag
def person(someone: Person | None) -> SafeString:
    """Avatar and name, or "Unassigned"."""
    return format_html(
        '<span class="person">{}<span class="clip">{}</span></span>',
        avatar(someone),
        someone.name if someone else "Unassigned",
    )


@register.simple_tag
def ago(moment: datetime | None, *, short: bool = False) -> SafeString:
    """How long ago, with the UTC time as title: "6 min ago"; short: "6m ago"."""
    if moment is None:
        return format_html('<span class="dim">{}</span>', "Never")
    return _time(moment, shown=elapsed(moment, short=short), title=moment_text(moment))


@register.simple_tag
def utc(moment: datetime | None) -> SafeString:
    """The time itself: "23 Nov 2026, 09:27 UTC"."""
    if moment is None:
        return format_html('<span class="dim">{}</span>', "—")
    return _time(moment, shown=moment_text(moment), title="")


def _time(moment: datetime, *, shown: str, title: str) -> SafeString:
    hint = format_html(' title="{}"', title) if title else ""
    return format_html('<time datetime="{}"{}>{}</time>', stamp(moment), hint, shown)


# --- Addresses and toasts -------------------------------------------------------------


register.simple_tag(address)


@register.simple_tag(takes_context=True)
def url_with(context: template.Context, **changes: object) -> str:
    """This page's query string with some parameters set, or dropped with None."""
    query = dict(context["request"].GET.lists())  # a copy of a QueryDict costs far more
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value if isinstance(value, list | tuple) else [value]
    return f"?{urlencode(query, doseq=True)}"


_TONES = {
    "success": ("ok", "circle-check"),
    "info": ("info", "info"),
    "debug": ("info", "info"),
    "warning": ("warn", "triangle-alert"),
    "error": ("bad", "circle-x"),
}


@register.inclusion_tag("components/toasts.html", takes_context=True)
def toasts(context: template.Context, *, fragment: bool = False) -> dict[str, Any]:
    """Messages of `django.contrib.messages` and of `config.lib.toasts.toast`.

    The page has the region; a `fragment` for htmx adds its toasts to it.
    """
    request: HttpRequest = context["request"]
    return {"toasts": list(_shown(get_messages(request))), "fragment": fragment}


@register.simple_tag(takes_context=True)
def current(context: template.Context, href: str) -> SafeString:
    """`aria-current` when this page is the one at `href`, or below it."""
    path = context["request"].path
    here = path == href or path.startswith(f"{href}/")
    return SafeString('aria-current="page"' if here else "")


def _shown(messages: Iterable[Message]) -> Iterable[dict[str, Any]]:
    for message in messages:
        tone, mark = _TONES[message.level_tag or "info"]
        tags = (message.extra_tags or "").split()
        content = json.loads(message.message) if "toast" in tags else {"title": message.message}
        yield {"tone": "volt" if "volt" in tags else tone, "icon": mark, **content}
