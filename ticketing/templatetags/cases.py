"""Words of the case pages: who made a case, and what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.accounts.models import User
from config.lib.markdown import render_markdown
from config.lib.ui_tags import avatar, bolt, by_person, by_rule, by_test, icon
from config.lib.utc import day_text, short_day_text
from ticketing.case_findings import LinkedFindings
from ticketing.case_groups import ShownGroup
from ticketing.commenting import may_change
from ticketing.issues import Sync
from ticketing.models import Case, SyncMode, TimelineEntry
from ticketing.taking import IN_JIRA

register = template.Library()
register.filter("markdown", render_markdown)
Kind = TimelineEntry.Kind
US = "Findings Automation"  # what nobody wrote, for a reason


@register.simple_tag
def origin_mark(case: Case) -> SafeString:
    """Who made the case: a bolt for rules, a person, a flask for tests. Never colour alone."""
    if case.origin in Case.MADE_BY_RULES:
        notice = case.origin == Case.Origin.LIMIT_NOTICE
        said = f"{'Limit notice of rule' if notice else 'Created by rule'} {case.rule_name}"
        return format_html('<span class="origin" title="{}">{}</span>', said, by_rule())
    if case.origin == Case.Origin.TEST:
        return format_html('<span class="origin" title="Test ticket">{}</span>', by_test())
    if case.origin == Case.Origin.API:
        return format_html(
            '<span class="origin" title="Created through the API"><span class="by-person">{}</span>'
            '<span class="vh">Through the API:</span></span>',
            icon("plug"),
        )
    return format_html('<span class="origin" title="Created by a person">{}</span>', by_person())


@register.simple_tag
def due_date(case: Case, *, short: bool = False) -> SafeString:
    """The day, and in words, too, that it has passed while the case is open; `short` with an icon
    for who sees it."""
    if case.due_date is None:
        return format_html('<span class="dim">{}</span>', "—")
    day = day_text(case.due_date)
    time = format_html('<time datetime="{}">{}</time>', case.due_date.isoformat(), day)
    if not case.is_overdue:
        return time
    if short:
        mark = format_html('{}<span class="vh"> overdue</span>', icon("triangle-alert"))
        return format_html('<span class="due bad" title="Overdue">{}{}</span>', time, mark)
    return format_html('<span class="due bad">{} · overdue</span>', time)


_BAR = 116  # pixels wide


@register.simple_tag
def status_bar(linked: LinkedFindings) -> SafeString:
    """How many findings have each status, as a bar; the numbers stand in words before it."""
    start, parts = 0.0, []
    for status, _, number in linked.statuses:
        wide = round(_BAR * number / linked.total, 2)
        parts.append((status, round(start, 2), wide))
        start += wide
    rects = format_html_join("", '<rect class="{}" x="{}" width="{}" height="6"/>', parts)
    return format_html(
        '<svg class="status-bar" viewBox="0 0 {} 6" aria-hidden="true">{}</svg>', _BAR, rects
    )


_ICONS = {
    Kind.CREATED: "plus",
    Kind.STATUS: "arrow-left-right",
    Kind.PRIORITY: "flag",
    Kind.ASSIGNEE: "user",
    Kind.TITLE: "pencil",
    Kind.DESCRIPTION: "pencil",
    Kind.ATTACHED: "link",
    Kind.GROUPED: "layers",
    Kind.DETACHED: "unlink",
    Kind.MOVED: "arrow-right",
    Kind.ARCHIVED: "archive",
    Kind.UNARCHIVED: "undo-2",
    Kind.ISSUE: "refresh-cw",
    Kind.CONFLICT: "git-merge",
    Kind.DUE_DATE: "calendar-clock",
    Kind.ATTRIBUTES: "tag",
    Kind.RESOLVED: "circle-check",
}
_LABELS = {
    Kind.STATUS: dict(Case.Status.choices),
    Kind.PRIORITY: dict(Case.Priority.choices),
}


@register.simple_tag
def happening_icon(entry: TimelineEntry, case: Case) -> SafeString:
    if entry.kind in (Kind.CREATED, Kind.GROUPED) and case.rule_id:
        return bolt(22)
    return format_html('<span class="node">{}</span>', icon(_ICONS[Kind(entry.kind)]))


@register.simple_tag
def happening(entry: TimelineEntry, case: Case, group: ShownGroup | None = None) -> SafeString:
    """What an entry of the timeline says: "Status changed from Open to Closed by Maya".

    `group` is that of the case, if it has one.
    """
    kind = Kind(entry.kind)
    labels = _LABELS.get(kind, {})
    before, after = (labels.get(value, value) for value in (entry.before, entry.after))
    sentence = _sentence(kind, entry)
    told = format_html(sentence, before=before, after=after, reason=entry.reason.rstrip("."))
    if kind is Kind.CREATED and case.rule_id:
        return format_html("{} by rule <b>{}</b>{}", told, case.rule_name, _follows(group))
    if kind is Kind.ASSIGNEE and not entry.actor and entry.author == IN_JIRA:
        return told  # by whom, Jira does not say
    if entry.actor or entry.author:
        is_link = kind in (Kind.ATTACHED, Kind.DETACHED)
        why = f". {entry.reason}" if is_link and entry.reason else ""
        by = format_html("{} by <b>{}</b>", told, who(entry))
        return format_html('{}<span class="sub">{}</span>', by, why) if why else by
    if entry.key_name:
        return format_html("{} by the API key <b>{}</b>", told, entry.key_name)
    if entry.reason and "{reason}" not in sentence:
        return format_html('{}<span class="sub">. {}</span>', told, entry.reason)
    return told


def _follows(group: ShownGroup | None) -> SafeString:
    """The ticket before it, if the group had one."""
    if group is None or (before := group.row.follows) is None:
        return SafeString("")
    link = format_html(
        '<a class="link" href="{}">{}</a>',
        reverse("ticketing:case-show", args=[before.key]),
        before,
    )
    if group.row.is_continuation:
        return format_html('<span class="sub">. It continues {}, which was full.</span>', link)
    closed = f", closed {short_day_text(before.closed_at)}" if before.closed_at else ""
    sentence = '<span class="sub">. It follows {}, the earlier ticket for {}{}.</span>'
    return format_html(sentence, link, group.subject, closed)


def _sentence(kind: Kind, entry: TimelineEntry) -> str:
    said = _SENTENCES[kind]
    return said if isinstance(said, str) else said(entry)


def _assignee_sentence(entry: TimelineEntry) -> str:
    if entry.author:  # somebody's act in Jira
        who = "<b>{after}</b> was assigned" if entry.after else "<b>{before}</b> was unassigned"
        return f"{who} in Jira"
    return "Assigned to <b>{after}</b>" if entry.after else "Unassigned from <b>{before}</b>"


def _due_sentence(entry: TimelineEntry) -> str:
    return "Due on <b>{after}</b>" if entry.after else "No longer due on <b>{before}</b>"


def _issue_sentence(entry: TimelineEntry) -> str:
    if entry.reason:
        return "{reason}"
    if not entry.after:
        return "Jira issue <b>{before}</b> unlinked"
    return (
        "Jira issue <b>{after}</b> linked" if entry.actor else "Created in Jira as <b>{after}</b>"
    )


def _attached_sentence(entry: TimelineEntry) -> str:
    """One finding by its title; or how many, with the ticket that they were split from."""
    if entry.before:
        return "<b>{after}</b> split from <b>{before}</b>"
    return "Finding <b>{after}</b> attached"


def _detached_sentence(entry: TimelineEntry) -> str:
    if entry.after:
        return "<b>{before}</b> split into <b>{after}</b>"
    return "Finding <b>{before}</b> detached"


def _grouped_sentence(entry: TimelineEntry) -> str:
    number = "<b>1 finding added</b>" if entry.after == "1" else "<b>{after} findings added</b>"
    return f"{number}, in {{reason}}" if entry.reason else number


_SENTENCES: Mapping[Kind, str | Callable[[TimelineEntry], str]] = {
    Kind.CREATED: "Case created",
    Kind.STATUS: "Status changed from <b>{before}</b> to <b>{after}</b>",
    Kind.PRIORITY: "Priority changed from <b>{before}</b> to <b>{after}</b>",
    Kind.TITLE: "Title changed from <b>{before}</b> to <b>{after}</b>",
    Kind.DESCRIPTION: "Description changed",
    Kind.ASSIGNEE: _assignee_sentence,
    Kind.DUE_DATE: _due_sentence,
    Kind.ISSUE: _issue_sentence,
    Kind.GROUPED: _grouped_sentence,
    Kind.ATTACHED: _attached_sentence,
    Kind.DETACHED: _detached_sentence,
    Kind.MOVED: "Moved from <b>{before}</b> to <b>{after}</b>",
    Kind.ARCHIVED: "Archived",
    Kind.UNARCHIVED: "Unarchived",
    Kind.CONFLICT: "{reason}: <b>{before}</b> gave way to <b>{after}</b>",
    Kind.ATTRIBUTES: "Attributes changed",
    Kind.RESOLVED: "Resolved as <b>{after}</b>",
}


@register.simple_tag
def who(entry: TimelineEntry) -> str:
    """By name; somebody in Jira may be nobody here."""
    if entry.actor:
        return entry.actor.name
    return entry.author or entry.key_name or (US if entry.reason else "The API")


@register.filter
def changeable_by(entry: TimelineEntry, person: User) -> bool:
    """Whether that person may edit or delete the comment."""
    return may_change(entry, person)


@register.simple_tag
def comment_marks(entry: TimelineEntry) -> SafeString:
    """Beside the name: where a comment came from, and that it is not what was said first."""
    marks = []
    if entry.author:
        marks.append(format_html('<span class="badge">{}from Jira</span>', icon("ticket")))
    elif entry.key_name:
        marks.append(format_html('<span class="badge">{}API key</span>', icon("plug")))
    if entry.edited_at and not entry.deleted_at:
        tip = entry.reason or "Edited in Jira."
        said = f"edited by {entry.edited_by}" if entry.edited_by else "edited"
        marks.append(format_html('<span class="sub small" title="{}">{}</span>', tip, said))
    return format_html_join("", " {}", ((mark,) for mark in marks))


@dataclass
class _Stranger:
    pk: str
    name: str


@register.simple_tag
def face(entry: TimelineEntry) -> SafeString:
    """The avatar of who wrote it, also of somebody in Jira who is nobody here."""
    name = entry.author or entry.key_name or (US if entry.reason else "")
    if name and not entry.actor:
        return avatar(_Stranger(name, name))
    return avatar(entry.actor)


# --- The issue in Jira ----------------------------------------------------------------


@register.simple_tag
def sync_state(sync: Sync) -> SafeString:
    """An icon and a word; why, as its tip."""
    return format_html(
        '<span class="sync {}"{}>{}{}</span>',
        sync.tone,
        format_html(' title="{}"', sync.reason) if sync.reason else "",
        icon(sync.icon) if sync.name != "none" else "",
        sync.label,
    )


_DIRECTIONS = {
    SyncMode.TWO_WAY: ("both ways", "arrow-left-right"),
    SyncMode.ONCE: ("at creation", "arrow-right"),
    SyncMode.OFF: ("not synced", "minus"),
}


@register.simple_tag
def direction(mode: str) -> SafeString:
    """Which way a field goes, beside its value."""
    words, name = _DIRECTIONS[SyncMode(mode)]
    return format_html('<span class="vh">, {}</span>{}', words, icon(name))


@register.simple_tag
def direction_in_words(mode: str, group: object = None) -> SafeString:
    """`group` is that of the case, where the field follows its findings."""
    is_followed = group and mode == SyncMode.ONCE
    words, name = (
        ("with its findings", "arrow-right") if is_followed else _DIRECTIONS[SyncMode(mode)]
    )
    return format_html("{}{}", words, icon(name))
