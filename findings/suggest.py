"""What a person may want to type into a query, taken from what was recorded lately."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from findings.facts import TYPE_CHOICES, Status, Ticket, type_choice
from findings.models import Finding
from findings.query.ast import Exact, Exists, Field, Root, Term
from findings.query.canonical import write

SAMPLE = 1_000
"""Newest findings looked at: reading them takes one index range whatever the table's size."""
SHOWN = 10
OF_ONE = 300  # values of one finding
OF_ALL = 100_000  # values: then the newest findings so far are the sample
FIELDS = 50  # of each kind
COUNTED = 20_000
MAX_TEAMS = 50
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
    hint: str  # how much it is used
    note: str = ""  # what it is


class Sample(NamedTuple):
    """The newest findings: how many have each value, and each field at all."""

    values: Mapping[Field, Counter[str]]
    uses: Counter[Field]
    more: str  # "+" if there are more findings


def suggest_search(typed: str) -> list[Suggestion]:
    """As `suggest`, with what only a search may hold: operators, status and tickets."""
    operators = [
        Suggestion(operator, "", note)
        for operator, note in OPERATORS.items()
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
        Suggestion(f"{sign}@{name}:", "", note)
        for name, (note, _) in SEARCHED.items()
        if name.startswith(key.removeprefix("@").lower())
    ]


def suggest(typed: str) -> list[Suggestion]:
    """Terms that begin with `typed`, those that most findings have first.

    Until there is a colon these are keys, and tags with such a value; then values of that key. Of
    nothing typed they are the tags that are used most.
    """
    sign = "-" if typed.startswith("-") else ""
    key, colon, value = typed.removeprefix("-").partition(":")
    sample = _sample()
    if colon:
        found = _values(_field(key), sample, value.strip('"').lower())
    else:
        keys, tags = _keys(sample, key.lower()), _tags(sample, key.lower())
        found = keys + tags if key else tags + keys
    return [each._replace(text=sign + each.text) for each in found[:SHOWN]]


def team_names() -> list[str]:
    """The values of the `team:` tags of the newest findings, most used first."""
    names = _sample().values.get(Field(Root.TAG, "team"), Counter())
    return [name for name, _ in names.most_common(MAX_TEAMS)]


def suggest_fields() -> list[tuple[str, str]]:
    """Tags and attributes of the newest findings, those that most of them have first: the name
    of each, as a column is called, and how many have it. One statement."""
    sample = _sample()
    tags = Counter({f: n for f, n in sample.uses.items() if f.root is Root.TAG})
    attributes = Counter(
        {f: n for f, n in sample.uses.items() if f.root is not Root.TAG and f.name not in CORE}
    )
    named = [(f"tag:{field.name}", number) for field, number in tags.most_common(FIELDS)]
    named += [(_key(field), number) for field, number in attributes.most_common(FIELDS)]
    return [(name, _count(number, sample.more, "finding")) for name, number in named]


def types_seen(since: datetime) -> dict[str, str]:
    """Findings first seen since then by type choice: "64", or "64+" when more were not counted."""
    rows = (
        Finding.objects.filter(first_seen_at__gte=since)
        .order_by("-first_seen_at", "-id")
        .values_list("finding_type", "resource_type")[:COUNTED]
    )
    counts = Counter(type_choice(*row).value for row in rows)
    more = "+" if counts.total() == COUNTED else ""
    return {choice.value: f"{counts[choice.value]:,}{more}" for choice in TYPE_CHOICES}


def _keys(sample: Sample, typed: str) -> list[Suggestion]:
    """Those that begin with it come first, then tags, then those that most findings have."""

    def rank(field: Field) -> tuple[bool, bool, int, str]:
        key, is_tag = _key(field), field.root is Root.TAG
        return not key.lower().startswith(typed), not is_tag, -sample.uses[field], key

    return [
        Suggestion(
            write(Term(field, Exists())).removesuffix("*"),
            _count(sample.uses[field], sample.more, "finding"),
            _count(len(sample.values[field]), sample.more, "value"),
        )
        for field in sorted(
            (each for each in sample.values if typed in _key(each).lower()), key=rank
        )
    ]


def _tags(sample: Sample, typed: str) -> list[Suggestion]:
    """Whole tags whose value begins with it, those that most findings have first."""
    tags = [
        (-count, _key(field), value)
        for field, values in sample.values.items()
        if field.root is Root.TAG
        for value, count in values.items()
        if value.lower().startswith(typed) and value and len(value) <= MAX_LENGTH
    ]
    return [
        _term(_field(key), value, -count, sample.more) for count, key, value in sorted(tags)[:SHOWN]
    ]


def _values(field: Field, sample: Sample, typed: str) -> list[Suggestion]:
    """Values that begin with it: the whole one first, then those that most findings have."""
    found = sorted(
        (value.lower() != typed, -count, value)
        for value, count in sample.values.get(field, Counter()).items()
        if value.lower().startswith(typed) and len(value) <= MAX_LENGTH
    )
    return [_term(field, value, -count, sample.more) for _, count, value in found[:SHOWN]]


def _term(field: Field, value: str, count: int, more: str) -> Suggestion:
    return Suggestion(write(Term(field, Exact(value))), _count(count, more, "finding"))


def _sample() -> Sample:
    rows = Finding.objects.order_by("-first_seen_at", "-id").values_list(
        "tags", "attributes", *CORE
    )[:SAMPLE]
    values: dict[Field, Counter[str]] = defaultdict(Counter)
    uses: Counter[Field] = Counter()
    number = told = 0
    for row in rows:
        if told >= OF_ALL:
            return Sample(values, uses, "+")
        of_one = set(islice(_said_of_one(*row), OF_ONE))  # which may say it twice
        uses.update({field for field, _ in of_one})
        for field, value in of_one:
            values[field][value] += 1
        number, told = number + 1, told + len(of_one)
    return Sample(values, uses, "+" if number == SAMPLE else "")


def _said_of_one(
    tags: Iterable[str], attributes: Any, *core: str | None
) -> Iterator[tuple[Field, str]]:
    for name, said in zip(CORE, core, strict=True):
        if said:
            yield Field(Root.ATTRIBUTE, name), said
    for tag in tags:
        key, _, value = tag.partition(":")
        yield Field(Root.TAG, key), value
    for path, leaf in _leaves(attributes, ""):
        yield Field(Root.ATTRIBUTE, path), leaf


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
    return f"{number:,}{more} {noun}{'' if number == 1 and not more else 's'}"


def _field(key: str) -> Field:
    if key.startswith("@"):
        return Field(Root.ATTRIBUTE, key[1:])
    return Field(Root.TAG, key)


def _key(field: Field) -> str:
    return f"@{field.name}" if field.root is Root.ATTRIBUTE else field.name
