"""What the OpenAPI document says of the public API's findings."""

from __future__ import annotations

from config.lib.jsonapi import MEDIA_TYPE
from config.lib.public.schemas import TEXT, Schema, answers, enum, listed, obj
from findings.api.asking import MAX_LIMIT
from findings.api.schemas import FINDING
from findings.overrides import MAX_DESCRIPTION, SETTABLE
from findings.selectors import Order

MAX_FINDINGS = 100
MUTE_REASONS = (
    "PENDING_FIX",
    "FALSE_POSITIVE",
    "OTHER",
    "NO_FIX",
    "DUPLICATE",
    "RISK_ACCEPTED",
)
UNMUTE_REASONS = ("NO_PENDING_FIX", "HUMAN_ERROR", "NO_LONGER_ACCEPTED_RISK", "OTHER")

ABOUT_SEARCHES = (
    "Findings that match a query, by when their detection changed last. Tags are queried as "
    "`key:value`, attributes as `@path:value`, e.g. `@severity:(critical OR high) @status:open "
    "team:platform`. Muted and closed findings come, too, unless the query leaves them out. Pages "
    "stay whole while findings arrive. `meta.status` is `timeout` if the search was given up."
)
ABOUT_MUTES = (
    f"Mute or unmute up to {MAX_FINDINGS} findings, all or none. The reasons to mute are "
    f"{', '.join(MUTE_REASONS)}; those to unmute {', '.join(UNMUTE_REASONS)}. Without `expire_at` "
    "a mute does not end. Findings that are resolved or auto-closed stay so."
)
ABOUT_ASSIGNEES = (
    f"Give up to {MAX_FINDINGS} findings to a person, all or none. Without `assignee_id`, or with "
    "null, they are nobody's."
)
ABOUT_SEVERITIES = (
    f"Set the severity of up to {MAX_FINDINGS} findings, whatever their source says, or clear "
    "what was set. It holds until it is cleared. Auto-closed findings and those that do not exist "
    "are left out and listed in `meta.warnings`; 404 if none of them exists."
)

_ERROR_WITHOUT_TITLE = obj(
    {
        "errors": listed(
            obj(
                {
                    "status": TEXT,
                    "title": TEXT | {"description": "Missing of a bad cursor alone."},
                    "detail": TEXT,
                    "source": obj({"parameter": TEXT, "pointer": TEXT}, required=[]),
                },
                required=["status"],
            )
        )
    }
)
_DESCRIPTION: Schema = TEXT | {"maxLength": MAX_DESCRIPTION}
_RESULTS = listed(
    obj(
        {
            "finding_id": TEXT,
            "status": {"type": "integer", "format": "int32"},
            "title": TEXT,
            "detail": TEXT,
        }
    )
)

FOUND = answers(
    200,
    obj(
        {
            "data": listed(FINDING),
            "meta": obj(
                {
                    "elapsed": {"type": "integer", "description": "Milliseconds."},
                    "page": obj({"after": TEXT}, required=[]),
                    "request_id": TEXT,
                    "status": enum("done", "timeout"),
                }
            ),
            "links": obj({"next": TEXT | {"format": "uri-reference"}}, required=[]),
        }
    ),
) | {(400, MEDIA_TYPE): _ERROR_WITHOUT_TITLE}
SEARCH = obj(
    {
        "data": obj(
            {
                "attributes": obj(
                    {
                        "filter": TEXT,
                        "page": obj(
                            {
                                "cursor": TEXT,
                                "limit": {
                                    "type": "integer",
                                    "format": "int64",
                                    "minimum": 1,
                                    "maximum": MAX_LIMIT,
                                },
                            },
                            required=[],
                        ),
                        "sort": enum(*Order),
                    },
                    required=[],
                )
            },
            required=[],
        )
    }
)


def _change(kind: str, attributes: Schema, *, required: bool = True) -> Schema:
    findings = obj(
        {
            "data": listed(
                obj({"id": TEXT, "type": enum("findings")}), minItems=1, maxItems=MAX_FINDINGS
            )
        }
    )
    members = {
        "id": TEXT,
        "type": enum(kind),
        "attributes": attributes,
        "relationships": obj({"findings": findings}),
    }
    needed = ["type", "relationships", *(["attributes"] if required else [])]
    return obj({"data": obj(members, required=needed)})


MUTE = _change(
    "mute",
    obj(
        {
            "mute": obj(
                {
                    "is_muted": {"type": "boolean"},
                    "reason": enum(*dict.fromkeys((*MUTE_REASONS, *UNMUTE_REASONS))),
                    "description": _DESCRIPTION,
                    "expire_at": {
                        "type": "integer",
                        "format": "int64",
                        "description": "Epoch milliseconds, in the future.",
                    },
                },
                required=["is_muted", "reason"],
            )
        }
    ),
)
MUTED = answers(202, obj({"data": obj({"id": TEXT, "type": enum("mute")})}), 404, 422)
ASSIGNEE = _change(
    "assignee",
    obj(
        {"assignee_id": {"type": "string", "nullable": True}},
        required=[],
    ),
    required=False,
)
ASSIGNED = answers(
    202,
    obj(
        {
            "data": obj(
                {
                    "id": TEXT,
                    "type": enum("assignee"),
                    "attributes": obj({"assignee_id": TEXT}, required=[]),
                }
            ),
            "meta": obj({"warnings": _RESULTS, "failures": _RESULTS}),
        }
    ),
    404,
)
SEVERITY = _change(
    "severity_override",
    obj(
        {
            "severity": {
                "oneOf": [
                    obj(
                        {
                            "action": enum("set"),
                            "value": enum(*SETTABLE),
                            "description": _DESCRIPTION,
                        },
                        required=["action", "value"],
                    ),
                    obj(
                        {"action": enum("clear"), "description": _DESCRIPTION},
                        required=["action"],
                    ),
                ]
            }
        }
    ),
)
OVERRIDDEN = answers(
    202,
    obj(
        {
            "data": obj({"id": TEXT, "type": enum("severity_override")}),
            "meta": obj({"warnings": _RESULTS}),
        }
    ),
    404,
)
