"""The Security Inbox: its panels, each number of which is the number of rows behind its link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Case, CharField, Count, Min, Q, Value, When
from django.utils import timezone

from config.lib.utc import midnight
from findings.explorer.columnar_inbox import panel_groups
from findings.explorer.due import LABELS, Due, days_left, due_value
from findings.explorer.search import Search
from findings.explorer.set_by import written_day
from findings.facts import Severity
from findings.models import Finding
from findings.query.ast import And, Exact, Exists, Field, Node, Not, Or, Root, Term
from findings.query.sql import condition


class Triage(StrEnum):
    """Pending: it has neither a ticket nor an assignee. In flight: one of them."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"


TRIAGE_LABELS: Mapping[str, str] = {Triage.PENDING: "Pending triage", Triage.IN_FLIGHT: "In flight"}


def _has(path: str) -> Node:
    return Term(Field(Root.ATTRIBUTE, path), Exists())


_IN_INBOX = Term(Field(Root.ATTRIBUTE, "is_in_security_inbox"), Exact("true"))
_IN_FLIGHT = Or((_has("ticket.key"), _has("workflow.triage.assignee.id")))
_TRIAGE: Mapping[Triage, Node] = {Triage.PENDING: Not(_IN_FLIGHT), Triage.IN_FLIGHT: _IN_FLIGHT}


def in_inbox(root: Node, triage: Iterable[Triage] = ()) -> Node:
    """What the query finds in the Inbox, in any of these states; in all if none is named."""
    states = tuple(_TRIAGE[state] for state in triage)
    among = [root] if root != And(()) else []
    return And((*among, _IN_INBOX, *([Or(states)] if len(states) > 1 else states)))


def pending_triage() -> Search:
    return Search(in_inbox(And(()), [Triage.PENDING]))


def triage_of(finding: Finding) -> Triage:
    assignee = (finding.workflow.get("triage") or {}).get("assignee") or {}
    is_pending = not finding.ticket_key and not assignee.get("id")
    return Triage.PENDING if is_pending else Triage.IN_FLIGHT


class Group(NamedTuple):
    """Findings that every panel counts alike."""

    severity: str
    due: str
    triage: str
    number: int
    number_today: int
    first_due: datetime | None


class Panelled(NamedTuple):
    """One value of a panel."""

    value: str
    label: str
    number: int
    is_chosen: bool
    note: str = ""
    share: int = 0  # percent of the panel's largest


@dataclass(frozen=True, slots=True)
class Panels:
    """`chosen`: panel → its values; a panel that is not there filters nothing."""

    groups: Sequence[Group]
    chosen: Mapping[str, Sequence[str]]

    @property
    def total(self) -> int:
        """Whatever is chosen."""
        return sum(group.number for group in self.groups)

    @property
    def found(self) -> int:
        return sum(group.number for group in self._others(""))

    @property
    def due(self) -> list[Panelled]:
        return self._panel("due", {due: LABELS[due] for due in Due if due})

    @property
    def undated(self) -> Panelled:
        [never] = self._panel("due", {Due.NEVER: LABELS[Due.NEVER]})
        return never

    @property
    def severity(self) -> list[Panelled]:
        found = self._panel("severity", {s: s.capitalize() for s in Severity})
        return [each for each in found if each.number or each.is_chosen]

    @property
    def triage(self) -> list[Panelled]:
        return self._panel("triage", TRIAGE_LABELS)

    def _panel(self, name: str, labels: Mapping[str, str]) -> list[Panelled]:
        others = self._others(name)
        each = {
            value: [group for group in others if getattr(group, name) == value] for value in labels
        }
        numbers = {value: sum(group.number for group in groups) for value, groups in each.items()}
        most = max(numbers.values(), default=0) or 1
        return [
            Panelled(
                str(value),
                label,
                numbers[value],
                value in self.chosen.get(name, ()),
                _NOTES[value](each[value]) if value in _NOTES and each[value] else "",
                round(100 * numbers[value] / most),
            )
            for value, label in labels.items()
        ]

    def _others(self, name: str) -> list[Group]:
        """What is chosen in the other panels leaves."""
        asked = [(panel, values) for panel, values in self.chosen.items() if panel != name]
        return [g for g in self.groups if all(getattr(g, panel) in v for panel, v in asked)]


def panels_of(root: Node, chosen: Mapping[str, Sequence[str]]) -> Panels:
    """One statement, or none. `root` is what is searched for in the Inbox."""
    search = Search(in_inbox(root))
    counted = panel_groups(search, _TRIAGE[Triage.PENDING])
    if counted is None:
        return Panels(_groups(search), chosen)
    states = {True: Triage.PENDING.value, False: Triage.IN_FLIGHT.value}
    groups = [Group(each[0], each[1], states[each[2]], *each[3:]) for each in counted]
    return Panels(groups, chosen)


def _groups(search: Search) -> list[Group]:
    today = midnight(timezone.now())
    is_pending = When(condition(_TRIAGE[Triage.PENDING]), then=Value(Triage.PENDING.value))
    in_flight = Value(Triage.IN_FLIGHT.value)
    rows = (
        search.findings()
        .order_by()
        .annotate(
            due=due_value(),
            triage=Case(is_pending, default=in_flight, output_field=CharField()),
        )
        .values_list("severity", "due", "triage")
        .annotate(
            number=Count("pk"),
            number_today=Count("pk", filter=Q(due_at=today)),
            first_due=Min("due_at"),
        )
    )
    return [Group(*row) for row in rows]


def _oldest(groups: Sequence[Group]) -> str:
    days = max(-days_left(group.first_due) for group in groups if group.first_due)
    return f"oldest by {days:,} day{'' if days == 1 else 's'}"


def _today(groups: Sequence[Group]) -> str:
    number = sum(group.number_today for group in groups)
    return f"{number} of them today" if number else "none today"


def _next(groups: Sequence[Group]) -> str:
    first = min(group.first_due for group in groups if group.first_due)
    return f"next on {written_day(first.date().isoformat())}"


_NOTES: Mapping[str, Callable[[Sequence[Group]], str]] = {
    Due.OVERDUE: _oldest,
    Due.SOON: _today,
    Due.LATER: _next,
}
