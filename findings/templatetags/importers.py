"""Words of the pages about importers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.ui_tags import icon
from findings.models import Import
from findings.query.ast import Exact, Field, Root, Term
from findings.query.canonical import write

register = template.Library()

_STEP = 17
_WIDE = 13
_TALL = 22


@register.filter
def from_source(name: str) -> str:
    """The query for the findings of a source."""
    return write(Term(Field(Root.TAG, "source"), Exact(name)))


@register.simple_tag
def day_bars(days: Sequence[tuple[date, int]]) -> SafeString:
    """New findings of each UTC day; the numbers are its label."""
    most = max(number for _, number in days)
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (nth * _STEP, _TALL - tall, _WIDE, tall, f"{day:%a} {day.day} {day:%b}: {number:,}")
            for nth, (day, number) in enumerate(days)
            if (tall := max(1, round(_TALL * number / most, 1)) if number else 0)
        ),
    )
    return format_html(
        '<svg class="day-bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        len(days) * _STEP,
        _TALL,
        f"{sum(number for _, number in days):,} new findings in {len(days)} days",
        bars,
    )


@register.simple_tag
def import_result(run: Import) -> SafeString:
    """What came of a report, in a few words."""
    if run.state == Import.State.REFUSED:
        return _result("bad", "circle-x", run.reason)
    if run.state in _NOT_YET:
        return _result("", *_NOT_YET[run.state])
    counts = f"{run.new:,} new" + (f", {run.seen_again:,} seen again" if run.seen_again else "")
    if run.state == Import.State.RUNNING:
        return _result("", "refresh-cw", f"Running: {counts}")
    counts += f", {run.resolved:,} resolved" if run.resolved else ""
    if run.closing == Import.Closing.HELD:
        return _result("warn", "triangle-alert", f"{counts}, {run.missing:,} missing")
    if run.rejected:
        return _result("warn", "triangle-alert", f"{counts}, {run.rejected:,} not taken in")
    return _result("ok", "circle-check", counts)


_NOT_YET = {
    Import.State.CHECKING.value: ("refresh-cw", "Looking it through"),
    Import.State.WAITING.value: ("info", "Waits for a person to import it"),
}


@register.simple_tag
def import_progress(run: Import) -> str:
    """How far it is: records, and bytes of how many."""
    if not run.size:
        return ""
    if not run.bytes_read:
        return f"The file is being checked, {filesizeformat(run.size)}."
    read, size = filesizeformat(run.bytes_read), filesizeformat(run.size)
    return f"{run.received:,} records so far, {read} of {size}."


@register.simple_tag
def import_bar(run: Import) -> SafeString:
    return format_html(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" '
        'aria-label="{}% read"><rect class="bg" width="100" height="6"/>'
        '<rect class="fg" width="{}" height="6"/></svg>',
        run.percent,
        run.percent,
    )


def _result(tone: str, mark: str, text: str) -> SafeString:
    return format_html('<span class="result {}">{}<span>{}</span></span>', tone, icon(mark), text)
