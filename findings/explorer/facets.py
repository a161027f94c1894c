"""How many findings each value of each facet has. Counts ignore the facet's own choice.

All facets but the tags are columns with few values, so one statement counts every
combination of them (a few hundred rows) and the facets are sums over those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Q

from findings.explorer.columnar_facets import counts_of_facets
from findings.explorer.due import LABELS, Due, is_due_at
from findings.explorer.search import FACETS, FILTERS, IN_INBOX, RULE_FACETS, TAG_FACETS, Search
from findings.facts import OPEN_STATUSES, TYPE_CHOICES, Severity, Status, Ticket, type_choice
from findings.query.scalars import ascii_lower

TOP = 6
MAX_VALUES = 100
TITLES = {
    "severity": "Severity",
    "ticket": "Ticket",
    "due": "Due",
    "status": "Status",
    "type": "Finding type",
    "team": "Team",
    "service": "Service",
    "inbox": "Security Inbox",
    "case_status": "Case status",
    "rule": "Rule",
    "mute_rule": "Muted by rule",
}
_EACH_TAG = {
    "postgresql": "jsonb_array_elements_text(found.tags) AS tag(value)",
    "sqlite": "json_each(found.tags) AS tag",
}
_CONTAINS = {
    "postgresql": """AND strpos(lower(substr(tag.value, %s) COLLATE "C"), %s) > 0 """,
    "sqlite": "AND instr(lower(substr(tag.value, %s)), %s) > 0 ",
}
_BY_CHARACTER = {"postgresql": 'COLLATE "C"', "sqlite": ""}
_OPEN = ("severity", "ticket", "due", "status", "type")
_FIXED: Mapping[str, Mapping[str, str]] = {
    "severity": {severity.value: severity.capitalize() for severity in Severity},
    "ticket": {
        Ticket.AUTOMATED.value: "Automated",
        Ticket.MANUAL.value: "Manual",
        Ticket.TEST.value: "Test",
        Ticket.OVER_LIMIT.value: "Over limit",
        Ticket.NONE.value: "No ticket",
    },
    "due": {due.value: label for due, label in LABELS.items()},
    "inbox": {IN_INBOX: "In the Inbox", "": "Not in the Inbox"},
    "status": {
        Status.OPEN.value: "Open",
        Status.IN_PROGRESS.value: "In progress",
        Status.RESOLVED.value: "Resolved",
        Status.AUTO_CLOSED.value: "Auto-closed",
        Status.MUTED.value: "Muted",
    },
}
_SELDOM = {
    "severity": {Severity.NONE.value, Severity.UNKNOWN.value},
    "ticket": {Ticket.TEST.value},
    "due": set(),
    "inbox": set(),
    "status": {Status.AUTO_CLOSED.value},
}
"""Values that are shown only where they occur."""
_NONE = {
    "team": "No team",
    "service": "No service",
    "case_status": "No case",
    "rule": "No rule",
    "mute_rule": "Not muted by a rule",
}
_TYPES = {choice.value: choice for choice in TYPE_CHOICES}


class Choice(NamedTuple):
    value: str
    label: str
    number: int
    checked: bool
    icon: str = ""


class Facet(NamedTuple):
    name: str
    title: str
    is_open: bool
    choices: Sequence[Choice]
    is_late: bool = False  # counted once somebody opens it
    find: str = ""  # what somebody looks for in it
    found: Sequence[Choice] = ()

    @property
    def is_long(self) -> bool:
        return self.name not in _FIXED and len(self.choices) > TOP

    @property
    def is_cut(self) -> bool:
        """Whether it may have values that are not among its choices."""
        return self.name in TAG_FACETS and len(self.choices) >= MAX_VALUES

    @property
    def top(self) -> Sequence[Choice]:
        return self.choices if self.name in _FIXED else self.choices[:TOP]

    @property
    def rest(self) -> Sequence[Choice]:
        return self.choices[len(self.top) :]


def count_facets(
    search: Search, *, tags: Sequence[str] = TAG_FACETS, find: Mapping[str, str] | None = None
) -> list[Facet]:
    """The findings that match by facet. From the columns in memory no statement; else one, and
    one for each of the `tags`; two for those in which somebody looks for a value.

    Facets of other tags are late: each costs the database as much as all that are columns
    together, and the page more to write than the rest of it.
    """
    columns = [name for name in FACETS if name not in TAG_FACETS]
    counts = counts_of_facets(search, (*columns, *tags), most=MAX_VALUES)
    if counts is None:
        groups = _groups(search)
        counts = {name: _sum(groups, search, without=name) for name in columns}
        counts |= {name: _tag_counts(search, name) for name in tags}
    find = find or {}
    return [
        _finding(_facet(name, counts[name], search), search, find.get(name, ""))
        if name in counts
        else Facet(name, TITLES[name], is_open=False, choices=(), is_late=True)
        for name in FACETS
    ]


def count_facet(search: Search, name: str, *, find: str = "") -> Facet:
    """Of a tag. One statement, and one more to find a value; none from the columns in memory."""
    counted = counts_of_facets(search, (name,), most=MAX_VALUES)
    counts = counted[name] if counted else _tag_counts(search, name)
    return _finding(_facet(name, counts, search), search, find)


def _finding(facet: Facet, search: Search, text: str) -> Facet:
    """With the values that contain the text, whether or not they are among the choices."""
    if not text or not facet.is_long or facet.name in RULE_FACETS:  # whose names are not ours
        return facet
    if facet.is_cut:
        counts = _tag_counts_containing(search, facet.name, text)
        chosen = search.chosen.get(facet.name, ())
        found = [Choice(v, v, n, not chosen or v in chosen) for v, n in _most(counts)]
    else:
        found = [choice for choice in facet.choices if text.lower() in choice.label.lower()]
    return facet._replace(find=text, found=found)


def _groups(search: Search) -> list[tuple[dict[str, str], int]]:
    """Each combination of values, and how many findings have it.

    What is due and what is in the Inbox is counted, and not grouped by: PostgreSQL would expect
    tens of thousands of groups and sort all findings for them, which takes three times as long.
    """
    columns = ("severity", "ticket", "status", "finding_type", "ticket_status", "ticket_rule_id")
    is_image = ExpressionWrapper(Q(resource_type="container_image"), BooleanField())
    rows = (
        search.findings(facets=(*TAG_FACETS, "import"))
        .order_by()
        .annotate(is_image=is_image)
        .values(*columns, "mute_rule_id", "is_image")
        .annotate(number=Count("*"), number_in=Count("pk", filter=Q(is_in_inbox=True)), **_dated())
    )
    return [
        (_values(row) | {"due": due, "inbox": inbox}, number)
        for row in rows
        for (due, inbox), number in _split(row).items()
        if number
    ]


def _dated() -> dict[str, Count]:
    """How many are so due: all, and those in the Inbox."""
    inside = Q(is_in_inbox=True)
    whole = {f"all_{due}": Count("pk", filter=is_due_at(due)) for due in Due if due}
    return whole | {f"in_{due}": Count("pk", filter=inside & is_due_at(due)) for due in Due if due}


def _split(row: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """The row's findings by when they are due and whether they are in the Inbox."""
    if row["status"] not in OPEN_STATUSES:
        return {(Due.NEVER, ""): row["number"]}
    split: dict[tuple[str, str], int] = {}
    for due in Due:
        if due:
            split[due, IN_INBOX] = row[f"in_{due}"]
            split[due, ""] = row[f"all_{due}"] - row[f"in_{due}"]
    dated_in = sum(number for (_, inbox), number in split.items() if inbox)
    dated = sum(split.values())
    split[Due.NEVER, IN_INBOX] = row["number_in"] - dated_in
    split[Due.NEVER, ""] = row["number"] - dated - split[Due.NEVER, IN_INBOX]
    return split


