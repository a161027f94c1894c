"""One reported finding, checked and in one shape, whatever report or request it came in.

Pure: no framework, no clock, no I/O. Every reader makes a plain record of the fields below
and passes it through `normalise`, so one set of limits holds for every way in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from findings.facts import CONTAINER_IMAGE, FindingType, Severity

MAX_TITLE = 1_000  # a title is a line, not a page
MAX_DESCRIPTION = 32_768  # Jira's own limit on a description
MAX_RESOURCE_ID = 2_000  # ARNs and URLs end at 2,048 almost everywhere
MAX_RESOURCE_NAME = 1_000
MAX_RESOURCE_TYPE = 200  # column width
MAX_FINGERPRINT = 255  # column width; longer ones are for the sender to hash
MAX_TAGS = 200
MAX_TAG = 500
MAX_ATTRIBUTES_BYTES = 64 * 1024  # as JSON: what a rule reads must stay cheap to read
MAX_ATTRIBUTES_DEPTH = 10
_MAX_INTEGER = 2**63 - 1  # beyond it SQLite and half of all JSON readers lose digits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

_TYPES: Mapping[str, tuple[str, bool | None]] = {t.value: (t.value, None) for t in FindingType} | {
    # What a person calls them; the wire has one type for both. True: the resource is an image.
    "container_image_vulnerability": (FindingType.HOST_AND_CONTAINER.value, True),
    "host_vulnerability": (FindingType.HOST_AND_CONTAINER.value, False),
}
_SEVERITIES: Mapping[str, str] = {s.value: s.value for s in Severity}


class Normalised(NamedTuple):
    """A reported finding that passed every check."""

    finding_type: str  # a FindingType value
    title: str
    severity: str  # a Severity value
    resource_id: str
    fingerprint: str  # never empty; unique for a problem within its source
    description: str = ""
    resource_name: str = ""
    resource_type: str = ""
    tags: tuple[str, ...] = ()  # "key:value", sorted, each once
    attributes: Mapping[str, Any] = MappingProxyType({})  # JSON values only
    first_seen_at: datetime | None = None  # aware, UTC


class Rejected(NamedTuple):
    """A record that did not go in, and why."""

    position: int  # in the report or request, from 0
    pointer: str  # JSON pointer to what is wrong, e.g. "/findings/7/severity"
    title: str
    detail: str


FIELDS = frozenset(Normalised._fields)


def normalise(
    record: object, *, position: int, at: str = "", latest: datetime = _END_OF_TIME
) -> Normalised | Rejected:
    """Check one record, a mapping with the fields of `Normalised` (None is an absent field).

    Required: finding_type, title, severity, resource_id. `finding_type` and `severity` take
    any case. `tags` is a list of "key:value". `first_seen_at` is ISO 8601 (without an offset:
    UTC) or epoch milliseconds, from 1970 up to `latest`. Without a `fingerprint` the record
    gets `default_fingerprint`. `at` is the JSON pointer of the record itself.
    """
    try:
        return _normalised(record, latest)
    except _Refusal as refusal:
        return Rejected(position, at + refusal.pointer, refusal.title, refusal.detail)


def default_fingerprint(finding_type: str, title: str, resource_id: str) -> str:
    """The identity of a finding whose source gave none: its type, title and resource.

    What may change while the problem stays the same (severity, description, tags,
    attributes) is left out on purpose.
    """
    parts = "\0".join((finding_type, title, resource_id))
    return blake2b(parts.encode(), digest_size=16).hexdigest()


class _Refusal(ValueError):
    def __init__(self, pointer: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.title = title
        self.detail = detail

    def under(self, key: str | int) -> _Refusal:
        step = str(key)[:200].replace("~", "~0").replace("/", "~1")
        # A pointer is shown to people: a key that is itself what is wrong must not break it.
        step = step.encode(errors="replace").decode().replace("\0", "?")
        return _Refusal(f"/{step}{self.pointer}", self.title, self.detail)


def _normalised(record: object, latest: datetime) -> Normalised:
    if not isinstance(record, Mapping):
        raise _Refusal("", "Not an object", "A finding is an object with fields.")
    if not record.keys() <= FIELDS:
        unknown = next(key for key in record if key not in FIELDS)
        raise _Refusal("", "Unknown field", "There is no such field.").under(str(unknown))
    title = _text(record, "title", MAX_TITLE, required=True)
    resource_id = _text(record, "resource_id", MAX_RESOURCE_ID, required=True)
    finding_type, resource_type = _type(record)
    return Normalised(
        finding_type=finding_type,
        title=title,
        severity=_severity(record),
        resource_id=resource_id,
        fingerprint=_text(record, "fingerprint", MAX_FINGERPRINT)
        or default_fingerprint(finding_type, title, resource_id),
        description=_text(record, "description", MAX_DESCRIPTION),
        resource_name=_text(record, "resource_name", MAX_RESOURCE_NAME),
        resource_type=resource_type,
        tags=_tags(record.get("tags")),
        attributes=_attributes(record.get("attributes")),
        first_seen_at=_moment(record.get("first_seen_at"), latest),
    )


def _text(record: Mapping[str, Any], name: str, limit: int, *, required: bool = False) -> str:
    value = record.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise _Refusal(f"/{name}", "Not text", f"`{name}` is a text.")
    value = value.strip()
    if required and not value:
        raise _Refusal(f"/{name}", "Missing field", f"`{name}` is required.")
    if len(value) > limit:
        detail = f"`{name}` has {len(value):,} characters; {limit:,} are allowed."
        raise _Refusal(f"/{name}", "Too long", detail)
    if not _is_storable(value):
        raise _Refusal(f"/{name}", *_NOT_STORABLE)
    return value


_NOT_STORABLE = ("Not storable", "The text holds a NUL or half of a surrogate pair.")


def _is_storable(text: str) -> bool:
    """PostgreSQL stores neither NUL nor a lone surrogate, in text or in jsonb."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _type(record: Mapping[str, Any]) -> tuple[str, str]:
    """The type on the wire and the resource type, which tells images from hosts."""
    given = _text(record, "finding_type", 100, required=True).lower()
    resource_type = _text(record, "resource_type", MAX_RESOURCE_TYPE)
    if given not in _TYPES:
        detail = f"{given!r} is none of {', '.join(sorted(_TYPES))}."
        raise _Refusal("/finding_type", "Unknown finding type", detail)
    finding_type, is_image = _TYPES[given]
    if is_image is None:
        return finding_type, resource_type
    resource_type = resource_type or (CONTAINER_IMAGE if is_image else "host")
    if is_image != (resource_type == CONTAINER_IMAGE):
        detail = f"`{given}` is not found on a resource of type {resource_type!r}."
        raise _Refusal("/resource_type", "Contradiction", detail)
    return finding_type, resource_type


