"""One reported finding, checked and in one shape, whatever report or request it came in.

Pure: no framework, no clock, no I/O. Every reader makes a plain record of the fields below
and passes it through `normalise`, so one set of limits holds for every way in, and no
credential that a text shows comes out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import msgspec

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.clean_texts import CleanTexts
from findings.formats.credentials import (
    holds_random,
    mask_credentials,
    mask_random,
    mask_within,
    may_hold_credentials,
    may_name_credentials,
    words_of,
)
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
        return _without_credentials(_normalised(record, latest))
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


def default_fingerprint(finding_type: str, title: str, resource_id: str) -> str:
    """The identity of a finding whose source gave none: its type, title and resource.

    What may change while the problem stays the same (severity, description, tags,
    attributes) is left out on purpose.
    """
    return _digest("\0".join((finding_type, title, resource_id)))


_SECRET = FindingType.SECRET.value
_HARD_CODED = frozenset({"cwe:CWE-259", "cwe:CWE-321", "cwe:CWE-798"})


def _without_credentials(found: Normalised) -> Normalised:
    """The finding with its credentials masked; of an ordinary one without any, itself."""
    is_about_one = found.finding_type == _SECRET or not _HARD_CODED.isdisjoint(found.tags)
    texts = [found.title, found.description, found.resource_id, found.resource_name]
    texts += (found.resource_type, *found.tags)
    names: list[str] = []
    _collect(found.attributes, texts, names)
    if is_about_one:
        of_secret = (*texts, *names)
        is_clean = _CLEAN_OF_SECRETS.hold_all(of_secret) and _CLEAN.hold_all((found.fingerprint,))
    else:
        is_clean = _CLEAN.hold_all((found.fingerprint, *texts))
    if is_clean and _CLEAN_NAMES.hold_all(names):
        return found
    if not is_about_one:
        return _masked(found, _mask_ordinary)
    kept = _names_of(found)

    def mask(text: str) -> str:
        is_clean = _CLEAN_OF_SECRETS.masked(text, _mask_any_random) == text
        return text if is_clean else mask_random(mask_credentials(text), keeps=kept.__contains__)

    return _masked(found, mask)


def _collect(value: object, texts: list[str], names: list[str]) -> None:
    """Add the texts of a JSON value and, apart, the names of its fields."""
    if isinstance(value, dict):
        names.extend(value)
        value = value.values()
    elif not isinstance(value, list):
        value = (value,)
    for item in value:
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict | list):
            _collect(item, texts, names)


def _mask_ordinary(text: str) -> str:
    return _CLEAN.masked(text, mask_credentials)


def _mask_any_random(text: str) -> str:
    return mask_random(mask_credentials(text))


def _may_change_of_secret(text: str) -> bool:
    return may_hold_credentials(text) or holds_random(text)


_CLEAN = CleanTexts(may_hold_credentials)
_CLEAN_OF_SECRETS = CleanTexts(_may_change_of_secret)
_CLEAN_NAMES = CleanTexts(may_name_credentials)
_TAGS = CleanTexts(may_hold_credentials)  # that passed


def _masked(found: Normalised, mask: Callable[[str], str]) -> Normalised:
    """No field gets longer by it: each is still within its limits."""
    is_plain = mask_credentials(found.fingerprint) == found.fingerprint
    return found._replace(
        title=mask(found.title),
        description=mask(found.description),
        resource_id=mask(found.resource_id),
        resource_name=mask(found.resource_name),
        resource_type=mask(found.resource_type),
        fingerprint=found.fingerprint if is_plain else _digest(found.fingerprint),
        tags=tuple(sorted({_masked_tag(tag, mask) for tag in found.tags})),
        attributes=mask_within(found.attributes, mask),
    )


def _names_of(found: Normalised) -> str:
    """What may look random in a finding about a credential: where it is, and its ids."""
    attributes = found.attributes
    ids = [attributes.get("correlation_id"), attributes.get("external_id")]
    for name, fields in _NAMES.items():
        part = attributes.get(name)
        if isinstance(part, Mapping):
            ids += [part.get(field) for field in fields]
    return words_of([found.resource_id, found.resource_name, *ids])


_NAMES = {
    "rule": ("id",),
    "git": ("commit", "repository", "branch"),
    "code_location": ("file",),
    "container_image": ("name",),
}


def _masked_tag(tag: str, mask: Callable[[str], str]) -> str:
    """`token:…` alone is the key of a tag, not what a token is set to."""
    key, colon, value = tag.partition(":")
    if value.startswith("//"):  # an address
        return mask(tag)
    return f"{mask(key)}{colon}{mask(value)}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


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
        tags=_tags(record.get("tags")),
        attributes=_attributes(record.get("attributes")),
        first_seen_at=_moment(record.get("first_seen_at"), latest),
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
    if given not in _TYPES:
        detail = f"{given!r} is not one of {', '.join(sorted(_TYPES))}."
        raise Refusal("/finding_type", "Unknown finding type", detail)
    finding_type, is_image = _TYPES[given]
    if is_image is None:
        return finding_type, resource_type
    resource_type = resource_type or (CONTAINER_IMAGE if is_image else "host")
    if is_image != (resource_type == CONTAINER_IMAGE):
        detail = f"`{given}` is not found on a resource of type {resource_type!r}."
        raise Refusal("/resource_type", "Contradiction", detail)
    return finding_type, resource_type


def _severity(record: Mapping[str, Any]) -> str:
    given = _text(record, "severity", 100, required=True).lower()
    if given not in _SEVERITIES:
        detail = f"{given!r} is not one of {', '.join(_SEVERITIES)}."
        raise Refusal("/severity", "Unknown severity", detail)
    return given


def _tags(value: object) -> tuple[str, ...]:
    if not value and (value is None or isinstance(value, list | tuple)):
        return ()
    if not isinstance(value, list | tuple):
        raise Refusal("/tags", "Not a list", '`tags` is a list of "key:value".')
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


def _moment(value: object, latest: datetime) -> datetime | None:
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