def _values(row: Mapping[str, Any]) -> dict[str, str]:
    resource_type = "container_image" if row["is_image"] else ""
    return {
        "severity": row["severity"],
        "ticket": row["ticket"],
        "status": row["status"],
        "type": type_choice(row["finding_type"], resource_type).value,
        "case_status": row["ticket_status"],
        "rule": str(row["ticket_rule_id"] or ""),
        "mute_rule": str(row["mute_rule_id"] or ""),
    }


def _sum(
    groups: Sequence[tuple[Mapping[str, str], int]], search: Search, *, without: str
) -> Counter[str]:
    """Findings by value of the facet `without`, whose own choice is left out."""
    counts: Counter[str] = Counter()
    selected = [
        (name, set(values))
        for name, values in search.chosen.items()
        if name != without and name not in (*TAG_FACETS, "import")
    ]
    for values, number in groups:
        if all(values[name] in wanted for name, wanted in selected):
            counts[values.get(without, "")] += number
    return counts


def _tag_counts_containing(search: Search, key: str, text: str) -> Counter[str]:
    counted = counts_of_facets(search, (key,), most=MAX_VALUES, containing=text)
    return _tag_counts(search, key, containing=text) if counted is None else counted[key]


def _tag_counts(search: Search, key: str, *, containing: str = "") -> Counter[str]:
    """Findings by value of the tag, or by those values that contain a text in any case (A to Z);
    a finding with two teams counts for both. The chosen values, and the most frequent."""
    others = [name for name in FILTERS if name != key]
    found = search.findings(facets=others).order_by().values("tags")
    try:
        sql, params = found.query.sql_with_params()
    except EmptyResultSet:
        return Counter()
    prefix = f"{key}:"
    start, where = len(prefix) + 1, _CONTAINS[connection.vendor] if containing else ""
    chosen = [value for value in search.chosen.get(key, ()) if value][:MAX_VALUES]
    is_chosen = f"value IN ({', '.join(['%s'] * len(chosen))}) DESC, " if chosen else ""
    statement = f"""
        WITH valued AS (
            SELECT COALESCE(substr(tag.value, %s), '') {_BY_CHARACTER[connection.vendor]} AS value
            FROM ({sql}) found LEFT JOIN {_EACH_TAG[connection.vendor]}
            ON substr(tag.value, 1, %s) = %s OR tag.value = %s
            WHERE (tag.value IS NULL OR length(tag.value) > %s) {where}
        ), counted AS (SELECT value, count(*) AS number FROM valued GROUP BY value)
        SELECT value, number FROM counted ORDER BY {is_chosen}number DESC, value LIMIT %s
    """  # noqa: S608  Django's own, and our words
    looked_for: list[Any] = [start, ascii_lower(containing)] if containing else []
    joined: list[Any] = [len(prefix), prefix, key, len(prefix)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [start, *params, *joined, *looked_for, *chosen, MAX_VALUES])
        return Counter(dict(cursor.fetchall()))


