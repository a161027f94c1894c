from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from automation.kinds.due_date.action import SetDueDate
from automation.kinds.effect_preview import Change, Consequence, EffectPreview, Share
from config.lib.utc import day_text, short_day_text
from findings.explorer.due import due_in_words
from findings.facts import Severity
from findings.services import Claimed

OVERDUE, SOON, LATER, LOST = "overdue", "soon", "later", "lost"
_WEEKS = 13  # at least; a year has 53
_SHARES = (
    (OVERDUE, "over", "overdue at once"),
    (SOON, "acts", "due within 7 days"),
    (LATER, "later", "due later"),
    (LOST, "kept", "lose their due date"),
)


class Week(NamedTuple):
    """Which week a date is in, from 1; 0 is the past."""

    number: int


class DueDatePreview(EffectPreview):
    would = "open findings would get a due date"
    acts = "would get a due date"
    taken = "dated by"
    sample = "Sample of due dates"

    def value(self, finding: Claimed) -> Any:
        return finding.state.due_on

    def unchanged(self, action: SetDueDate, finding: Claimed) -> str:
        if finding.state.due_on:
            return "have that date already"
        none = [each.capitalize() for each in Severity if each not in action.days]
        shown = [each for each in none if each not in ("None", "Unknown")]
        have = "has" if len(shown) == 1 else "have"
        return f"no date: {' and '.join(shown)} {have} no days" if shown else "get no date"

    def skipped(self, number: int) -> Consequence | None:
        words = "muted finding gets" if number == 1 else "muted findings get"
        return Consequence("bell-off", [(number, f"{words} no date")])

    def details(self, action: SetDueDate, change: Change) -> Iterator[Hashable]:
        due = change.after.state.due_on
        if due is None:
            yield LOST
            return
        left = (due - _today(change)).days
        yield OVERDUE if left < 0 else SOON if left <= 7 else LATER
        yield Week(0 if left < 0 else 1 + left // 7)
        if left < 0:
            yield OVERDUE, change.after.facts.severity

    def shares(
        self, action: SetDueDate, number: int, details: Counter[Hashable]
    ) -> Iterator[Share]:
        for key, name, text in _SHARES:
            if details[key]:
                yield Share(name, details[key], text)

    def number(self, number: int, details: Counter[Hashable]) -> int:
        return number - details[LOST]

    def breakdown(
        self,
        action: SetDueDate,
        details: Counter[Hashable],
        matches: Counter[str],
        now: datetime,
    ) -> Mapping[str, Any]:
        weeks = [week.number for week in details if isinstance(week, Week)]
        last = max(_WEEKS, *weeks) if weeks else _WEEKS
        today = now.astimezone(UTC).date()
        return {
            "overdue": details[OVERDUE],
            "weeks": [details[Week(number)] for number in range(last + 1)] if weeks else [],
            "last_day": today + timedelta(days=7 * last),
            "severities": [
                (
                    each.value,
                    matches[each],
                    details[OVERDUE, each.value] if each in action.days else None,
                )
                for each in Severity
            ],
        }

    def note(self, change: Change) -> tuple[str, str]:
        due = change.after.state.due_on
        if due is None:
            return "No date", ""
        today = _today(change)
        left = (due - today).days
        if left < 0:
            return due_in_words(left), "bad"
        if left <= 7:
            return due_in_words(left), "warn"
        return _day(due, today), ""

    def changes(self, change: Change) -> Iterator[Hashable]:
        was, due = change.before.state.due_on, change.after.state.due_on
        if was == due:
            return
        if due is None:
            yield LOST
            return
        kind = "new" if was is None else "earlier" if due < was else "later"
        yield kind
        today = _today(change)
        if due < today and (was is None or was >= today):
            yield kind, OVERDUE

    def consequences(self, changes: Counter[Hashable]) -> Iterator[Consequence]:
        for kind, words in (("earlier", "an earlier"), ("later", "a later"), ("new", "a")):
            if number := changes[kind]:
                overdue = changes[kind, OVERDUE]
                parts: list[tuple[int | None, str]] = [(number, f"get {words} due date")]
                if overdue:
                    parts = [
                        (number, f"get {words} due date,"),
                        (overdue, "of them overdue at once"),
                    ]
                yield Consequence("calendar-clock", parts)
        if number := changes[LOST]:
            yield Consequence("calendar-clock", [(number, "lose their due date")])


def _today(change: Change) -> date:
    return change.now.astimezone(UTC).date()


def _day(day: date, today: date) -> str:
    return short_day_text(day) if day.year == today.year else day_text(day)
