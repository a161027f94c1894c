"""What the OpenAPI document says of findings. msgspec and `normalise` do the checking."""

from __future__ import annotations

from typing import Any

from findings.api.intake import MAX_FINDINGS
from findings.facts import FindingType, Severity, Status
from findings.formats import normalised

Schema = dict[str, Any]


def _object(properties: Schema, *, required: list[str] | None = None) -> Schema:
    return {"type": "object", "properties": properties, "required": required or list(properties)}


def _text(limit: int, description: str = "") -> Schema:
    return {"type": "string", "maxLength": limit, "description": description}


_COUNT = {"type": "integer", "minimum": 0}
_EPOCH_MS = {"type": "integer", "format": "int64", "description": "Epoch milliseconds."}

REPORTED_FINDING = _object(
    {
        "finding_type": {
            "type": "string",
            "enum": [
                *(choice.value for choice in FindingType),
                "container_image_vulnerability",
                "host_vulnerability",
            ],
            "description": "In any case. The last two become host_and_container_vulnerability.",
        },
        "title": _text(normalised.MAX_TITLE),
        "severity": {
            "type": "string",
            "enum": [severity.value for severity in Severity],
            "description": "In any case.",
        },
        "resource_id": _text(normalised.MAX_RESOURCE_ID),
        "description": _text(normalised.MAX_DESCRIPTION, "Markdown."),
        "resource_name": _text(normalised.MAX_RESOURCE_NAME),
        "resource_type": _text(normalised.MAX_RESOURCE_TYPE),
        "tags": {
            "type": "array",
            "maxItems": normalised.MAX_TAGS,
            "items": _text(normalised.MAX_TAG, "key:value"),
        },
        "attributes": {"type": "object", "description": "At most 64 KiB, 10 levels deep."},
        "fingerprint": _text(
            normalised.MAX_FINGERPRINT,
            "The finding's identity within its source. Without one it is made of finding_type, "
            "title and resource_id.",
        ),
        "first_seen_at": {
            "oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}],
            "description": "ISO 8601 or epoch milliseconds, from 1970 to tomorrow.",
        },
    },
    required=["finding_type", "title", "severity", "resource_id"],
)
REPORT = _object(
    {
        "source": _text(100, "Who found them."),
        "findings": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_FINDINGS,
            "items": REPORTED_FINDING,
        },
    }
)
ERRORS: Schema = {
    "type": "array",
    "items": _object(
        {
            "status": {"type": "string"},
            "title": {"type": "string"},
            "detail": {"type": "string"},
            "source": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "example": "/findings/7/severity"},
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                },
            },
        },
        required=["status", "title"],
    ),
}
REFUSED = _object({"errors": ERRORS})
RECEIVED = _object(
    {
        "data": _object(
            dict.fromkeys(("received", "new", "seen_again", "reopened", "rejected"), _COUNT)
        ),
        "errors": ERRORS,
    }
)
_CUSTOM = _object(
    {
        "finding_id": {"type": "string"},
        "finding_type": {"type": "string", "enum": [choice.value for choice in FindingType]},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "severity": {"type": "string", "enum": [severity.value for severity in Severity]},
        "status": {"type": "string", "enum": [status.value for status in Status]},
        "resource_id": {"type": "string"},
        "resource_name": {"type": "string"},
        "resource_type": {"type": "string"},
        "first_seen_at": _EPOCH_MS,
        "last_seen_at": _EPOCH_MS,
        "detection_changed_at": _EPOCH_MS,
        "workflow": {"type": "object", "description": "Mute, assignee, rules and tickets."},
        "metadata": {"type": "object"},
    }
) | {"description": "The core fields above the finding's own attributes."}
FINDING = _object(
    {
        "id": {"type": "string"},
        "type": {"type": "string", "enum": ["finding"]},
        "attributes": _object(
            {
                "attributes": _object({"custom": _CUSTOM}),
                "tags": {"type": "array", "items": {"type": "string"}},
                "timestamp": _EPOCH_MS,
            }
        ),
    }
)
ONE_FINDING = _object({"data": FINDING})
PAGE_OF_FINDINGS = _object(
    {
        "data": {"type": "array", "items": FINDING},
        "meta": _object({"page": {"type": "object", "properties": {"after": {"type": "string"}}}}),
        "links": {
            "type": "object",
            "properties": {"next": {"type": "string", "format": "uri-reference"}},
        },
    }
)
