"""What pages of findings show of tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.db.models import F
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.links import address
from config.lib.ui_tags import icon, ticket_chip
from findings.explorer.pages import Row
from findings.explorer.panel import Entry
from findings.facts import Ticket
from findings.models import Finding
from ticketing.bulk_progress import progress_of, shown_to
from ticketing.bulk_undo import act_offered
from ticketing.issues import Sync, issue_of, sync_of, waiting_by_key
from ticketing.models import ASSIGNEES, Attachment, Case, TimelineEntry
from ticketing.services import MAX_FINDINGS
from ticketing.timeline_undo import with_undo

register = template.Library()


@register.simple_tag
def finding_ticket(finding: Finding, waiting: Mapping[str, Sync] | None = None) -> SafeString:
    """The chip of a finding's ticket, with its popover; no statement.

    `waiting` are those whose issue is not in Jira yet: see `waiting_tickets`.
    """
    if not finding.ticket_key:
        return ticket_chip(ticket=finding.ticket)
    sync = (waiting or {}).get(finding.ticket_key)
    chip = ticket_chip(
        key=_jira_key(finding) or finding.ticket_key,
        ticket=finding.ticket,
        status=finding.ticket_status,
        url=address("ticketing:case-show", finding.ticket_key),
        popover_url=address("ticketing:ticket-popover", finding.finding_id),
        note=_note(sync) if sync else "",
    )
    return format_html('<span class="tk-of" data-ticket="{}">{}</span>', finding.finding_id, chip)


@register.simple_tag
def waiting_tickets(rows: Iterable[Row]) -> Mapping[str, Sync]:
    """Case key → how its issue waits, of those of a page's tickets that wait for one."""
    of_page = [row.finding for row in rows if row.finding.ticket_key]
    keys = {finding.ticket_key for finding in of_page if not _jira_key(finding)}
    return waiting_by_key(keys) if keys else {}


def _jira_key(finding: Finding) -> str:
    """As the finding's own copy of its ticket says."""
    keys = finding.workflow.get("integrations", {}).get("jira", ())
    return str(keys[0]) if keys else ""


def _note(sync: Sync) -> SafeString:
    bad = sync.name == "failed"
    said = f"not created in Jira. {sync.reason}" if bad else "being created in Jira"
    return format_html(
        '<span class="note{}" title="{}">{}<span class="vh">, {}</span></span>',
        " bad" if bad else "",
        said[0].upper() + said[1:],
        icon("triangle-alert" if bad else "refresh-cw"),
        said,
    )


@register.inclusion_tag("ticketing/_ticket_menu.html", takes_context=True)
def ticket_menu(context: template.Context) -> dict[str, Any]:
    """Create and attach, for the findings chosen in the form around it."""
    return {"may_write": _may_write(context)}


@register.inclusion_tag("ticketing/_bulk_actions.html", takes_context=True)
def bulk_actions(context: template.Context) -> dict[str, Any]:
    """What can be done to everything that the explorer's search finds."""
    return {"may_write": _may_write(context), "total": context["total"], "most": MAX_FINDINGS}


@register.inclusion_tag("ticketing/_group_actions.html", takes_context=True)
def group_actions(context: template.Context) -> dict[str, Any]:
    """What can be done to the findings of groups."""
    return {"may_write": _may_write(context), "per": context["params"].grouping.text}


@register.inclusion_tag("ticketing/_bulk_strip.html", takes_context=True)
def bulk_strip(context: template.Context) -> dict[str, Any]:
    """How far the person's own bulk run is; nothing if there is none. Up to five statements."""
    request = context["request"]
    run = shown_to(request.user) if _may_write(context) else None
    return {
        "progress": progress_of(run) if run else None,
        "undo_act": act_offered(run, request.user) if run else None,
        "next": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("ticketing/_ticket_button.html", takes_context=True)
def ticket_button(context: template.Context) -> dict[str, Any]:
    """Create a ticket for the one finding of the form around it."""
    return {"may_write": _may_write(context)}


@register.inclusion_tag("ticketing/_ticket_row.html", takes_context=True)
def ticket_row(context: template.Context, finding: Finding) -> dict[str, Any]:
    attachment = None
    if Ticket(finding.ticket).is_attached:
        with_people = (f"case__{name}" for name in ASSIGNEES)
        attached = Attachment.objects.filter(finding=finding).select_related(*with_people)
        attachment = attached.first()
    case = attachment.case if attachment else None
    issue = issue_of(case) if case else None
    return {
        "finding": finding,
        "case": case,
        "issue": issue,
        "sync": sync_of(issue),
        "waiting": {case.key: sync_of(issue)} if case and issue and not issue.issue_key else {},
        "may_write": _may_write(context),
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def with_ticket_entries(
    context: template.Context, timeline: Iterable[Entry], finding: Finding
) -> list[Entry]:
    """The finding's timeline and that of the case it is attached to, newest first, with Undo
    where the person may."""
    return with_undo(
        [*_ticket_entries(finding), *timeline], finding, person=context["request"].user
    )


def _ticket_entries(finding: Finding) -> list[Entry]:
    if not Ticket(finding.ticket).is_attached:
        return []
    told = (
        TimelineEntry.objects.filter(
            case__attachments__finding=finding,
            kind__in=(TimelineEntry.Kind.CREATED, TimelineEntry.Kind.STATUS),
        )
        .annotate(
            attached_at=F("case__attachments__created_at"),
            attached_by=F("case__attachments__created_by__name"),
        )
        .select_related("case", "actor")
        .order_by("-created_at", "-pk")[:50]
    )
    return [
        _entry(entry) if entry.created_at >= entry.attached_at else _added(entry)
        for entry in told
        if entry.created_at >= entry.attached_at or entry.kind == TimelineEntry.Kind.CREATED
    ]


def _added(entry: Any) -> Entry:  # annotated
    """The finding came to a ticket that was there."""
    case = entry.case
    if entry.attached_by:
        parts = ("Attached to ticket", case.key, "by", entry.attached_by)
        return Entry(entry.attached_at, "link", parts)
    by = ("by rule", case.rule_name) if case.rule_id else ()
    return Entry(entry.attached_at, "bolt" if by else "link", ("Added to ticket", case.key, *by))


def _entry(entry: TimelineEntry) -> Entry:
    case = entry.case
    if entry.kind == TimelineEntry.Kind.STATUS:
        before, after = (Case.Status(status).label for status in (entry.before, entry.after))
        parts = (f"Status of {case.key} changed from", before, "to", after)
        return Entry(entry.created_at, "arrow-left-right", parts, entry.reason)
    made = ("Ticket", case.key, "created")
    if case.origin == Case.Origin.RULE:
        return Entry(entry.created_at, "bolt", (*made[:2], "created by rule", case.rule_name))
    by = ("created by", entry.actor.name) if entry.actor else ("created through the API",)
    return Entry(entry.created_at, "ticket", (*made[:2], *by))


def _may_write(context: template.Context) -> bool:
    user = context["request"].user
    return isinstance(user, User) and user.may(Permission.CASES_WRITE)
