"""One reported finding, checked and in one shape, whatever report or request it came in.

Pure: no framework, no clock, no I/O. Every reader makes a plain record of the fields below
and passes it through `normalise`, so one set of limits holds for every way in, and no
credential that a text shows comes out whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import msgspec

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.clean_texts import CleanTexts
from findings.formats.credentials import mask_credentials, may_hold_credentials
from findings.formats.masking import digest, masked_fields
from findings.formats.storable import (
    MAX_ATTRIBUTES_DEPTH,
    NOT_STORABLE,
    Refusal,
    check_json,
    is_storable,
)

MAX_TITLE = 1_000  # a title is a line, not a page
MAX_DESCRIPTION = 32_768  # Jira's own limit on a description
MAX_RESOURCE_ID = 2_000  # ARNs and URLs end at 2,048 almost everywhere
MAX_RESOURCE_NAME = 1_000
MAX_RESOURCE_TYPE = 200  # column width
MAX_FINGERPRINT = 255  # column width; longer ones are for the sender to hash
MAX_TAGS = 200
MAX_TAG = 500
MAX_ATTRIBUTES_BYTES = 64 * 1024  # as JSON: what a rule reads must stay cheap to read
UNSPECIFIED = "unspecified"  # the resource of what a report does not place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

TYPES: Mapping[str, tuple[str, bool | None]] = {t.value: (t.value, None) for t in FindingType} | {
    # What a person calls them; the wire has one type for both. True: the resource is an image.
    "container_image_vulnerability": (FindingType.HOST_AND_CONTAINER.value, True),
    "host_vulnerability": (FindingType.HOST_AND_CONTAINER.value, False),
}
SEVERITIES: Mapping[str, str] = {s.value: s.value for s in Severity}
_TAGS = CleanTexts(may_hold_credentials)  # that passed


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
    former_fingerprints: tuple[str, ...] = ()
    """What earlier recipes made of it, newest first; see `values.identity.RECIPE_VERSION`."""


class Rejected(NamedTuple):
    """A record that did not go in, and why."""

    position: int  # in the report or request, from 0
    pointer: str  # JSON pointer to what is wrong, e.g. "/findings/7/severity"
    title: str
    detail: str


class Unscanned(NamedTuple):
    """Something that the scanner was to look at and, as its report says, could not."""

    target: str = ""  # as findings of it name their place; "": the scan as a whole
    reason: str = ""
    kind: str = "file"  # "package", "project", …


EVENTS = Unscanned(reason="events say nothing about other findings", kind="finding")
"""Of reports that by their nature cover nothing but what they hold."""

_OF_READERS = frozenset(Normalised._fields)
FIELDS = _OF_READERS - {"former_fingerprints"}  # what a sender may give


def normalise(
    record: object, *, position: int, at: str = "", latest: datetime = _END_OF_TIME
) -> Normalised | Rejected:
    """Check one record, a mapping with the fields of `Normalised` (None is an absent field).

    Required: finding_type, title, severity, resource_id. `finding_type` and `severity` take
    any case. `tags` is a list of "key:value". `first_seen_at` is ISO 8601 (without an offset:
    UTC) or epoch milliseconds, from 1970 up to `latest`. Without a `fingerprint` the record
    gets `default_fingerprint`. `at` is the JSON pointer of the record itself.

    Credentials are masked in every field, and in a finding about one also what looks random
    (`credentials`). The identity is of the text as it was reported.
    """
    try:
        return without_credentials(_normalised(record, latest))
    except Refusal as refusal:
        pointer, detail = at + refusal.pointer, refusal.detail
        return Rejected(
            position, mask_credentials(pointer), refusal.title, mask_credentials(detail)
        )


def normalise_mapped(
    record: Mapping[str, Any], *, position: int, at: str, latest: datetime
) -> Normalised | Rejected:
    """As `normalise`, of a record that a reader made: our fields are not in the file, so a refusal
    points at the record that they were made of. No place is no reason to refuse one."""
    placed = {**record, "resource_id": record["resource_id"] or UNSPECIFIED}
    outcome = normalise(placed, position=position, at=at, latest=latest)
    return outcome._replace(pointer=at) if isinstance(outcome, Rejected) else outcome


def without_credentials(found: Normalised) -> Normalised:
    """The finding with its credentials masked."""
    masked = masked_fields(found)
    return found._replace(**masked) if masked else found


def default_fingerprint(finding_type: str, title: str, resource_id: str) -> str:
    """The identity of a finding whose source gave none: its type, title and resource.

    What may change while the problem stays the same (severity, description, tags,
    attributes) is left out on purpose.
    """
    return digest("\0".join((finding_type, title, resource_id)))


def _normalised(record: object, latest: datetime) -> Normalised:
    if not isinstance(record, Mapping):
        raise Refusal("", "Not an object", "A finding is an object with fields.")
    former = record.get("former_fingerprints", ())
    is_of_reader = isinstance(former, tuple)  # what somebody sent is JSON, which has no tuples
    allowed = _OF_READERS if is_of_reader else FIELDS
    if not record.keys() <= allowed:
        unknown = next(key for key in record if key not in allowed)
        raise Refusal("", "Unknown field", "There is no such field.").under(str(unknown))
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
        tags=checked_tags(record.get("tags")),
        attributes=_attributes(record.get("attributes")),
        first_seen_at=checked_moment(record.get("first_seen_at"), latest),
        former_fingerprints=former,
    )


def _text(record: Mapping[str, Any], name: str, limit: int, *, required: bool = False) -> str:
    value = record.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise Refusal(f"/{name}", "Not text", f"`{name}` is a text.")
    value = value.strip()
    if required and not value:
        raise Refusal(f"/{name}", "Missing field", f"`{name}` is required.")
    if len(value) > limit:
        detail = f"`{name}` has {len(value):,} characters; {limit:,} are allowed."
        raise Refusal(f"/{name}", "Too long", detail)
    if not is_storable(value):
        raise Refusal(f"/{name}", *NOT_STORABLE)
    return value


def _type(record: Mapping[str, Any]) -> tuple[str, str]:
    """The type on the wire and the resource type, which tells images from hosts."""
    given = _text(record, "finding_type", 100, required=True).lower()
    resource_type = _text(record, "resource_type", MAX_RESOURCE_TYPE)
    if given not in TYPES:
        detail = f"{given!r} is not one of {', '.join(sorted(TYPES))}."
        raise Refusal("/finding_type", "Unknown finding type", detail)
    finding_type, is_image = TYPES[given]
    if is_image is None:
        return finding_type, resource_type
    resource_type = resource_type or (CONTAINER_IMAGE if is_image else "host")
    if is_image != (resource_type == CONTAINER_IMAGE):
        detail = f"`{given}` is not found on a resource of type {resource_type!r}."
        raise Refusal("/resource_type", "Contradiction", detail)
    return finding_type, resource_type


def _severity(record: Mapping[str, Any]) -> str:
    given = _text(record, "severity", 100, required=True).lower()
    if given not in SEVERITIES:
        detail = f"{given!r} is not one of {', '.join(SEVERITIES)}."
        raise Refusal("/severity", "Unknown severity", detail)
    return given


def checked_tags(value: object) -> tuple[str, ...]:
    if not (value is None or isinstance(value, (list, tuple))):
        raise Refusal("/tags", "Not a list", '`tags` is a list of "key:value".')
    if not value:
        return ()
    if len(value) > MAX_TAGS:
        detail = f"There are {len(value):,} tags; {MAX_TAGS} are allowed."
        raise Refusal("/tags", "Too many tags", detail)
    if found := _known_tags(value):
        return found
    tags = []
    for position, tag in enumerate(value):
        try:
            tags.append(_tag(tag))
        except Refusal as refusal:
            raise refusal.under(position).under("tags") from None
    if not is_storable("".join(tags)):  # one look at all is a fifth of the cost of each
        position = next(n for n, tag in enumerate(tags) if not is_storable(tag))
        raise Refusal(f"/tags/{position}", *NOT_STORABLE)
    _TAGS.add(tags)
    return tuple(sorted(set(tags)))


def _known_tags(value: Sequence[object]) -> tuple[str, ...]:
    """The same tags, if each of them passed before; nothing where one did not."""
    try:
        tags = set(cast("Sequence[str]", value))
        return tuple(sorted(tags)) if _TAGS.knows(tags) else ()
    except TypeError:  # an object or a list among them
        return ()


def _tag(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal("", "Not text", "A tag is a text.")
    tag = value.strip()
    if len(tag) > MAX_TAG:
        detail = f"The tag has {len(tag):,} characters; {MAX_TAG} are allowed."
        raise Refusal("", "Too long", detail)
    if not 0 < tag.find(":") < len(tag) - 1:
        raise Refusal("", "Not a tag", 'A tag is "key:value".')
    return tag


def _attributes(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal("/attributes", "Not an object", "`attributes` is an object.")
    try:
        check_json(value, MAX_ATTRIBUTES_DEPTH)
    except Refusal as refusal:
        raise refusal.under("attributes") from None
    size = len(msgspec.json.encode(value))
    if size > MAX_ATTRIBUTES_BYTES:
        detail = f"`attributes` takes {size:,} bytes; {MAX_ATTRIBUTES_BYTES:,} are allowed."
        raise Refusal("/attributes", "Too large", detail)
    return value


def checked_moment(value: object, latest: datetime) -> datetime | None:
    if value is None:
        return None
    try:
        moment = _parse_moment(value)
    except (ValueError, OverflowError):
        detail = "A time is ISO 8601 (2026-11-23T12:00:00Z) or epoch milliseconds."
        raise Refusal("/first_seen_at", "Not a time", detail) from None
    if not _EPOCH <= moment <= latest:
        detail = f"A time lies between 1970 and {latest:%Y-%m-%d}."
        raise Refusal("/first_seen_at", "Out of range", detail)
    return moment


def _parse_moment(value: object) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        return _EPOCH + timedelta(milliseconds=value)
    raise ValueError("neither text nor a whole number")
