"""The values of an issue's fields: from the editor's form, and back into it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ticketing import placeholders
from ticketing.fields.raw_json import InvalidJson, read_raw, write_raw
from ticketing.fields.spec import FieldError, FieldKind, FieldSpec, Option, find_option, is_empty
from ticketing.placeholders import PlaceholderError
from ticketing.trackers.jira.field_values import (
    ISSUE_KEY,
    as_moment,
    as_number,
    is_url,
    timestamp,
)
from ticketing.trackers.jira.lengths import MAX_LABEL, MAX_LINE, MAX_TEXT, length

_RAW_HELP = (
    "JSON as Jira wants it, as in {example}. Text that is not JSON is sent as text; a number "
    "that is meant as text needs quotes. Jira alone checks it."
)
_RAW_EXAMPLE = '{"id": "10112"}'
_MAX_EXAMPLES = 5


def raw_help(spec: FieldSpec) -> str:
    """What a person needs to know to write the value of a kind that we do not know."""
    help_text = _RAW_HELP.format(example=_RAW_EXAMPLE)
    if not spec.options:
        return help_text
    shown = [f'{{"id": "{each.id}"}} {each.label}' for each in spec.options[:_MAX_EXAMPLES]]
    return f"{help_text} Jira lists {', '.join(shown)}."


# --- From the form ----------------------------------------------------------------------


def from_form(spec: FieldSpec, raw: Sequence[str], *, type_name: str, space: str) -> Any:
    """The value for what a form sent under one name; None for nothing.

    Of a cascading field that is the option and the one below it. Raises FieldError.
    """
    values = [text for value in raw if (text := value.strip())]
    value = _read(spec, values) if values else None
    if is_empty(value):
        if spec.is_required:
            verb = "Select" if _is_chosen(spec) else "Enter"
            sentence = f"{spec.name} is required for {type_name} in {space}. {verb} a value."
            raise FieldError(spec.id, sentence)
        return None
    return value


def _read(spec: FieldSpec, values: Sequence[str]) -> Any:
    try:
        placeholders.check(values)
    except PlaceholderError as error:
        raise FieldError(spec.id, error.sentence) from None
    if not placeholders.is_constant(values) and not spec.kind.takes_placeholders:
        raise FieldError(spec.id, f"{spec.name} cannot be filled from the finding.")
    return _READERS[spec.kind](spec, values)


def _is_chosen(spec: FieldSpec) -> bool:
    people = (FieldKind.USER, FieldKind.USERS)
    return bool(spec.kind.has_options and spec.options) or spec.kind in people


def _text(spec: FieldSpec, values: Sequence[str]) -> Any:
    return _short(spec, " ".join(values[0].split()), MAX_LINE)


def _paragraph(spec: FieldSpec, values: Sequence[str]) -> Any:
    return _short(spec, values[0].replace("\r\n", "\n"), MAX_TEXT)


def _short(spec: FieldSpec, text: str, limit: int) -> str:
    if length(text) > limit:
        raise FieldError(spec.id, f"{spec.name} is longer than {limit:,} characters.")
    return text


def _url(spec: FieldSpec, values: Sequence[str]) -> Any:
    text = _short(spec, values[0], MAX_LINE)
    if placeholders.is_constant(text) and not is_url(text):
        raise FieldError(spec.id, f"{spec.name}: enter an address that starts with https://.")
    return text


def _number(spec: FieldSpec, values: Sequence[str]) -> Any:
    if not placeholders.is_constant(values[0]):
        return values[0]
    number = as_number(values[0])
    if number is None:
        raise FieldError(spec.id, f"{spec.name}: enter a number.")
    return number


def _date(spec: FieldSpec, values: Sequence[str]) -> Any:
    if not placeholders.is_constant(values[0]):
        return values[0]
    moment = as_moment(values[0])
    if moment is None:
        raise FieldError(spec.id, f"{spec.name}: enter a date, as in 2026-11-23.")
    return moment.date().isoformat() if spec.kind is FieldKind.DATE else timestamp(moment)


def _labels(spec: FieldSpec, values: Sequence[str]) -> Any:
    """Labels are written with spaces or commas between them; a placeholder may hold spaces."""
    labels = _words(values)
    for label in labels:
        _short(spec, label, MAX_LABEL)
    return labels


def _words(values: Sequence[str]) -> list[str]:
    text = re.sub(r"\{\{[ \t]*(.*?)[ \t]*\}\}", r"{{\1}}", " ".join(values))
    return list(dict.fromkeys(filter(None, re.split(r"[\s,]+", text))))


def _choice(spec: FieldSpec, values: Sequence[str]) -> Any:
    return _chosen(spec, spec.options, values[0])


def _choices(spec: FieldSpec, values: Sequence[str]) -> Any:
    return [_chosen(spec, spec.options, value) for value in dict.fromkeys(values)]


def _cascading(spec: FieldSpec, values: Sequence[str]) -> Any:
    chosen = _chosen(spec, spec.options, values[0])
    if len(values) == 1:
        return chosen
    parent = find_option(spec.options, chosen)
    children = parent.children if parent else ()
    return chosen | {"child": _chosen(spec, children, values[1])}


def _chosen(spec: FieldSpec, options: Sequence[Option], value: str) -> dict[str, Any]:
    if not placeholders.is_constant(value):
        return {spec.kind.word: value}
    if any(option.id == value for option in options):
        return {"id": value}
    _require_unlisted(spec, options)
    # Typed, as Jira has not listed them: by id, or by name.
    return {"id": value} if value.isdecimal() else {spec.kind.word: value}


def _require_unlisted(spec: FieldSpec, options: Sequence[Option]) -> None:
    if options and not spec.has_more_options:
        raise FieldError(spec.id, f"This value of {spec.name} does not exist. Select another.")


def _identity(spec: FieldSpec, values: Sequence[str]) -> Any:
    """Of a team or a request type, which Jira takes as text."""
    value = _short(spec, values[0], MAX_LINE)
    if placeholders.is_constant(value) and all(option.id != value for option in spec.options):
        _require_unlisted(spec, spec.options)
    return value


def _project(spec: FieldSpec, values: Sequence[str]) -> Any:
    chosen = _chosen(spec, spec.options, values[0])
    return chosen if "id" in chosen else {"key": values[0]}


def _sprint(spec: FieldSpec, values: Sequence[str]) -> Any:
    number = _number(spec, values)
    if isinstance(number, float) or (isinstance(number, int) and number < 1):
        raise FieldError(spec.id, f"{spec.name}: enter the number of a sprint, as in 37.")
    return number


def _assets(spec: FieldSpec, values: Sequence[str]) -> Any:
    """Objects by key or id, with spaces or commas between them; or JSON, for all else of them."""
    if values[0].startswith(("[", "{")) and not values[0].startswith("{{"):
        return _raw(spec, values)
    return [
        {"key": word} if ISSUE_KEY.fullmatch(word) or "{{" in word else {"id": word}
        for word in _words(values)
    ]


def _raw(spec: FieldSpec, values: Sequence[str]) -> Any:
    text = _short(spec, values[0].replace("\r\n", "\n"), MAX_TEXT)
    try:
        return read_raw(text)
    except InvalidJson as error:
        raise FieldError(spec.id, f"{spec.name}: {error}") from None


def _user(_: FieldSpec, values: Sequence[str]) -> Any:
    return {"id": values[0]}


def _users(_: FieldSpec, values: Sequence[str]) -> Any:
    return [{"id": value} for value in dict.fromkeys(values)]


def _group(_: FieldSpec, values: Sequence[str]) -> Any:
    return {"name": values[0]}


def _groups(_: FieldSpec, values: Sequence[str]) -> Any:
    return [{"name": value} for value in dict.fromkeys(values)]


def _issue(spec: FieldSpec, values: Sequence[str]) -> Any:
    key = values[0].upper()
    if not ISSUE_KEY.fullmatch(key):
        raise FieldError(spec.id, f"{spec.name}: enter the key of an issue, as in SEC-123.")
    return {"key": key} if spec.kind is FieldKind.PARENT else key


_READERS: dict[FieldKind, Callable[[FieldSpec, Sequence[str]], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.PARAGRAPH: _paragraph,
    FieldKind.URL: _url,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _date,
    FieldKind.LABELS: _labels,
    FieldKind.SELECT: _choice,
    FieldKind.PRIORITY: _choice,
    FieldKind.VERSION: _choice,
    FieldKind.MULTI_SELECT: _choices,
    FieldKind.COMPONENTS: _choices,
    FieldKind.VERSIONS: _choices,
    FieldKind.CASCADING: _cascading,
    FieldKind.USER: _user,
    FieldKind.USERS: _users,
    FieldKind.GROUP: _group,
    FieldKind.GROUPS: _groups,
    FieldKind.PARENT: _issue,
    FieldKind.EPIC_LINK: _issue,
    FieldKind.SECURITY_LEVEL: _choice,
    FieldKind.TEAM: _identity,
    FieldKind.REQUEST_TYPE: _identity,
    FieldKind.SPRINT: _sprint,
    FieldKind.ASSETS: _assets,
    FieldKind.PROJECT: _project,
    FieldKind.RAW: _raw,
}


# --- Into the form ----------------------------------------------------------------------


def to_form(spec: FieldSpec, value: Any) -> list[str]:
    """What the form shows for a value: the other way round, for any value that is kept."""
    if is_empty(value):
        return []
    if spec.kind is FieldKind.RAW or _is_json_of_assets(spec, value):
        return [write_raw(value)]
    if spec.kind is FieldKind.CASCADING and isinstance(value, Mapping):
        return [text for part in (value, value.get("child")) if (text := _shown(part))]
    if spec.kind is FieldKind.DATETIME and (moment := as_moment(value)):
        return [moment.strftime("%Y-%m-%dT%H:%M")]
    items = value if isinstance(value, list) else [value]
    shown = [text for item in items if (text := _shown(item))]
    is_line = spec.kind in (FieldKind.LABELS, FieldKind.ASSETS)
    return [" ".join(shown)] if is_line else shown


def _is_json_of_assets(spec: FieldSpec, value: Any) -> bool:
    """Whether there is more to it than keys and ids in a line, which read the same again."""
    if spec.kind is not FieldKind.ASSETS:
        return False
    items = value if isinstance(value, list) else [value]
    shown = " ".join(_shown(item) for item in items)
    return not shown or shown.startswith(("[", "{")) or _assets(spec, [shown]) != value


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        words = ("id", "accountId", "key", "value", "name")
        value = next((value[word] for word in words if value.get(word)), "")
    return str(value) if isinstance(value, str | int | float) else ""
