"""A search of the explorer: a query, how far back, and the values chosen in each facet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from findings.explorer.due import Due, is_due
from findings.explorer.group_values import are, has_all, value_columns
from findings.explorer.of_import import is_of_import, part_of_import
from findings.facts import GONE_STATUSES, OPEN_STATUSES, TYPE_CHOICES
from findings.models import Finding
from findings.query.ast import And, Exact, Exists, Field, Node, Not, Or, Root, Term
from findings.query.sql import condition

EVERYTHING = And(())
TAG_FACETS = ("team", "service")
COLUMN_FACETS = {
    "severity": "severity",
    "ticket": "ticket",
    "status": "status",
    "case_status": "ticket_status",
}
FACETS = (
    *("severity", "ticket", "due", "status", "type", *TAG_FACETS, "inbox", "case_status", "rule"),
    "mute_rule",
)
FILTERS = (*FACETS, "import")
"""What can be chosen; of findings of an import none are counted beside the list."""
RULE_FACETS = {"rule": "ticket_rule_id", "mute_rule": "mute_rule_id"}
IN_INBOX = "in"


class Clock(StrEnum):
    """Which time of a finding a search is about: ours, the scanner's, or the rules'."""

    OPENED = "opened"  # first recorded here, or open again
    FIRST_SEEN = "first_seen"
    DECIDED = "decided"
    TICKETED = "ticketed"
    RESOLVED = "resolved"
    OPEN = "open"  # at the end of the time, whenever it was opened

    @property
    def moment(self) -> str:
        return "opened_at" if self is Clock.OPEN else f"{self}_at"

    @property
    def column(self) -> str:
        """Of the findings, or of what joins them one to one."""
        return f"evaluation__{self.moment}" if self is Clock.DECIDED else self.moment


@dataclass(frozen=True, slots=True)
class Within:
    """Some of the groups of a search: those with these values, what is in none, all of them."""

    groups: Sequence[Sequence[str]] = ()
    lone: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    root: Node = EVERYTHING
    since: datetime | None = None  # by the clock below: since then
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Facet → its chosen values, "" for "none". A facet that is not here filters nothing."""
    until: datetime | None = None  # and before then
    clock: Clock = Clock.OPENED
    group: Sequence[str] = ()
    """What the findings are grouped by. It filters nothing by itself."""
    within: Within | None = None

    @property
    def has_words(self) -> bool:
        return _has_words(self.root)

    def findings(self, *, facets: Sequence[str] = FILTERS) -> QuerySet[Finding]:
        """What matches the query, the time and the choices made in these facets."""
        found = Finding.objects.filter(condition(self.root))
        if self.since:
            found = found.filter((f"{self.clock.column}__gte", self.since))
        if self.until:
            found = found.filter((f"{self.clock.column}__lt", self.until))
        if self.clock is Clock.OPEN:
            found = found.filter(_was_open(self.until))
        for facet in facets:
            if facet in self.chosen:
                found = found.filter(_chosen(facet, self.chosen[facet]))
        return _within(found, self.group, self.within) if self.within else found


def _was_open(until: datetime | None) -> Q:
    """As far as the findings themselves tell: one that was opened again was not open before."""
    is_open = Q(status__in=OPEN_STATUSES)
    if until is None:
        return is_open
    return is_open | Q(status__in=GONE_STATUSES, resolved_at__gte=until)


def _within(found: QuerySet[Finding], names: Sequence[str], within: Within) -> QuerySet[Finding]:
    chosen = are(names, within.groups)
    chosen |= has_all(names) if within.every else Q(pk__in=())
    chosen |= ~has_all(names) if within.lone else Q(pk__in=())
    return found.alias(**value_columns(names)).filter(chosen)


def _has_words(node: Node) -> bool:
    match node:
        case Term(term):
            return term.root is Root.TEXT
        case Not(inner):
            return _has_words(inner)
        case And(nodes) | Or(nodes):
            return any(map(_has_words, nodes))


def _chosen(facet: str, values: Sequence[str]) -> Q:
    if facet in COLUMN_FACETS:
        return Q((f"{COLUMN_FACETS[facet]}__in", values))
    if facet in TAG_FACETS:
        return Q(condition(Or(tuple(_tagged(facet, value) for value in values))))
    if facet in RULE_FACETS:
        return _rules(RULE_FACETS[facet], values)
    if facet == "due":
        return _any_of(is_due(due) for due in Due if due in values)
    if facet == "import":
        return _any_of(is_of_import(part) for part in map(part_of_import, values) if part)
    return _inbox(values) if facet == "inbox" else _types(values)


def _tagged(key: str, value: str) -> Node:
    tag = Field(Root.TAG, key)
    return Term(tag, Exact(value)) if value else Not(Term(tag, Exists()))


def is_in_inbox() -> Q:
    """In the Security Inbox, which is a list of open findings."""
    return Q(is_in_inbox=True, status__in=OPEN_STATUSES)


def _inbox(values: Sequence[str]) -> Q:
    known = {IN_INBOX: is_in_inbox(), "": ~is_in_inbox()}
    return _any_of(known[value] for value in values if value in known)


def _any_of(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, Q(pk__in=()))


def _rules(column: str, values: Sequence[str]) -> Q:
    rules = Q((f"{column}__in", rule_ids(values)))
    return rules | Q((f"{column}__isnull", True)) if "" in values else rules


def _types(values: Sequence[str]) -> Q:
    of_types = Q(pk__in=())
    for choice in TYPE_CHOICES:
        if choice.value in values:
            of_type = Q(finding_type=choice.wire)
            if choice.resource_is_image is not None:
                is_image = Q(resource_type="container_image")
                of_type &= is_image if choice.resource_is_image else ~is_image
            of_types |= of_type
    return of_types


def rule_ids(values: Iterable[str]) -> list[UUID]:
    """The values that are ids."""
    return [rule for rule in map(_uuid, values) if rule]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
