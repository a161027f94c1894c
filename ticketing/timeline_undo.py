"""Which lines of a finding's timeline offer Undo."""

from __future__ import annotations

from collections.abc import Iterable

from config.accounts.models import ActRow, User
from config.accounts.undo.acts import offered_rows
from findings.explorer.panel import Entry
from findings.models import Finding


def with_undo(entries: Iterable[Entry], finding: Finding, *, person: User) -> list[Entry]:
    """The line of each act that the person may undo names it; an act that no line tells of, as
    of a ticket that the finding is no longer on, gets one. One statement."""
    told = list(entries)
    for row in offered_rows(str(finding.pk), person=person):
        at = next((nth for nth, entry in enumerate(told) if _tells(entry, row)), None)
        if at is None:
            told.append(_line(row))
        else:
            told[at] = told[at]._replace(act=row.act_id)
    return sorted(told, key=lambda entry: entry.at, reverse=True)


def _tells(entry: Entry, row: ActRow) -> bool:
    after = row.after or {}
    if "event" in after:
        return bool(entry.event == after["event"])
    return entry.at.isoformat() == after.get("since")


def _line(row: ActRow) -> Entry:
    """Of an act that moved the finding off a ticket, or on to one."""
    by = ("by", row.act.actor.name)
    if key := (row.after or {}).get("key"):
        parts: tuple[str, ...] = ("Attached to ticket", key, *by)
        return Entry(row.act.created_at, "link", parts, act=row.act_id)
    key = (row.before or {}).get("key", "")
    return Entry(row.act.created_at, "unlink", ("Detached from ticket", key, *by), act=row.act_id)
