"""Findings as JSON that somebody sent, read at once where nothing is wrong with them.

The decoder checks while it reads, which is half the cost of looking at what it has read. What does
not pass here is not refused: `normalise` says what is wrong with it and where, or makes it right.

Pure: no framework, no clock, no I/O.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from findings.formats import normalised
from findings.formats.normalised import (
    SEVERITIES,
    TYPES,
    Normalised,
    checked_moment,
    checked_tags,
    default_fingerprint,
    without_credentials,
)
from findings.formats.storable import MAX_ATTRIBUTES_DEPTH, MAX_INTEGER, Refusal

_MAX_BYTES = normalised.MAX_ATTRIBUTES_BYTES // 8
"""However its numbers are written, what is in so little stays within the limit of attributes."""
_ESCAPED = b"\\u"  # how NUL and half of a surrogate pair are written, and nothing else makes them

_Scalar: Any = str | Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)] | float | bool | None
_Value: Any = _Scalar
for _ in range(MAX_ATTRIBUTES_DEPTH - 1):
    _Value = _Scalar | list[_Value] | dict[str, _Value]


class SentFinding(msgspec.Struct, forbid_unknown_fields=True):
    finding_type: str
    title: Annotated[str, Meta(max_length=normalised.MAX_TITLE)]
    severity: str
    resource_id: Annotated[str, Meta(max_length=normalised.MAX_RESOURCE_ID)]
    description: Annotated[str, Meta(max_length=normalised.MAX_DESCRIPTION)] | None = None
    resource_name: Annotated[str, Meta(max_length=normalised.MAX_RESOURCE_NAME)] | None = None
    resource_type: Annotated[str, Meta(max_length=normalised.MAX_RESOURCE_TYPE)] | None = None
    tags: list[str] | None = None
    attributes: dict[str, _Value] | None = None
    fingerprint: Annotated[str, Meta(max_length=normalised.MAX_FINGERPRINT)] | None = None
    first_seen_at: str | int | None = None


_decoded = msgspec.json.Decoder(SentFinding).decode


def read(sent: bytes, *, latest: datetime) -> Normalised | None:
    """As `normalise` reads it; None if it takes a closer look."""
    if len(sent) > _MAX_BYTES or _ESCAPED in sent:
        return None
    try:
        given = _decoded(sent)
        tags = checked_tags(given.tags)
        first_seen_at = checked_moment(given.first_seen_at, latest)
    except (msgspec.DecodeError, Refusal, UnicodeDecodeError):
        return None
    finding_type, is_image = TYPES.get(given.finding_type, _UNKNOWN)
    title, resource_id = given.title.strip(), given.resource_id.strip()
    is_plain = is_image is None and given.severity in SEVERITIES
    if not (is_plain and title and resource_id):
        return None
    return without_credentials(
        Normalised(
            finding_type,
            title,
            given.severity,
            resource_id,
            (given.fingerprint or "").strip()
            or default_fingerprint(finding_type, title, resource_id),
            (given.description or "").strip(),
            (given.resource_name or "").strip(),
            (given.resource_type or "").strip(),
            tags,
            given.attributes or {},
            first_seen_at,
        )
    )


_UNKNOWN = ("", False)
