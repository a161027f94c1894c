"""Words and charts of the overview. The numbers always stand in text beside the bars."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.elapsed import when_text
from config.lib.utc import weekday_text
from config.site.overview.broken import Broken
from config.site.overview.severities import SeverityCount
from config.site.overview.tickets import TicketDay

register = template.Library()

_STEPS = (1, 2, 3, 5)
_LINES = 3
_CAUSES = 3
_GRID = SafeString(
    '<svg class="lines" viewBox="0 0 10 3" preserveAspectRatio="none">'
    + "".join(f'<line x2="10" y1="{n}" y2="{n}"/>' for n in range(_LINES + 1))
    + "</svg>"
)


@register.filter
def duration(seconds: float) -> str:
    """ "38 s", "2 min 4 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


@register.filter
def hours(number: int) -> str:
    """How long something took, as `counting` knows it: "5 h", "3 d 4 h", "27 d"."""
    days, rest = divmod(number, 24)
    if not days:
        return f"{rest} h" if rest else "under 1 h"
    return f"{days:,} d {rest} h" if rest else f"{days:,} d"


@register.simple_tag
def broken_title(broken: Broken) -> str:
    number = len(broken.rules)
    return f"{number:,} rules are broken." if number > 1 else "1 rule is broken."


@register.simple_tag
def broken_text(broken: Broken) -> str:
    """Who was disabled, since when, and what went without a ticket."""
    names = [rule.name for rule in broken.rules[:3]]
    if len(broken.rules) > 1:
        rest = len(broken.rules) - len(names)
        last = f"{rest:,} more" if rest else names.pop()
        who, when = f"{', '.join(names)} and {last} were auto-disabled: {_causes(broken)}", ""
    else:
        who, when = f"{names[0]} was auto-disabled", ""
        if broken.at:
            when = f" {when_text(broken.at, is_kept=True)}"
    them = "them" if len(broken.rules) > 1 else "it"
    return f"{who}{when}. {_missed(broken, them)}{_waiting(broken)}"


def _missed(broken: Broken, them: str) -> str:
    if not broken.missed:
        return f"No finding has matched {them} since then."
    number = f"{'At least ' if broken.is_cut else ''}{broken.missed:,}"
    have = "finding has" if broken.missed == 1 else "findings have"
    return f"{number} {have} matched {them} since then and got no ticket."


def _waiting(broken: Broken) -> str:
    if not broken.waiting:
        return ""
    tickets = "ticket waits" if broken.waiting == 1 else "tickets wait"
    return f" {broken.waiting:,} {tickets} for the destination."


def _causes(broken: Broken) -> str:
    """ "The space is archived (997 rules); Team is required (3 rules)"."""
    shown = [
        f"{why.rstrip('.')} ({number:,} rule{'' if number == 1 else 's'})"
        for why, number in list(broken.causes.items())[:_CAUSES]
    ]
    rest = len(broken.causes) - len(shown)
    more = [f"{rest:,} more reason{'' if rest == 1 else 's'}"] if rest else []
    return "; ".join(shown + more)


@register.simple_tag
def severity_bar(row: SeverityCount, rows: Sequence[SeverityCount]) -> SafeString:
    most = max(each.open for each in rows) or 1
    return format_html(
        '<svg class="sev-bar {}" viewBox="0 0 100 10" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="all" width="{}" height="10"/>'
        '<rect class="part" width="{}" height="10"/></svg>',
        row.severity,
        round(100 * row.open / most, 2),
        round(100 * row.ticketed / most, 2),
    )


@register.simple_tag
def step_bar(number: int, total: int, tone: str) -> SafeString:
    return format_html(
        '<svg class="meter {}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bg" width="100" height="6"/><rect class="fg" width="{}" height="6"/></svg>',
        tone,
        round(100 * number / total, 2) if total else 0,
    )


@register.simple_tag
def ticket_chart(days: Sequence[TicketDay]) -> SafeString:
    """Stacked bars of each UTC day; the label says all of it in a sentence."""
    step = _step(max(day.automated + day.manual for day in days))
    top = _LINES * step
    every = 15 if len(days) > 40 else 5 if len(days) > 10 else 1
    parts = [
        _column(day, top, shown=(len(days) - nth) % every == 0) for nth, day in enumerate(days, 1)
    ]
    columns = format_html_join(
        "",
        '<li><a href="{}" aria-label="{}" data-tip="{}"><svg viewBox="0 0 10 100" '
        'preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="auto" width="10" y="{}" height="{}"/>'
        '<rect class="hand" width="10" y="{}" height="{}"/></svg></a>'
        '<span aria-hidden="true">{}</span></li>',
        parts,
    )
    axis = format_html_join("", "<span>{}</span>", ((f"{n * step:,}",) for n in (3, 2, 1, 0)))
    return format_html(
        '<div class="chart"><div class="axis" aria-hidden="true">{}</div><div class="plot">'
        '<div aria-hidden="true">{}</div><ul>{}</ul></div></div>',
        axis,
        _GRID,
        columns,
    )


def _column(
    day: TicketDay, top: int, *, shown: bool
) -> tuple[str, str, str, float, float, float, float, str]:
    auto, hand = 100 * day.automated / top, 100 * day.manual / top
    gap = 1 if day.automated and day.manual else 0
    label = weekday_text(day.day).rpartition(" ")[0]  # without the month
    sentence = f"{weekday_text(day.day)}: {day.automated:,} automated, {day.manual:,} manual"
    low = round(100 - auto, 2)
    high = round(low - hand, 2)
    bars = (low, round(auto, 2), high, max(0, round(hand - gap, 2)))
    return day.href, sentence, sentence, *bars, label if shown else ""


def _step(most: int) -> int:
    """The round number of which three reach `most`."""
    size = 1
    while True:
        for nth in _STEPS:
            if _LINES * nth * size >= most:
                return nth * size
        size *= 10
