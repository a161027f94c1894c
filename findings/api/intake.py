"""`POST /api/v1/findings`: the envelope and its limits; `findings.imports.intake` does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.utils import timezone
from msgspec import UNSET, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib.datadog_api.schemas import schema_of
from config.lib.datadog_api.shapes import Count, Error, Moment, documented, only
from config.lib.jsonapi import ApiError, error
from config.lib.request_body import read_json_body
from findings.facts import FindingType, Severity
from findings.formats import normalised, sent_records
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.imports.intake import receive

MAX_FINDINGS = 10_000
CLOCK_SKEW = timedelta(days=1)  # how far ahead of ours the clock of a source may be


class ReportedFinding(msgspec.Struct):  # `normalise` does the checking
    finding_type: Annotated[
        str,
        only(*FindingType, "container_image_vulnerability", "host_vulnerability"),
        documented(
            description="In any case. The last two become host_and_container_vulnerability."
        ),
    ]
    title: Annotated[str, documented(maxLength=normalised.MAX_TITLE)]
    severity: Annotated[str, only(*Severity), documented(description="In any case.")]
    resource_id: Annotated[str, documented(maxLength=normalised.MAX_RESOURCE_ID)]
    description: Annotated[
        str, documented(maxLength=normalised.MAX_DESCRIPTION, description="Markdown.")
    ] = ""
    resource_name: Annotated[str, documented(maxLength=normalised.MAX_RESOURCE_NAME)] = ""
    resource_type: Annotated[str, documented(maxLength=normalised.MAX_RESOURCE_TYPE)] = ""
    tags: Annotated[
        list[Annotated[str, documented(maxLength=normalised.MAX_TAG, description="key:value")]],
        documented(maxItems=normalised.MAX_TAGS),
    ] = []
    attributes: Annotated[
        dict[str, Any], documented(description="At most 64 KiB, 10 levels deep.")
    ] = {}
    fingerprint: Annotated[
        str,
        documented(
            maxLength=normalised.MAX_FINGERPRINT,
            description="The finding's identity within its source. Without one it is made of "
            "finding_type, title and resource_id.",
        ),
    ] = ""
    first_seen_at: Annotated[
        Moment | int | UnsetType,
        documented(description="ISO 8601 or epoch milliseconds, from 1970 to tomorrow."),
    ] = UNSET


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    source: Annotated[
        str, msgspec.Meta(min_length=1, max_length=100, description="Who found them.")
    ]
    # Raw, so that one bad finding is one error and not the end of the request.
    findings: Annotated[
        list[Annotated[msgspec.Raw, documented(**schema_of(ReportedFinding))]],
        msgspec.Meta(min_length=1, max_length=MAX_FINDINGS),
    ]


class Counts(msgspec.Struct):
    received: Count
    new: Count
    seen_again: Count
    reopened: Count
    rejected: Count


class Received(msgspec.Struct):
    data: Counts
    errors: list[Error]


_ENVELOPE = msgspec.json.Decoder(Envelope)
_FINDING = msgspec.json.Decoder()


def take_in(request: Request) -> Response:
    """Record the findings of a request. 200 with counts and one error for each that was
    rejected; 400 with the same body when all were."""
    body = read_json_body(request, limit=settings.INTAKE_MAX_BYTES)
    envelope = _decoded(body)
    outcomes = list(_outcomes(envelope))
    received = receive(outcomes, source_name=_source_name(envelope))
    errors = [_error_of(outcome) for outcome in outcomes if isinstance(outcome, Rejected)]
    return Response(
        {"data": received._asdict(), "errors": errors},
        status=400 if received.rejected == received.received else 200,
    )


def _decoded(body: bytes) -> Envelope:
    try:
        return _ENVELOPE.decode(body)
    except msgspec.ValidationError as fault:
        message, _, path = str(fault).partition(" - at `$")
        pointer = path.rstrip("`").replace(".", "/")
        raise ApiError(400, detail=f"{message}.", pointer=pointer) from None
    except msgspec.DecodeError as fault:
        raise ApiError(400, title="Not JSON", detail=f"{fault}.") from None
    except RecursionError:
        raise ApiError(400, title="Nested too deep", detail="The JSON nests too deep.") from None


def _source_name(envelope: Envelope) -> str:
    name = envelope.source.strip()
    if not name or not name.isprintable():
        raise ApiError(400, detail="`source` is a name of printable text.", pointer="/source")
    return name


def _outcomes(envelope: Envelope) -> Iterator[Normalised | Rejected]:
    latest = timezone.now() + CLOCK_SKEW
    for position, raw in enumerate(map(bytes, envelope.findings)):
        if found := sent_records.read(raw, latest=latest):
            yield found
            continue
        pointer = f"/findings/{position}"
        try:
            given = _FINDING.decode(raw)
        except msgspec.DecodeError as fault:
            yield Rejected(position, pointer, "Not readable", f"{fault}.")
        else:
            yield normalise(given, position=position, at=pointer, latest=latest)


def _error_of(rejected: Rejected) -> dict[str, Any]:
    return error(422, rejected.detail, title=rejected.title, source={"pointer": rejected.pointer})