def _severity(record: Mapping[str, Any]) -> str:
    given = _text(record, "severity", 100, required=True).lower()
    if given not in _SEVERITIES:
        detail = f"{given!r} is none of {', '.join(_SEVERITIES)}."
        raise _Refusal("/severity", "Unknown severity", detail)
    return given


def _tags(value: object) -> tuple[str, ...]:
    if not value and (value is None or isinstance(value, list | tuple)):
        return ()
    if not isinstance(value, list | tuple):
        raise _Refusal("/tags", "Not a list", '`tags` is a list of "key:value".')
    if len(value) > MAX_TAGS:
        detail = f"There are {len(value):,} tags; {MAX_TAGS} are allowed."
        raise _Refusal("/tags", "Too many tags", detail)
    tags = []
    for position, tag in enumerate(value):
        try:
            tags.append(_tag(tag))
        except _Refusal as refusal:
            raise refusal.under(position).under("tags") from None
    if not _is_storable("".join(tags)):  # one look at all is a fifth of the cost of each
        position = next(n for n, tag in enumerate(tags) if not _is_storable(tag))
        raise _Refusal(f"/tags/{position}", *_NOT_STORABLE)
    return tuple(sorted(set(tags)))


def _tag(value: object) -> str:
    if not isinstance(value, str):
        raise _Refusal("", "Not text", "A tag is a text.")
    tag = value.strip()
    if len(tag) > MAX_TAG:
        detail = f"The tag has {len(tag):,} characters; {MAX_TAG} are allowed."
        raise _Refusal("", "Too long", detail)
    if not 0 < tag.find(":") < len(tag) - 1:
        raise _Refusal("", "Not a tag", 'A tag is "key:value".')
    return tag


def _attributes(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Refusal("/attributes", "Not an object", "`attributes` is an object.")
    try:
        _check_json(value, MAX_ATTRIBUTES_DEPTH)
    except _Refusal as refusal:
        raise refusal.under("attributes") from None
    size = len(msgspec.json.encode(value))
    if size > MAX_ATTRIBUTES_BYTES:
        detail = f"`attributes` takes {size:,} bytes; {MAX_ATTRIBUTES_BYTES:,} are allowed."
        raise _Refusal("/attributes", "Too large", detail)
    return value


def _check_json(value: object, depth: int) -> None:
    """Refuse what JSON, PostgreSQL or SQLite cannot hold, and what nests too deep."""
    if isinstance(value, str):
        if not _is_storable(value):
            raise _Refusal("", *_NOT_STORABLE)
    elif isinstance(value, (dict, list)):
        if depth == 0:
            detail = f"Only {MAX_ATTRIBUTES_DEPTH} levels are allowed."
            raise _Refusal("", "Nested too deep", detail)
        _check_items(value, depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Refusal("", "Not a number", "NaN and Infinity are not JSON.")
    elif isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise _Refusal("", "Too large", "An integer must fit into 64 bits.")
    elif value is not None:
        raise _Refusal("", "Not JSON", f"{type(value).__name__} is not a JSON value.")


def _check_items(container: dict[Any, Any] | list[Any], depth: int) -> None:
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    for key, item in pairs:
        if isinstance(key, str) and not _is_storable(key):
            raise _Refusal("", *_NOT_STORABLE).under(key)
        try:
            _check_json(item, depth)
        except _Refusal as refusal:
            raise refusal.under(key) from None


def _moment(value: object, latest: datetime) -> datetime | None:
    if value is None:
        return None
    try:
        moment = _parse_moment(value)
    except (ValueError, OverflowError):
        detail = "A time is ISO 8601 (2026-11-23T12:00:00Z) or epoch milliseconds."
        raise _Refusal("/first_seen_at", "Not a time", detail) from None
    if not _EPOCH <= moment <= latest:
        detail = f"A time lies between 1970 and {latest:%Y-%m-%d}."
        raise _Refusal("/first_seen_at", "Out of range", detail)
    return moment


def _parse_moment(value: object) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        return _EPOCH + timedelta(milliseconds=value)
    raise ValueError("neither text nor a whole number")
