"""`POST /api/v1/findings`: the envelope and its limits; what it holds is for `findings.intake`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import msgspec
from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib.jsonapi import ApiError, Error, error
from config.lib.request_body import read_json_body
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.intake import receive

MAX_FINDINGS = 10_000
CLOCK_SKEW = timedelta(days=1)  # how far ahead of ours the clock of a source may be


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    # Raw, so that one bad finding is one error and not the end of the request.
    findings: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_FINDINGS)]


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
    for position, raw in enumerate(envelope.findings):
        pointer = f"/findings/{position}"
        try:
            given = _FINDING.decode(raw)
        except msgspec.DecodeError as fault:
            yield Rejected(position, pointer, "Not readable", f"{fault}.")
        else:
            yield normalise(given, position=position, at=pointer, latest=latest)


def _error_of(rejected: Rejected) -> Error:
    return error(422, rejected.detail, title=rejected.title, source={"pointer": rejected.pointer})
