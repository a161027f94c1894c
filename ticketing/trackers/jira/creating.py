"""A draft → the body of the request that creates it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ticketing.fields.priorities import PRIORITY, default_priority
from ticketing.fields.spec import FieldKind, FieldSpec
from ticketing.trackers.base import IssueDraft, LeftOut
from ticketing.trackers.jira import adf, wiki
from ticketing.trackers.jira.credentials import Credentials, Markup
from ticketing.trackers.jira.field_values import render_fields
from ticketing.trackers.jira.lengths import MAX_LINE, label, summary

TICKET_PROPERTY = "findings-automation.ticket"
_WELL_KNOWN = {
    id_: FieldSpec(id=id_, name=name, kind=kind)
    for id_, name, kind in (
        ("priority", "Priority", FieldKind.PRIORITY),
        ("labels", "Labels", FieldKind.LABELS),
        ("assignee", "Assignee", FieldKind.USER),
        ("components", "Components", FieldKind.COMPONENTS),
        ("versions", "Affects versions", FieldKind.VERSIONS),
        ("fixVersions", "Fix versions", FieldKind.VERSIONS),
        ("duedate", "Due date", FieldKind.DATE),
        ("environment", "Environment", FieldKind.PARAGRAPH),
        ("summary", "Summary", FieldKind.TEXT),
        ("description", "Description", FieldKind.PARAGRAPH),
    )
}


class Created(NamedTuple):
    """The body of a create. `ours` are the fields in it that the issue can do without."""

    body: dict[str, Any]
    ours: frozenset[str]
    left_out: tuple[LeftOut, ...] = ()  # of the draft

    @property
    def fields(self) -> dict[str, Any]:
        """What is sent of them, however."""
        return {**self.body["fields"], **self.body.get("update", {})}


def well_known(draft: IssueDraft) -> list[FieldSpec] | None:
    """The kinds of the fields, if the draft can be written without asking Jira."""
    if _WELL_KNOWN.keys() >= {*draft.fields, *draft.left_out} and not _chooses_priority(draft):
        return list(_WELL_KNOWN.values())
    return None


def _chooses_priority(draft: IssueDraft) -> bool:
    """Whether it is found among those that Jira has."""
    if PRIORITY not in draft.fields:
        return bool(draft.priority) and f"drop:{PRIORITY}" not in draft.remedies
    said = draft.fields[PRIORITY]
    return not (isinstance(said, Mapping) and said.get("id") is not None)


def create_body(
    draft: IssueDraft,
    *,
    key: str,
    attempt: str,
    specs: Iterable[FieldSpec],
    credentials: Credentials,
) -> Created:
    markup = credentials.markup
    specs = list(specs)
    rendered = render_fields(specs, draft.fields, deployment=credentials.deployment, markup=markup)
    added = {} if PRIORITY in draft.fields else default_priority(specs, draft.priority)
    dropped = {remedy[5:] for remedy in draft.remedies if remedy.startswith("drop:")}
    share = 2 if "truncate" in draft.remedies else 1
    fields = {
        **rendered.fields,
        **added,
        "project": {"id": draft.destination.space_id},
        "issuetype": {"id": draft.destination.type_id},
        "summary": summary(draft.summary, MAX_LINE // share),
        "description": long_text(markup)(draft.description, limit=wiki.LIMIT // share),
        "labels": labels(rendered.fields.get("labels") if share == 1 else None, key),
    }
    fields = {name: value for name, value in fields.items() if name not in dropped}
    added_to = {spec.id for spec in specs if spec.is_only_added_to}
    update = {name: _added(fields.pop(name)) for name in added_to & fields.keys()}
    body = {
        "fields": fields,
        **({"update": update} if update else {}),
        "properties": [{"key": TICKET_PROPERTY, "value": {"key": key, "attempt": attempt}}],
    }
    left_out = (*rendered.left_out, *_left_out(draft, specs, dropped, is_shortened=share > 1))
    ours = frozenset({"labels", *added} - draft.fields.keys()) | draft.optional
    return Created(body, ours, left_out)


def _added(value: Any) -> list[dict[str, Any]]:
    return [{"add": item} for item in (value if isinstance(value, list) else [value])]


def _left_out(
    draft: IssueDraft, specs: Iterable[FieldSpec], dropped: Iterable[str], *, is_shortened: bool
) -> Iterator[LeftOut]:
    """What was known to be missing before the values were checked."""
    names = {spec.id: spec.name for spec in (*_WELL_KNOWN.values(), *specs)}
    reasons = dict(draft.left_out)
    if is_shortened and draft.fields.get("labels"):
        reasons["labels"] = "the ticket was too long for Jira"
    for name in sorted(dropped):
        off_screen = name == "labels"  # those are dropped for nothing else
        reasons[name] = "not on the create screen" if off_screen else "Jira did not take its value"
    for field_id, why in reasons.items():
        yield LeftOut(names.get(field_id, field_id), why)


def labels(value: Any, key: str) -> list[str]:
    """Labels as Jira takes them, with the key among them."""
    given = value if isinstance(value, list) else []
    return list(dict.fromkeys([key, *filter(None, (label(str(one)) for one in given))]))


def long_text(markup: Markup) -> Callable[..., str | Mapping[str, Any]]:
    """Markdown → long text, as this Jira takes it."""
    return adf.to_document if markup is Markup.DOCUMENT else wiki.to_wiki
