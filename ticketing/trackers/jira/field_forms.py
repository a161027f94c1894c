"""The values of an issue's fields: from the editor's form, and back into it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ticketing import placeholders
from ticketing.placeholders import PlaceholderError
from ticketing.trackers.jira.field_values import (
    LABEL_LENGTH,
    TEXT_LENGTH,
    as_moment,
    as_number,
    is_url,
    timestamp,
)
from ticketing.trackers.jira.fields import FieldKind, FieldSpec, Option, find_option

PARAGRAPH_LENGTH = 32_767
_ISSUE = re.compile(r"[A-Z][A-Z0-9_]{0,254}-[1-9][0-9]{0,17}")


class FieldError(ValueError):
    """A value that a field does not take; `str(error)` is a sentence for below the field."""

    def __init__(self, field_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field_id = field_id
        self.sentence = sentence


# --- From the form ----------------------------------------------------------------------


def from_form(spec: FieldSpec, raw: Sequence[str], *, type_name: str, space: str) -> Any:
    """The value for what a form sent under one name; None for nothing.

    Of a cascading field that is the option and the one below it. Raises FieldError.
    """
    values = [text for value in raw if (text := value.strip())]
    if not values:
        if spec.is_required:
            verb = "Select" if _is_chosen(spec.kind) else "Enter"
            sentence = f"{spec.name} is required for {type_name} in {space}. {verb} a value."
            raise FieldError(spec.id, sentence)
        return None
    try:
        placeholders.check(values)
    except PlaceholderError as error:
        raise FieldError(spec.id, error.sentence) from None
    if not placeholders.is_constant(values) and not spec.kind.takes_placeholders:
        raise FieldError(spec.id, f"{spec.name} cannot be filled from the finding.")
    return _READERS[spec.kind](spec, values)


def _is_chosen(kind: FieldKind) -> bool:
    return kind.has_options or kind in (FieldKind.USER, FieldKind.USERS)


def _text(spec: FieldSpec, values: Sequence[str]) -> Any:
    return _short(spec, " ".join(values[0].split()), TEXT_LENGTH)


def _paragraph(spec: FieldSpec, values: Sequence[str]) -> Any:
    return _short(spec, values[0].replace("\r\n", "\n"), PARAGRAPH_LENGTH)


def _short(spec: FieldSpec, text: str, length: int) -> str:
    if len(text) > length:
        raise FieldError(spec.id, f"{spec.name} is longer than {length:,} characters.")
    return text


def _url(spec: FieldSpec, values: Sequence[str]) -> Any:
    text = _short(spec, values[0], TEXT_LENGTH)
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
    text = re.sub(r"\{\{[ \t]*(.*?)[ \t]*\}\}", r"{{\1}}", " ".join(values))
    labels = list(dict.fromkeys(filter(None, re.split(r"[\s,]+", text))))
    for label in labels:
        _short(spec, label, LABEL_LENGTH)
    return labels


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
    if options and all(option.id != value for option in options):
        raise FieldError(spec.id, f"This value of {spec.name} does not exist. Select another.")
    return {"id": value}


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
    if not _ISSUE.fullmatch(key):
        raise FieldError(spec.id, f"{spec.name}: enter the key of an issue, as in SEC-123.")
    return {"key": key} if spec.kind is FieldKind.PARENT else key


def _none(spec: FieldSpec, _: Sequence[str]) -> Any:
    raise FieldError(spec.id, f"{spec.name} cannot be set from here.")


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
    FieldKind.UNSUPPORTED: _none,
}


# --- Into the form ----------------------------------------------------------------------


def to_form(spec: FieldSpec, value: Any) -> list[str]:
    """What the form shows for a value: the other way round, for any value that is kept."""
    if value in (None, "", [], {}):
        return []
    if spec.kind is FieldKind.CASCADING and isinstance(value, Mapping):
        return [text for part in (value, value.get("child")) if (text := _shown(part))]
    if spec.kind is FieldKind.DATETIME and (moment := as_moment(value)):
        return [moment.strftime("%Y-%m-%dT%H:%M")]
    items = value if isinstance(value, list) else [value]
    shown = [text for item in items if (text := _shown(item))]
    return [" ".join(shown)] if spec.kind is FieldKind.LABELS else shown


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        words = ("id", "accountId", "key", "value", "name")
        value = next((value[word] for word in words if value.get(word)), "")
    return str(value) if isinstance(value, str | int | float) else ""
