"""Words of the rule pages, and what other pages show of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from automation.effect_preview import EffectPreview
from automation.engine.rules import RuleSpec
from automation.forms import RuleCriteria
from automation.kinds.base import RuleKind
from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.preview import Preview, PreviewDay
from automation.preview_groups import GroupingChoice
from automation.rules.effect_rows import EffectRow
from automation.rules.selectors import broken_rule_count
from config.lib.utc import short_day_text

register = template.Library()

register.simple_tag(broken_rule_count)


@register.simple_tag
def criteria_of(rule: Rule) -> RuleCriteria:
    path = KINDS[rule.kind].severity_path
    return RuleCriteria.of(rule.finding_types, rule.query or "", severity_path=path)


@register.simple_tag
def criteria_of_spec(spec: RuleSpec, kind: RuleKind) -> RuleCriteria:
    return RuleCriteria.of(spec.finding_types, spec.query, severity_path=kind.severity_path)


@register.simple_tag
def effect_of(row: EffectRow) -> SafeString:
    """What the rule does with a match, as its kind shows it; nothing of one that cannot be read."""
    if row.action is None:
        return SafeString("")
    context = {"row": row, "effect": row.kind.describe(row.action, row.rule.query or "")}
    return render_to_string(row.kind.effect_template, context)


@register.simple_tag
def tickets_stay(tickets: Mapping[UUID, int], rule: Rule) -> str:
    """What deleting the rule does, given how many tickets each rule has created."""
    number = tickets.get(rule.pk, 0)
    stay = {
        0: "It has created no tickets.",
        1: "The ticket it already created stays attached to its finding.",
    }.get(number, f"The {number:,} tickets it already created stay attached to their findings.")
    return f"It stops creating tickets now. {stay}"


@register.simple_tag
def act_of(acts: Mapping[int, UUID], history_id: int) -> UUID | None:
    """The act that this row of a rule's history tells of, if it can be undone."""
    return acts.get(history_id)


@register.simple_tag
def share_bar(preview: Preview) -> SafeString:
    """What would become of the matching findings, as one bar; the numbers stand below it."""
    shares = [
        ("ticketed", preview.ticketed),
        ("joined", preview.joined),
        ("taken", sum(preview.taken.values())),
        ("over", preview.over_limit),
    ]
    return _bar(shares, preview.matched)


@register.simple_tag
def grouping_bar(counted: GroupingChoice) -> SafeString:
    """Which share of a choice's findings takes a slot, or finds none; the numbers stand below."""
    name = "over" if counted.over_limit else "ticketed"
    wanted = counted.tickets + counted.over_limit
    return _bar([(name, wanted)], max(counted.findings, 1))


@register.simple_tag
def effect_bar(preview: EffectPreview) -> SafeString:
    """The same for findings that are there already."""
    acting = [(share.name, share.number) for share in preview.acting()]
    others = [(share.name, share.number) for share in preview.left_alone()]
    return _bar([*acting, ("taken", preview.taken.total()), *others], max(preview.matched, 1))


@register.simple_tag
def part_bar(number: int, whole: int) -> SafeString:
    """How large a part is; the number stands beside it."""
    return format_html(
        '<svg class="part-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="acts" width="{}" height="6"/></svg>',
        f"{100 * number / max(whole, 1):.1f}",
    )


@register.simple_tag
def week_bars(weeks: Sequence[int]) -> SafeString:
    """Findings by the week in which they are due; those before this one are overdue."""
    top = max(weeks, default=0) or 1
    rects = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="8" height="{}"/>',
        (
            ("over" if not nth else "ticketed", nth * _STEP + 1, _TALL - tall, tall)
            for nth, number in enumerate(weeks)
            for tall in (max(round((_TALL - 4) * number / top, 1), 1),)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{} overdue at once, {} due in the {} weeks from today">{}</svg>',
        len(weeks) * _STEP,
        _TALL,
        weeks[0],
        sum(weeks[1:]),
        len(weeks) - 1,
        rects,
    )


def _bar(shares: Iterable[tuple[str, int]], whole: int) -> SafeString:
    left = 0.0
    parts = []
    for name, number in shares:
        width = 100 * number / whole
        is_last = left + width > 99.99  # no gap after it
        if number:
            parts.append((name, f"{left:.2f}", f"{max(width - 0.8 * (not is_last), 0.8):.2f}"))
        left += width
    return format_html(
        '<svg class="share-bar" viewBox="0 0 100 6" preserveAspectRatio="none" '
        'aria-hidden="true">{}</svg>',
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="6"/>', parts),
    )


_TALL = 60
_STEP = 10


@register.simple_tag
def day_bars(preview: Preview, *, limit: int) -> SafeString:
    """Tickets per day against the limit; a limit far above every bar is left out of the scale."""
    days = preview.days
    shows_limit = limit <= 3 * preview.peak
    top = max(preview.peak, limit) if shows_limit else preview.peak
    scale = (_TALL - 4) / top if top else 0.0
    rects = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="8" height="{}"/>',
        (rect for nth, day in enumerate(days) for rect in _day_rects(day, nth, scale)),
    )
    line = format_html(
        '<line x1="0" x2="{}" y1="{}" y2="{}"/>',
        len(days) * _STEP,
        round(_TALL - limit * scale, 1),
        round(_TALL - limit * scale, 1),
    )
    first, last = days[0].day, days[-1].day
    return format_html(
        '<div class="day-bars"><p class="at-limit{above}">limit {limit}{above_text}</p>'
        '<svg viewBox="0 0 {width} {tall}" preserveAspectRatio="none" role="img" '
        'aria-label="Would-be tickets per UTC day from {first} to {last}: {tickets} in all, '
        'at most {peak} on one day, limit {limit}">{rects}{line}</svg>'
        '<p class="ends"><span>{first}</span><span>{last}</span></p></div>',
        limit=limit,
        width=len(days) * _STEP,
        tall=_TALL,
        first=short_day_text(first),
        last=short_day_text(last),
        tickets=preview.ticketed,
        peak=preview.peak,
        rects=rects,
        line=line if shows_limit else "",
        above="" if shows_limit else " above",
        above_text="" if shows_limit else ", above this chart",
    )


def _day_rects(day: PreviewDay, nth: int, scale: float) -> Iterator[tuple[str, int, float, float]]:
    x = nth * _STEP + 1
    tickets, over = round(day.tickets * scale, 1), round(day.over_limit * scale, 1)
    if not day.tickets:
        yield "none", x, _TALL - 1, 1
        return
    yield "ticketed", x, round(_TALL - tickets, 1), tickets
    if over:
        yield "over", x, round(_TALL - tickets - over, 1), over