def _most(counts: Mapping[str, int], chosen: Sequence[str] = ()) -> list[tuple[str, int]]:
    """The chosen values and the most frequent, as many as a facet has."""
    by_number = sorted(counts.items(), key=lambda each: (each[0] not in chosen, -each[1], each[0]))
    return by_number[:MAX_VALUES]


def _facet(name: str, counts: Counter[str], search: Search) -> Facet:
    chosen = search.chosen.get(name, ())
    counts = Counter(dict(_most(counts, chosen))) if name in TAG_FACETS else counts
    choices = [
        Choice(
            value=value,
            label=_label(name, value),
            number=counts[value],
            checked=not chosen or value in chosen,
            icon=_TYPES[value].icon if name == "type" else "",
        )
        for value in _order(name, counts, chosen)
    ]
    return Facet(name, TITLES[name], bool(name in _OPEN or chosen), choices)


def _order(name: str, counts: Counter[str], chosen: Sequence[str]) -> list[str]:
    """Closed lists in their own order; otherwise the most frequent first, "none" last."""
    if name in _FIXED:
        seldom = _SELDOM[name]
        return [v for v in _FIXED[name] if v not in seldom or counts[v] or v in chosen]
    values = {value for value in (*counts, *chosen) if name != "type" or value in _TYPES}
    return sorted(values, key=lambda value: (not value, -counts[value], value))


def _label(name: str, value: str) -> str:
    if name in _FIXED:
        return _FIXED[name][value]
    if name == "type":
        return _TYPES[value].label
    if name == "case_status" and value:
        return value.replace("_", " ").capitalize()
    return value or _NONE[name]
