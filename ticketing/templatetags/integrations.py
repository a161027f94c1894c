"""Words of the pages about accounts and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.ui_tags import icon
from ticketing.forms.accounts import masked
from ticketing.health import HOURS, Mark, account_count, warnings
from ticketing.models import Attempt, JiraSpace, Orphan, Project, RequestHour

register = template.Library()
register.filter("masked", masked)

_ICONS = {"ok": "check", "warn": "triangle-alert", "bad": "circle-x", "": "pencil"}
_HERE = "/settings/integrations"
_STEP = 5
_TALL = 20


@register.simple_tag
def mark_badge(mark: Mark) -> SafeString:
    return format_html(
        '<span class="badge {}">{}{}</span>', mark.tone, icon(_ICONS[mark.tone]), mark.text
    )


@register.simple_tag
def request_bars(hours: Sequence[RequestHour]) -> SafeString:
    """Calls in each of the last 24 hours; the numbers are its label."""
    most = max(each.requests for each in hours)
    total = sum(each.requests for each in hours)
    throttled = sum(each.throttled for each in hours)
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="4" height="{}"/>',
        (
            ("warn" if each.throttled else "", nth * _STEP, _TALL - tall, tall)
            for nth, each in enumerate(hours)
            if (tall := round(_TALL * each.requests / most, 1) if most else 0)
        ),
    )
    return format_html(
        '<svg class="request-bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        HOURS * _STEP,
        _TALL,
        f"{total:,} requests in 24 hours, {throttled:,} of them told to wait",
        bars,
    )


@register.simple_tag
def space_chip(space: JiraSpace) -> SafeString:
    """A space, and whether its webhook events reach us."""
    if space.problem:
        tone, said = "bad", space.problem
    elif space.is_verified:
        tone, said = "ok", "Webhook verified"
    else:
        tone, said = "", "No webhook event yet"
    return format_html(
        '<span class="chip mono" title="{}"><span class="dot {}"></span>{}'
        '<span class="vh">: {}</span></span>',
        said,
        tone,
        space.key,
        said,
    )


@register.simple_tag
def orphan_url(orphan: Orphan) -> str:
    return orphan.issue.account.browse_url(orphan.remote_key)


_OUTCOMES = {
    "created": Mark("ok", "Created"),
    "found": Mark("ok", "Found"),
    "absent": Mark("", "Not there"),
    "done": Mark("ok", "Done"),
    "transient": Mark("warn", "Later"),
    "auth": Mark("bad", "Not signed in"),
    "config": Mark("bad", "Refused"),
    "rejected": Mark("bad", "Refused"),
    "unsure": Mark("warn", "Unsure"),
    "failed": Mark("warn", "Failed there"),
    "incomplete": Mark("", "Not all seen"),
    "lost": Mark("warn", "Worker lost"),
    "": Mark("", "At work"),
}


@register.simple_tag
def outcome_badge(attempt: Attempt) -> SafeString:
    mark = _OUTCOMES.get(attempt.outcome) or Mark("", attempt.outcome.capitalize())
    return format_html('<span class="badge {}">{}</span>', mark.tone, mark.text)


@register.inclusion_tag("ticketing/_integration_tabs.html", takes_context=True)
def integration_tabs(context: template.Context, here: str) -> dict[str, Any]:
    """The three pages of integrations; nothing for those who may open only one of them."""
    shown = _may_integrate(context)
    counts = (account_count(), Project.objects.count()) if shown else (0, 0)
    return {"shown": shown, "here": here, "accounts": counts[0], "projects": counts[1]}


@register.simple_tag(takes_context=True)
def integration_warnings(context: template.Context) -> list[Mark]:
    """What people are told on every page but those that show the same on each account."""
    is_admin = _may_integrate(context)
    if not context["request"].user.is_authenticated:
        return []
    if is_admin and context["request"].path.startswith(_HERE):
        return []
    return warnings(is_admin=is_admin)


@register.simple_tag(takes_context=True)
def may_connect_first(context: template.Context) -> bool:
    """Whether this person is the one to connect Jira, which nobody has done yet."""
    return _may_integrate(context) and not account_count()


@register.simple_tag(takes_context=True)
def may_integrate(context: template.Context) -> bool:
    return _may_integrate(context)


def _may_integrate(context: template.Context) -> bool:
    user = getattr(context.get("request"), "user", None)
    return isinstance(user, User) and user.may(Permission.INTEGRATIONS)
