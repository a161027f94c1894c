"""The values of an issue's fields, filled from its finding, as Jira takes them.

Pure. A rule keeps what create metadata wants, ids before names, so that it is also what the
API takes and shows: `{"id": "10112"}`, `["a", "b"]`, `{"id": "<user>"}`, `"text {{title}}"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ticketing.fields.priorities import by_severity
from ticketing.fields.spec import FieldKind, FieldSpec, Option, find_option, is_empty
from ticketing.trackers.base import LeftOut
from ticketing.trackers.jira import lengths, prose
from ticketing.trackers.jira.adf import to_plain_document
from ticketing.trackers.jira.credentials import Deployment, Markup
from ticketing.trackers.jira.wiki import to_plain_wiki

ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,254}-[1-9][0-9]{0,17}")


class Rendered(NamedTuple):
    fields: dict[str, Any]  # what is sent
    left_out: tuple[LeftOut, ...]  # what Jira would not take


# --- Out to Jira ------------------------------------------------------------------------


class _Target(NamedTuple):
    deployment: Deployment
    markup: Markup


def render_fields(
    specs: Iterable[FieldSpec],
    fields: Mapping[str, Any],
    *,
    deployment: Deployment,
    markup: Markup = Markup.WIKI,
) -> Rendered:
    """The fields of one issue, filled from its finding, as they are sent.

    A field that Jira does not know any more is sent as it is: its refusal says what to repair.
    """
    known = {spec.id: spec for spec in specs}
    sent: dict[str, Any] = {}
    left_out = []
    for field_id, value in fields.items():
        spec = known.get(field_id)
        if is_empty(value):
            continue
        rendered = render(spec, value, deployment=deployment, markup=markup) if spec else value
        if rendered is not None:
            sent[field_id] = rendered
        if spec and (why := _why_left_out(spec, value, is_sent=rendered is not None)):
            left_out.append(LeftOut(spec.name, why))
    return Rendered(sent, tuple(left_out))


def render(
    spec: FieldSpec, value: Any, *, deployment: Deployment, markup: Markup = Markup.WIKI
) -> Any:
    """What Jira is sent for a filled value; None if there is nothing in it that it would take."""
    write = _WRITERS.get(spec.kind)
    return write(spec, value, _Target(deployment, markup)) if write else value


def _one_line(_: FieldSpec, value: Any, __: _Target) -> Any:
    return lengths.one_line(_words(value)) or None


def _long_text(_: FieldSpec, value: Any, target: _Target) -> Any:
    if isinstance(value, Mapping):  # a document, from the API
        return value
    text = _words(value).strip()
    if not text:
        return None
    is_wiki = target.markup is Markup.WIKI
    return to_plain_wiki(text) if is_wiki else to_plain_document(text)


def _address(_: FieldSpec, value: Any, __: _Target) -> Any:
    text = _words(value).strip()
    return text if is_url(text) and lengths.length(text) <= lengths.MAX_LINE else None


def _finite(_: FieldSpec, value: Any, __: _Target) -> Any:
    return next((n for item in _flat(value) if (n := as_number(item)) is not None), None)


def _day(_: FieldSpec, value: Any, __: _Target) -> Any:
    moments = (moment for item in _flat(value) if (moment := as_moment(item)))
    return next((moment.date().isoformat() for moment in moments), None)


def _moment(_: FieldSpec, value: Any, __: _Target) -> Any:
    moments = (moment for item in _flat(value) if (moment := as_moment(item)))
    return next(map(timestamp, moments), None)


def _label_list(_: FieldSpec, value: Any, __: _Target) -> Any:
    """A label holds no space: a value with spaces becomes one label with hyphens."""
    labels = (lengths.label(str(item)) for item in _flat(value))
    return list(dict.fromkeys(filter(None, labels))) or None


def _option(spec: FieldSpec, value: Any, _: _Target) -> Any:
    return next(_matched(spec, spec.options, value), None)


def _priority(spec: FieldSpec, value: Any, target: _Target) -> Any:
    """One that has no such name may be meant by that of a severity."""
    names = (item.get("name") if isinstance(item, Mapping) else item for item in _flat(value))
    found = (by_severity(spec.options, word) for name in names for word in _flat(name))
    meant = ({"id": option.id} for option in found if option)
    return _option(spec, value, target) or next(meant, None)


def _option_list(spec: FieldSpec, value: Any, _: _Target) -> Any:
    found = _matched(spec, spec.options, value)
    return list({str(item): item for item in found}.values()) or None


def _matched(spec: FieldSpec, options: Sequence[Option], value: Any) -> Iterator[dict[str, Any]]:
    """The options that a filled value means. An id stands even if it is not listed."""
    for item in _flat(value):
        if isinstance(item, Mapping) and item.get("id") is not None:
            yield {"id": str(item["id"])}
            continue
        label = item.get("value", item.get("name")) if isinstance(item, Mapping) else item
        for word in _flat(label):
            if option := find_option(options, word):
                yield {"id": option.id}
            elif not _are_all(spec, options) and isinstance(word, str | int | float):
                yield {spec.kind.word: str(word)}  # Jira did not list them, or not all


def _are_all(spec: FieldSpec, options: Sequence[Option]) -> bool:
    return bool(options) and not spec.has_more_options


def _option_pair(spec: FieldSpec, value: Any, _: _Target) -> Any:
    parent = next(_matched(spec, spec.options, value), None)
    child = value.get("child") if isinstance(value, Mapping) else None
    if parent is None or not child:
        return parent
    option = find_option(spec.options, parent)
    below = next(_matched(spec, option.children if option else (), child), None)
    return parent | {"child": below} if below else parent


def _identity(_: FieldSpec, value: Any, __: _Target) -> Any:
    """Of a team or a request type: its bare id, as text."""
    ids = (item.get("id") if isinstance(item, Mapping) else item for item in _flat(value))
    return next((str(each) for each in ids if isinstance(each, str | int) and each != ""), None)


def _project(spec: FieldSpec, value: Any, target: _Target) -> Any:
    key = value.get("key") if isinstance(value, Mapping) and "id" not in value else None
    words = (str(word) for word in _flat(key) if isinstance(word, str | int))
    return next(({"key": word} for word in words), None) or _option(spec, value, target)


def _object_list(_: FieldSpec, value: Any, __: _Target) -> Any:
    """Assets objects: by id or key; whatever else Jira may know of them stands as it is."""
    return [each for item in _flat(value) for each in _objects(item)] or None


def _objects(item: Any) -> Iterator[Any]:
    if isinstance(item, Mapping):
        keys = item.get("key")
        yield from ({"key": key} for key in keys) if isinstance(keys, list) else (item,)
    elif isinstance(item, str | int) and item != "":
        yield {"key" if ISSUE_KEY.fullmatch(str(item)) else "id": str(item)}


def _person(_: FieldSpec, value: Any, target: _Target) -> Any:
    words = ("accountId", "id", "name")
    found = (value.get(w) for w in words) if isinstance(value, Mapping) else (value,)
    identity = next((str(word) for word in found if word), "")
    name = "accountId" if target.deployment is Deployment.CLOUD else "name"
    return {name: identity} if identity else None


def _people(spec: FieldSpec, value: Any, target: _Target) -> Any:
    found = (_person(spec, item, target) for item in _flat(value))
    return [person for person in found if person] or None


_WRITERS: dict[FieldKind, Callable[[FieldSpec, Any, _Target], Any]] = {
    FieldKind.TEXT: _one_line,
    FieldKind.PARAGRAPH: _long_text,
    FieldKind.URL: _address,
    FieldKind.NUMBER: _finite,
    FieldKind.DATE: _day,
    FieldKind.DATETIME: _moment,
    FieldKind.LABELS: _label_list,
    FieldKind.SELECT: _option,
    FieldKind.PRIORITY: _priority,
    FieldKind.VERSION: _option,
    FieldKind.MULTI_SELECT: _option_list,
    FieldKind.COMPONENTS: _option_list,
    FieldKind.VERSIONS: _option_list,
    FieldKind.CASCADING: _option_pair,
    FieldKind.USER: _person,
    FieldKind.USERS: _people,
    FieldKind.SECURITY_LEVEL: _option,
    FieldKind.TEAM: _identity,
    FieldKind.REQUEST_TYPE: _identity,
    FieldKind.SPRINT: _finite,
    FieldKind.ASSETS: _object_list,
    FieldKind.PROJECT: _project,
}


# --- What is left out -------------------------------------------------------------------

_NEEDED = {
    FieldKind.NUMBER: "{} is not a number",
    FieldKind.SPRINT: "{} is not the number of a sprint",
    FieldKind.DATE: "{} is not a date",
    FieldKind.DATETIME: "{} is not a date",
    FieldKind.URL: "{} is not an address that Jira takes",
}
_NO_OPTION = "{} is not one of its options"
_MAX_SHOWN = 40  # characters of a value


def _why_left_out(spec: FieldSpec, value: Any, *, is_sent: bool) -> str:
    """Why the value, or a part of it, is not sent; nothing if all of it is."""
    strangers = list(_strangers(spec, value))
    if is_sent:
        is_part_lost = spec.kind.is_many or spec.kind is FieldKind.CASCADING
        return _NO_OPTION.format(_quoted(strangers)) if strangers and is_part_lost else ""
    if strangers:
        return _NO_OPTION.format(_quoted(strangers))
    shown = [str(item) for item in _flat(value) if isinstance(item, str | int | float)]
    if spec.kind is FieldKind.URL and any(map(is_url, shown)):
        return "the address is too long"
    return _NEEDED.get(spec.kind, "it has no text").format(_quoted(shown))


def _strangers(spec: FieldSpec, value: Any) -> Iterator[str]:
    """The labels in a value that name no option of the field."""
    if not (spec.kind.has_options and spec.has_all_options):
        return
    yield from _unmatched(spec.options, value)
    if spec.kind is FieldKind.CASCADING and isinstance(value, Mapping) and value.get("child"):
        parent = find_option(spec.options, value)
        if parent is not None:
            yield from _unmatched(parent.children, value["child"])


def _unmatched(options: Sequence[Option], value: Any) -> Iterator[str]:
    for item in _flat(value):
        if isinstance(item, Mapping) and item.get("id") is not None:
            continue
        label = item.get("value", item.get("name")) if isinstance(item, Mapping) else item
        for word in _flat(label):
            if isinstance(word, str | int | float) and find_option(options, word) is None:
                yield str(word)


def _quoted(words: Sequence[str]) -> str:
    text = " ".join(prose.clean(", ".join(words)).split())
    return f"“{lengths.cut(text, _MAX_SHOWN, ending='…')}”"


# --- Values -----------------------------------------------------------------------------


def _flat(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [item for inner in value for item in _flat(inner)]
    return [] if value is None else [value]


def _words(value: Any) -> str:
    scalars = (item for item in _flat(value) if isinstance(item, str | int | float))
    return prose.clean(", ".join(map(str, scalars)))


def is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_whole = not any(each.isspace() or not each.isprintable() for each in text)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and is_whole


def as_number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    if re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        return int(text)
    try:
        number = float(text) if len(text) <= 40 and "_" not in text else float("nan")
    except ValueError:
        return None
    return number if isfinite(number) else None


def as_moment(value: Any) -> datetime | None:
    """A day or a moment in any of the ways in which we or Jira write it; without a zone, UTC."""
    if not isinstance(value, str):
        return None
    text = value.strip().removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def timestamp(moment: datetime) -> str:
    """As Jira wants it: 2026-11-23T10:00:00.000+0000."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000%z")
