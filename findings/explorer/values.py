"""What stands in a cell of the explorer's table, and the terms of a query that find it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from findings.facts import CONTAINER_IMAGE, CORE_FIELDS
from findings.grouping import TAG_FIELDS, UnknownGroupField, group_field
from findings.models import Finding
from findings.query.ast import Exact, Field, Node, Or, Root, Term
from findings.query.canonical import write
from findings.query.predicate import as_text, document_path, path_items, reader
from findings.query.scalars import scalar

MAX_TERM = 200
"""Characters of a value that are worth a term: a longer one is read, and not searched for."""


class Value(NamedTuple):
    text: str
    term: str = ""  # what finds it, "" where nothing does
    group: str = ""  # what to group by to get all that have the same


Read = Callable[[Finding], Sequence[Value]]


def group_or_none(name: str) -> str:
    """The name, if findings can be grouped by that; else ""."""
    try:
        return group_field(name).name
    except UnknownGroupField:
        return ""


def plain(text_of: Callable[[Finding], str]) -> Read:
    """A text that no query finds."""
    return lambda finding: [Value(text)] if (text := text_of(finding)) else ()


def dated(column: str, form: str = "%Y-%m-%dT%H:%M:%SZ") -> Read:
    def read(finding: Finding) -> Sequence[Value]:
        moment: datetime | None = getattr(finding, column)
        return [Value(moment.strftime(form))] if moment else ()

    return read


def term_of(field: Field, text: str) -> str:
    return write(Term(field, Exact(text))) if len(text) <= MAX_TERM else ""


def of_field(field: Field, group: str = "") -> Read:
    """A tag, or an attribute that has a column of its own."""
    read = reader(field)
    is_document = field.root is Root.ATTRIBUTE and field.name not in CORE_FIELDS
    if is_document:
        return attribute_of(field, group)

    def values(finding: Finding) -> Sequence[Value]:
        texts = (as_text(value) or _moment(value) for value in read(finding.facts_read))
        return [Value(text, term_of(field, text), group) for text in texts if text]

    return values


def attribute_of(field: Field, group: str = "") -> Read:
    """What is at a path of the document: texts, numbers, and of an object its JSON."""
    column, path = document_path(field.name)

    def values(finding: Finding) -> Sequence[Value]:
        items = path_items(getattr(finding, column), path)
        return [value for item in items if (value := _of_item(field, group, item))]

    return values


def _of_item(field: Field, group: str, item: Any) -> Value | None:
    if item in (None, "", [], {}):
        return None
    if isinstance(item, dict | list):
        return Value(json.dumps(item, ensure_ascii=False))
    found = scalar(item)
    text = (as_text(found) if found is not None else None) or str(item)
    return Value(text, term_of(field, text), group)


def _moment(value: object) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else ""


# --- Columns that are more than one field -----------------------------------------------------


def type_of(finding: Finding) -> Sequence[Value]:
    choice = finding.type_choice
    term = term_of(Field(Root.ATTRIBUTE, "finding_type"), choice.wire)
    if choice.resource_is_image is not None:
        sign = "" if choice.resource_is_image else "-"
        image = term_of(Field(Root.ATTRIBUTE, "resource_type"), CONTAINER_IMAGE)
        term = f"({term} {sign}{image})"
    return [Value(choice.label, term, "@finding_type")]


def resource_of(finding: Finding) -> Sequence[Value]:
    name = "resource_name" if finding.resource_name else "resource_id"
    text = getattr(finding, name)
    field = Field(Root.ATTRIBUTE, name)
    return [Value(text, term_of(field, text), "resource")] if text else ()


_NAMES = ("advisory.id", "advisory.cve", "advisory.aliases", "cve")
"""Where a report may name the vulnerability; see `grouping`."""


def vulnerability_of(finding: Finding) -> Sequence[Value]:
    text = finding.grouping.get("vulnerability", "")
    return [Value(text, _any_of(_NAMES, text), "vulnerability")] if text else ()


def package_of(finding: Finding) -> Sequence[Value]:
    found = attribute_of(Field(Root.ATTRIBUTE, "package.name"), "package")(finding)
    if found:
        return found
    name = finding.grouping.get("package", "")
    return [Value(name, "", "package")] if name else ()


_ADVISORY = attribute_of(Field(Root.ATTRIBUTE, "advisory.id"), "")


def where_of(finding: Finding) -> Sequence[Value]:
    """What it is known as, and on what it was found."""
    known_as = [value for value in _ADVISORY(finding)[:1] if value.term]
    return [*known_as, *resource_of(finding)]


def tags_of(finding: Finding) -> Sequence[Value]:
    return [tag_of(tag) for tag in finding.tags]


def tag_of(tag: str) -> Value:
    """The whole tag, `key:value`."""
    key, _, value = tag.partition(":")
    group = key if key in TAG_FIELDS else f"tag:{key}"
    return Value(tag, term_of(Field(Root.TAG, key), value), group_or_none(group))


def _any_of(paths: Iterable[str], text: str) -> str:
    fields = [Field(Root.ATTRIBUTE, path) for path in paths]
    terms: list[Node] = [Term(field, Exact(text)) for field in fields]
    return f"({write(Or(tuple(terms)))})" if len(text) <= MAX_TERM else ""
