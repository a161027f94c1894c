"""Words of the case pages: who made a case, and what happened to it."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.lib.markdown import render_markdown
from config.lib.ui_tags import bolt, by_person, by_rule, by_test, icon
from ticketing.models import Case, TimelineEntry

register = template.Library()
register.filter("markdown", render_markdown)
Kind = TimelineEntry.Kind


@register.simple_tag
def origin_mark(case: Case) -> SafeString:
    """Who made the case: a bolt for rules, a person, a flask for tests. Never colour alone."""
    if case.origin in (Case.Origin.RULE, Case.Origin.LIMIT_NOTICE):
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


_ICONS = {
    Kind.CREATED: "plus",
    Kind.STATUS: "arrow-left-right",
    Kind.PRIORITY: "flag",
    Kind.ASSIGNEE: "user",
    Kind.TITLE: "pencil",
    Kind.DESCRIPTION: "pencil",
    Kind.ATTACHED: "link",
    Kind.DETACHED: "unlink",
    Kind.MOVED: "arrow-right",
    Kind.ARCHIVED: "archive",
    Kind.UNARCHIVED: "undo-2",
}
_SENTENCES = {
    Kind.CREATED: "Case created",
    Kind.STATUS: "Status changed from <b>{before}</b> to <b>{after}</b>",
    Kind.PRIORITY: "Priority changed from <b>{before}</b> to <b>{after}</b>",
    Kind.TITLE: "Title changed from <b>{before}</b> to <b>{after}</b>",
    Kind.DESCRIPTION: "Description changed",
    Kind.ATTACHED: "Finding <b>{after}</b> attached",
    Kind.DETACHED: "Finding <b>{before}</b> detached",
    Kind.MOVED: "Moved from <b>{before}</b> to <b>{after}</b>",
    Kind.ARCHIVED: "Archived",
    Kind.UNARCHIVED: "Unarchived",
}
_LABELS = {
    Kind.STATUS: dict(Case.Status.choices),
    Kind.PRIORITY: dict(Case.Priority.choices),
}


@register.simple_tag
def happening_icon(entry: TimelineEntry, case: Case) -> SafeString:
    if entry.kind == Kind.CREATED and case.rule_id:
        return bolt(22)
    return format_html('<span class="node">{}</span>', icon(_ICONS[Kind(entry.kind)]))


@register.simple_tag
def happening(entry: TimelineEntry, case: Case) -> SafeString:
    """What an entry of the timeline says: "Status changed from Open to Closed by Maya"."""
    kind = Kind(entry.kind)
    labels = _LABELS.get(kind, {})
    before, after = (labels.get(value, value) for value in (entry.before, entry.after))
    if kind is Kind.ASSIGNEE:
        sentence = "Assigned to <b>{after}</b>" if after else "Unassigned from <b>{before}</b>"
    else:
        sentence = _SENTENCES[kind]
    told = format_html(sentence, before=before, after=after)
    if kind is Kind.CREATED and case.rule_id:
        return format_html("{} by rule <b>{}</b>", told, case.rule_name)
    if entry.actor:
        return format_html("{} by <b>{}</b>", told, entry.actor.name)
    return (
        format_html('{}<span class="sub">. {}</span>', told, entry.reason) if entry.reason else told
    )
