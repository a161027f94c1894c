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

from ticketing.trackers.jira import prose
from ticketing.trackers.jira.adf import to_plain_document
from ticketing.trackers.jira.credentials import Deployment, Markup
from ticketing.trackers.jira.fields import FieldKind, FieldSpec, Option, find_option
from ticketing.trackers.jira.wiki import length, to_plain_wiki

TEXT_LENGTH = 254  # "must be less than 255 characters"
LABEL_LENGTH = 255


class Rendered(NamedTuple):
    fields: dict[str, Any]  # what is sent
    left_out: tuple[str, ...]  # names of fields whose value Jira would not take


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
        if value in (None, "", [], {}):
            continue
        rendered = render(spec, value, deployment=deployment, markup=markup) if spec else value
        if rendered is None:
            left_out.append(spec.name if spec else field_id)
        else:
            sent[field_id] = rendered
    return Rendered(sent, tuple(left_out))


def render(
    spec: FieldSpec, value: Any, *, deployment: Deployment, markup: Markup = Markup.WIKI
) -> Any:
    """What Jira is sent for a filled value; None if there is nothing in it that it would take."""
    write = _WRITERS.get(spec.kind)
    return write(spec, value, _Target(deployment, markup)) if write else value


def _one_line(_: FieldSpec, value: Any, __: _Target) -> Any:
    text = " ".join(_words(value).split())
    if length(text) > TEXT_LENGTH:
        text = prose.longest(text, lambda part: length(part) < TEXT_LENGTH) + "…"
    return text or None


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
    return text if is_url(text) and len(text) <= TEXT_LENGTH else None


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
    words = ("-".join(prose.clean(str(item)).split()) for item in _flat(value))
    words = (prose.longest(word, lambda part: length(part) <= LABEL_LENGTH) for word in words)
    return list(dict.fromkeys(filter(None, words))) or None


def _option(spec: FieldSpec, value: Any, _: _Target) -> Any:
    return next(_matched(spec, spec.options, value), None)


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
            elif not options and isinstance(word, str | int | float):
                yield {spec.kind.word: str(word)}  # Jira did not list them


def _option_pair(spec: FieldSpec, value: Any, _: _Target) -> Any:
    parent = next(_matched(spec, spec.options, value), None)
    child = value.get("child") if isinstance(value, Mapping) else None
    if parent is None or not child:
        return parent
    option = find_option(spec.options, parent)
    below = next(_matched(spec, option.children if option else (), child), None)
    return parent | {"child": below} if below else parent


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
    FieldKind.PRIORITY: _option,
    FieldKind.VERSION: _option,
    FieldKind.MULTI_SELECT: _option_list,
    FieldKind.COMPONENTS: _option_list,
    FieldKind.VERSIONS: _option_list,
    FieldKind.CASCADING: _option_pair,
    FieldKind.USER: _person,
    FieldKind.USERS: _people,
}


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
