"""A draft → the body of the request that creates it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ticketing.trackers.base import IssueDraft
from ticketing.trackers.jira import adf, prose, wiki
from ticketing.trackers.jira.credentials import Credentials, Markup
from ticketing.trackers.jira.field_values import render_fields
from ticketing.trackers.jira.fields import FieldKind, FieldSpec

TICKET_PROPERTY = "findings-automation.ticket"
LONGEST_SUMMARY = 254  # Jira says 255 and means less than that
LONGEST_LABEL = 255
_KINDS = {
    "priority": FieldKind.PRIORITY,
    "labels": FieldKind.LABELS,
    "assignee": FieldKind.USER,
    "components": FieldKind.COMPONENTS,
    "versions": FieldKind.VERSIONS,
    "fixVersions": FieldKind.VERSIONS,
    "duedate": FieldKind.DATE,
    "environment": FieldKind.PARAGRAPH,
    "summary": FieldKind.TEXT,
    "description": FieldKind.PARAGRAPH,
}


class Created(NamedTuple):
    """The body of a create. `ours` are the fields in it that only we have asked for."""

    body: dict[str, Any]
    ours: frozenset[str]

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = self.body["fields"]
        return fields


def well_known(fields: Iterable[str]) -> list[FieldSpec] | None:
    """The kinds of these fields, if that can be known without asking Jira."""
    kinds = [_KINDS.get(field) for field in fields]
    if None in kinds:
        return None
    return [FieldSpec(id=id_, name=id_, kind=kind) for id_, kind in _KINDS.items()]


def create_body(
    draft: IssueDraft,
    *,
    key: str,
    attempt: str,
    specs: Iterable[FieldSpec],
    credentials: Credentials,
) -> Created:
    markup = credentials.markup
    rendered = render_fields(specs, draft.fields, deployment=credentials.deployment, markup=markup)
    dropped = {remedy[5:] for remedy in draft.remedies if remedy.startswith("drop:")}
    share = 2 if "truncate" in draft.remedies else 1
    fields = {
        **rendered.fields,
        "project": {"id": draft.destination.space_id},
        "issuetype": {"id": draft.destination.type_id},
        "summary": summary(draft.summary, LONGEST_SUMMARY // share),
        "description": long_text(markup)(draft.description, limit=wiki.LIMIT // share),
        "labels": labels(rendered.fields.get("labels") if share == 1 else None, key),
    }
    body = {
        "fields": {name: value for name, value in fields.items() if name not in dropped},
        "properties": [{"key": TICKET_PROPERTY, "value": {"key": key, "attempt": attempt}}],
    }
    return Created(body, frozenset({"labels"} - set(draft.fields)))


def summary(text: str, limit: int = LONGEST_SUMMARY) -> str:
    """One line that is short enough, as Jira counts."""
    line = " ".join(prose.clean(text).split()) or "Untitled"
    if wiki.length(line) <= limit:
        return line
    while wiki.length(line) >= limit:
        line = line[: len(line) - max(1, (wiki.length(line) - limit) // 2)]
    return f"{line.rstrip()}…"


def labels(value: Any, key: str) -> list[str]:
    """Labels as Jira takes them, with the key among them."""
    given = value if isinstance(value, list) else []
    clean = ("-".join(prose.clean(str(one)).split())[:LONGEST_LABEL] for one in given)
    return list(dict.fromkeys([key, *(label for label in clean if label)]))


def long_text(markup: Markup) -> Callable[..., str | Mapping[str, Any]]:
    """Markdown → long text, as this Jira takes it."""
    return adf.to_document if markup is Markup.DOCUMENT else wiki.to_wiki
