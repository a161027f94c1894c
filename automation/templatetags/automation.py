"""Words of the rule pages, and what other pages show of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from automation.forms import RuleCriteria
from automation.models import Rule
from automation.preview import Preview, PreviewDay
from automation.selectors import broken_rule_count

register = template.Library()

register.simple_tag(broken_rule_count)


@register.simple_tag
def criteria_of(rule: Rule) -> RuleCriteria:
    return RuleCriteria.of(rule.finding_types, rule.query)


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
def share_bar(preview: Preview) -> SafeString:
    """What would become of the matching findings, as one bar; the numbers stand below it."""
    shares = [
        ("ticketed", preview.ticketed),
        ("taken", sum(preview.taken.values())),
        ("over", preview.over_limit),
    ]
    left = 0.0
    parts = []
    for name, number in shares:
        width = 100 * number / preview.matched
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
        first=f"{first.day} {first:%b}",
        last=f"{last.day} {last:%b}",
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
