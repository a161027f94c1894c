"""What a person may want to type into a query, taken from what was recorded lately."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from findings.facts import TYPE_CHOICES, Status, Ticket, type_choice
from findings.models import Finding
from findings.query.ast import Exact, Exists, Field, Root, Term
from findings.query.canonical import write

SAMPLE = 1_000
"""Newest findings looked at: reading them takes one index range whatever the table's size."""
SHOWN = 10
COUNTED = 20_000
MAX_LENGTH = 200
CORE = ("finding_type", "severity", "resource_type", "resource_name", "resource_id", "title")
"""Core fields worth suggesting: the others change after the decision or are never typed."""


OPERATORS = {"OR": "either side", "AND": "both sides", "NOT": "not what follows"}
SEARCHED = {
    "status": ("Open, in progress, resolved, muted", [status.value for status in Status]),
    "ticket.created_by": (
        "Who made the ticket",
        [ticket.value for ticket in Ticket if ticket.is_attached],
    ),
    "ticket.key": ("Jira or case key", []),
    "ticket.rule": ("Id of the rule that made the ticket", []),
    "ticket.status": ("Open, in progress, closed", ["open", "in_progress", "closed"]),
    "ticket.over_limit": ("Over the daily limit of its rule", ["true", "false"]),
    "is_in_security_inbox": ("In the Security Inbox", ["true", "false"]),
    "workflow.due_date.due_at": ("The day it is due", []),
    "workflow.due_date.is_overdue": ("Its due date has passed", ["true", "false"]),
    "workflow.mute.is_muted_by_rule": ("Muted by a rule", ["true", "false"]),
    "workflow.mute.is_lifted": ("A person has undone a rule's mute", ["true", "false"]),
    "workflow.mute.unmuted_rule_id": ("Id of the rule that muted it until it was unmuted", []),
}
"""What only a search may ask for, since it changes after the decision: a hint and the values."""


class Suggestion(NamedTuple):
    text: str  # a term, or a key with its colon that waits for a value
    hint: str


def suggest_search(typed: str) -> list[Suggestion]:
    """As `suggest`, with what only a search may hold: operators, status and tickets."""
    operators = [
        Suggestion(operator, hint)
        for operator, hint in OPERATORS.items()
        if typed and operator.startswith(typed)
    ]
    return [*operators, *_searched(typed), *suggest(typed)][:SHOWN]


def _searched(typed: str) -> list[Suggestion]:
    sign = "-" if typed.startswith("-") else ""
    key, colon, value = typed.removeprefix("-").partition(":")
    if colon:
        _, values = SEARCHED.get(key.removeprefix("@"), ("", []))
        return [Suggestion(f"{sign}{key}:{v}", "") for v in values if v.startswith(value.lower())]
    if not key.removeprefix("@"):
        return []
    return [
        Suggestion(f"{sign}@{name}:", hint)
        for name, (hint, _) in SEARCHED.items()
        if name.startswith(key.removeprefix("@").lower())
    ]


def suggest(typed: str) -> list[Suggestion]:
    """Terms that begin with `typed`: keys until there is a colon, then values of that key."""
    sign = "-" if typed.startswith("-") else ""
    typed = typed.removeprefix("-")
    found, more = _sampled_values()
    key, colon, value = typed.partition(":")
    if colon:
        values = found.get(_field(key), Counter())
        return _values(_field(key), values, value.strip('"'), sign, more)
    keys = sorted(
        (field for field in found if key.lower() in _key(field).lower()),
        key=lambda field: (not _key(field).lower().startswith(key.lower()), _key(field)),
    )
    return [
        Suggestion(
            sign + write(Term(field, Exists())).removesuffix("*"),
            _count(len(found[field]), more, "value"),
        )
        for field in keys[:SHOWN]
    ]


def types_seen(since: datetime) -> dict[str, str]:
    """Findings first seen since then by type choice: "64", or "64+" when more were not counted."""
    rows = (
        Finding.objects.filter(first_seen_at__gte=since)
        .order_by("-first_seen_at", "-id")
        .values_list("finding_type", "resource_type")[:COUNTED]
    )
    counts = Counter(type_choice(*row).value for row in rows)
    more = "+" if counts.total() == COUNTED else ""
    return {choice.value: f"{counts[choice.value]}{more}" for choice in TYPE_CHOICES}


def _values(
    field: Field, values: Counter[str], typed: str, sign: str, more: str
) -> list[Suggestion]:
    chosen = [
        (value, count)
        for value, count in values.most_common()
        if value.lower().startswith(typed.lower()) and len(value) <= MAX_LENGTH
    ]
    return [
        Suggestion(
            sign + write(Term(field, Exact(value))),
            _count(count, more, "finding"),
        )
        for value, count in chosen[:SHOWN]
    ]


def _sampled_values() -> tuple[dict[Field, Counter[str]], str]:
    """Every field of the newest findings with its values; "+" if there are more findings."""
    rows = list(
        Finding.objects.order_by("-first_seen_at", "-id").values_list("tags", "attributes", *CORE)[
            :SAMPLE
        ]
    )
    found: dict[Field, Counter[str]] = defaultdict(Counter)
    for tags, attributes, *core in rows:
        for tag in tags:
            key, _, value = tag.partition(":")
            found[Field(Root.TAG, key)][value] += 1
        for path, value in _leaves(attributes, ""):
            found[Field(Root.ATTRIBUTE, path)][value] += 1
        for name, value in zip(CORE, core, strict=True):
            if value:
                found[Field(Root.ATTRIBUTE, name)][value] += 1
    return found, "+" if len(rows) == SAMPLE else ""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, Mapping | list):
                yield from _leaves(inner, path)
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif isinstance(value, str | int | float) and value != "":
        yield path, str(value)


def _count(number: int, more: str, noun: str) -> str:
    return f"{number}{more} {noun}{'' if number == 1 and not more else 's'}"


def _field(key: str) -> Field:
    if key.startswith("@"):
        return Field(Root.ATTRIBUTE, key[1:])
    return Field(Root.TAG, key)


def _key(field: Field) -> str:
    return f"@{field.name}" if field.root is Root.ATTRIBUTE else field.name
