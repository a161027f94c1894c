"""Words of the pages about importers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from config.lib.ui_tags import icon
from config.lib.utc import weekday_text
from findings.explorer.of_import import part_of_import
from findings.imports.undo import UndoPlan
from findings.models import Import
from findings.query.ast import Exact, Field, Root, Term
from findings.query.canonical import write

register = template.Library()

_STEP = 17
_WIDE = 13
_TALL = 22
_SEVERITIES = 3
_MINUTES_FROM = 100  # seconds
_REASON = 120  # characters of why a report was refused; its page says all of it


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
            (nth * _STEP, _TALL - tall, _WIDE, tall, f"{weekday_text(day)}: {number:,}")
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
        return _result("bad", "circle-x", Truncator(run.reason).chars(_REASON))
    if run.state in _NOT_YET:
        return _result("", *_NOT_YET[run.state])
    counts = f"{run.new:,} new" + (f", {run.seen_again:,} seen again" if run.seen_again else "")
    counts += f", {run.reopened:,} reopened" if run.reopened else ""
    if run.state == Import.State.RUNNING:
        return _result("", "refresh-cw", f"Running: {counts}")
    counts += f", {run.resolved:,} resolved" if run.resolved else ""
    if run.closing == Import.Closing.HELD:
        return _result("warn", "triangle-alert", f"{counts}, {run.missing:,} missing")
    if run.rejected:
        return _result("warn", "triangle-alert", f"{counts}, {run.rejected:,} rejected")
    return _result("ok", "circle-check", counts)


_NOT_YET = {
    Import.State.CHECKING.value: ("refresh-cw", "Checking it"),
    Import.State.UNDOING.value: ("undo-2", "Being undone"),
    Import.State.UNDONE.value: ("undo-2", "Undone"),
    Import.State.WAITING.value: ("info", "Waiting for somebody to import it"),
}


class _Part(NamedTuple):
    label: str
    run: Import | None


@register.simple_tag
def import_parts(values: Sequence[str]) -> list[_Part]:
    """What an address chooses of imports, with those. One statement."""
    parts = [part for part in map(part_of_import, values) if part]
    runs = Import.objects.only("file_name").in_bulk([part.import_id for part in parts])
    return [_Part(part.label, runs.get(part.import_id)) for part in parts]


@register.simple_tag
def linked(number: int, links: Mapping[str, str], *names: str) -> str | SafeString:
    """The number, as a link where its rows can be shown."""
    address = links.get("/".join(names)) if links else None
    text = f"{number:,}"
    return format_html('<a href="{}">{}</a>', address, text) if address else text


@register.filter
def by_severity(counts: Mapping[str, int]) -> str:
    """The most severe first; of many, the last ones together: "4 critical, 19 high, 14 lower"."""
    parts = [f"{number:,} {severity}" for severity, number in counts.items()]
    if len(parts) <= _SEVERITIES:
        return ", ".join(parts)
    lower = sum(list(counts.values())[_SEVERITIES - 1 :])
    return ", ".join([*parts[: _SEVERITIES - 1], f"{lower:,} lower"])


@register.filter
def import_time(run: Import) -> str:
    """How long it took: "4 s", "3 min"."""
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTES_FROM else f"{max(1, seconds):.0f} s"


@register.filter
def undo_sentence(plan: UndoPlan) -> str:
    """What undoing would do: "35 of the 37 new findings are taken out and 9 opened again"."""
    noun = "finding is" if plan.new == 1 else "findings are"
    of_all = f"{plan.leaving:,} of the {plan.new:,}" if plan.kept else f"{plan.new:,}"
    parts = [f"{of_all} new {noun} taken out"]
    parts += [f"{plan.reopened:,} resolved again"] if plan.reopened else []
    parts += [f"{plan.resolved:,} opened again"] if plan.resolved else []
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), parts[-1]])


@register.filter
def undo_result(counts: Mapping[str, int]) -> str:
    """What was undone so far; nothing is said of what there was none of."""
    parts = [f"{counts[name]:,} {words}" for name, words in _UNDONE.items() if counts.get(name)]
    return f"{', '.join(parts)}.".capitalize() if parts else ""


_UNDONE = {
    "taken_out": "new taken out",
    "reopened": "resolved again",
    "resolved": "opened again",
    "kept": "changed since and left as they are",
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
