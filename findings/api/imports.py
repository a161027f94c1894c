"""Report files in, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict, UnreadablePostError
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.accounts import idempotency
from config.accounts.roles import Permission
from config.lib.jsonapi import MEDIA_TYPE, ApiError
from config.lib.request_body import stream_of
from findings.api import schemas
from findings.api.schemas import Schema
from findings.formats.column_map import WrongColumns, column_map
from findings.formats.registry import FORMATS
from findings.formats.stream import RefusedReport
from findings.imports import Sent, import_report
from findings.models import Import
from findings.preview import look_through
from findings.spool import ReportTooLarge, chunks_of, spooled
from findings.uploads import keep_chunks

_ENVELOPE = 64 * 1024  # of a multipart body around its file


class ReportParser(BaseParser):
    """Any body is a report: what it is shows in its content. Nothing is read here."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        return {}


def _fields(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(fields)}


_TEXT: Schema = {"type": "string"}
_MAP: Schema = {"type": "object", "additionalProperties": _TEXT}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_IMPORT = _fields(
    id={"type": "string", "format": "uuid"},
    type={"type": "string", "enum": ["imports"]},
    attributes=_fields(
        source=_TEXT | {"nullable": True},
        scope=_TEXT | {"nullable": True, "description": "What the report covers; see `closing`."},
        is_partial={"type": "boolean"},
        file_name=_TEXT,
        format=_TEXT,
        columns=_MAP | {"description": "The column map that came with a table, by field."},
        state={"type": "string", "enum": list(Import.State.values)},
        reason=_TEXT | {"description": "Why the file was refused."},
        size=_COUNT | {"description": "Bytes, unpacked; 0 until it is known."},
        bytes_read=_COUNT,
        received=_COUNT,
        new=_COUNT,
        seen_again=_COUNT,
        reopened=_COUNT,
        resolved=_COUNT | {"description": "Closed, because the report no longer holds them."},
        rejected=_COUNT,
        closing={
            "type": "string",
            "enum": list(Import.Closing.values),
            "description": "What becomes of open findings of the scope that the report lacks: "
            "`open`: not decided yet. `done`: closed. `held`: so many are missing that a person "
            "decides. `kept`: a person kept them open. `none`: the report closes nothing, as "
            "`closing_note` says.",
        },
        closing_note=_TEXT,
        missing=_COUNT | {"description": "Of `expected`, when that was decided."},
        expected=_COUNT | {"description": "Open findings of the scope before the import."},
        started_by=_TEXT,
        started_at=_TIME,
        finished_at=_TIME | {"nullable": True},
    ),
)
_ONE = _fields(data=_IMPORT, errors=schemas.ERRORS)
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
_PREVIEW = _fields(
    data=_fields(
        id=_TEXT,
        type={"type": "string", "enum": ["import_previews"]},
        attributes=_fields(
            format=_TEXT,
            source=_TEXT,
            scope=_TEXT,
            findings=_COUNT,
            new=_COUNT,
            seen_again=_COUNT,
            reopened=_COUNT,
            resolved=_COUNT,
            rejected=_COUNT,
            missing=_COUNT,
            expected=_COUNT,
            closing=_TEXT,
            closing_note=_TEXT,
            columns={
                "type": "array",
                "items": _TEXT,
                "description": "Of a table of your own: what `columns` may name.",
            },
            severities=_COUNTS,
            types=_COUNTS,
        ),
    ),
    errors=schemas.ERRORS,
)
_MANY = _fields(data={"type": "array", "items": _IMPORT}, meta={"type": "object"})
_FILE = {"type": "string", "format": "binary"}
_PAGE = (
    OpenApiParameter("page[number]", int, description="From 0."),
    OpenApiParameter("page[size]", int, description="1 to 100; 25."),
)


def _answers(status: int, answer: Schema, *refusals: int) -> dict[tuple[int, str], Schema]:
    refused = {(each, MEDIA_TYPE): schemas.REFUSED for each in (401, 403, 429, *refusals)}
    return {(status, MEDIA_TYPE): answer} | refused


class ImportsView(APIView):
    required_permissions = {
        "GET": Permission.FINDINGS_READ,
        "POST": Permission.FINDINGS_INTAKE,
    }
    parser_classes = [MultiPartParser, ReportParser]

    @extend_schema(
        operation_id="import_report",
        summary="Send a report",
        description="A report file as the body (plain, gzip or zip), or as the field `file` of a "
        "form. With `dry_run` nothing is kept (200); with `queued` it is taken in later (202): ask "
        "for the import to follow it.",
        parameters=[
            OpenApiParameter("source", str, description="Who sends it; the scanner's name."),
            OpenApiParameter(
                "scope",
                str,
                description="What the report covers: a repository, an image, an account. Default: "
                "what the report says. A later report of the same scope closes what it lacks.",
            ),
            OpenApiParameter("partial", bool, description="Close nothing that it lacks."),
            OpenApiParameter("dry_run", bool),
            OpenApiParameter("queued", bool),
            OpenApiParameter("format", str, enum=[each.NAME for each in FORMATS]),
            OpenApiParameter("file_name", str),
            OpenApiParameter(
                "columns",
                str,
                description="Of a table of your own: which column means which field, as "
                "`title:Issue Name,severity:Risk,finding_type:=misconfiguration`. After `=` comes "
                "a value for rows without one; an entry with a comma is quoted as a whole.",
            ),
            idempotency.PARAMETER,
        ],
        request={
            "application/octet-stream": _FILE,
            "multipart/form-data": _fields(file=_FILE),
        },
        responses=_answers(201, _ONE, 400, 409, 413, 415, 422)
        | _answers(200, _PREVIEW)
        | _answers(202, _ONE),
    )
    def post(self, request: Request) -> Response:
        _check_size_and_encoding(request)
        given, chunks, file_name = _sent(request)
        sent = Sent(
            source=given.get("source", ""),
            scope=given.get("scope", ""),
            format_name=given.get("format", ""),
            columns=_columns(given),
            file_name=given.get("file_name", file_name),
            is_partial=_flag(given, "partial"),
            by=str(request.user),
        )
        return idempotency.answer_upload_once(request, chunks, partial(_taken, sent, given))

    @extend_schema(
        operation_id="list_imports",
        summary="List imports",
        parameters=list(_PAGE),
        responses=_answers(200, _MANY, 400),
    )
    def get(self, request: Request) -> Response:
        size = _whole(request, "page[size]", default=25, least=1, most=100)
        start = size * _whole(request, "page[number]", default=0, least=0, most=1_000_000)
        imports = Import.objects.select_related("source", "scope")
        return Response(
            {
                "data": [_document(each) for each in imports[start : start + size]],
                "meta": {"page": {"total_filtered_count": imports.count()}},
            }
        )


class ImportView(APIView):
    required_permissions = {"GET": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="get_import",
        summary="Get an import",
        responses=_answers(200, _ONE, 404),
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        imports = Import.objects.select_related("source", "scope")
        found = get_object_or_404(imports, pk=import_id)
        return Response({"data": _document(found), "errors": found.errors})


def _taken(sent: Sent, given: Mapping[str, str], chunks: Iterator[bytes]) -> Response:
    """Taken in, only looked through, or kept for the queue."""
    try:
        if _flag(given, "dry_run"):
            return _looked_through(sent, chunks)
        if _flag(given, "queued"):
            kept = keep_chunks(chunks, sent)
            return Response({"data": _document(kept), "errors": []}, status=202)
        done = import_report(chunks, sent)
    except WrongColumns as wrong:
        raise ApiError(422, "Report refused", wrong.reason, parameter="columns") from None
    except RefusedReport as refusal:
        status = 413 if isinstance(refusal, ReportTooLarge) else 422
        raise ApiError(status, "Report refused", refusal.reason) from None
    return Response({"data": _document(done), "errors": done.errors}, status=201)


def _looked_through(sent: Sent, chunks: Iterator[bytes]) -> Response:
    with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
        summary = look_through(file, sent).as_json()
    errors = summary.pop("errors")
    data = {"id": "dry-run", "type": "import_previews", "attributes": summary}
    return Response({"data": data, "errors": errors})


def _columns(given: Mapping[str, str]) -> dict[str, str]:
    try:
        return column_map(given.get("columns", ""))
    except WrongColumns as wrong:
        raise ApiError(422, "Unknown column map", wrong.reason, parameter="columns") from None


def _flag(given: Mapping[str, str], name: str) -> bool:
    said = given.get(name, "false").lower()
    if said not in _FLAGS:
        raise ApiError(400, detail=f"`{name}` is true or false.", parameter=name)
    return _FLAGS[said]


_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


def _check_size_and_encoding(request: Request) -> None:
    """Refuse early what a look at the headers shows; what is read is counted again."""
    limit = settings.IMPORT_MAX_BYTES
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit + _ENVELOPE:
        raise ApiError(413, detail=f"A report may have {limit:,} bytes.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        detail = "Send the report as it is or as gzip."
        raise ApiError(415, detail=detail, header="Content-Encoding")


def _sent(request: Request) -> tuple[dict[str, str], Iterator[bytes], str]:
    """The parameters, the file, and the name it has in a form."""
    given = request.query_params.dict()
    if not (request.content_type or "").lower().startswith("multipart/"):
        return given, _body(request), ""
    form = cast("QueryDict", request.data)
    file = form.get("file")
    if not isinstance(file, UploadedFile):
        raise ApiError(422, detail="The form has no field `file`.", pointer="/file")
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return fields | given, file.chunks(), file.name or ""


def _body(request: Request) -> Iterator[bytes]:
    try:
        yield from chunks_of(stream_of(request))
    except UnreadablePostError:
        raise ApiError(400, detail="The body ended early.") from None


def _whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    sent = request.query_params.get(name, str(default))
    number = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else -1
    if not least <= number <= most:
        detail = f"A whole number from {least} to {most:,}."
        raise ApiError(400, detail=detail, parameter=name)
    return number


def _document(done: Import) -> dict[str, Any]:
    attributes = {name: getattr(done, name) for name in _SHOWN}
    attributes["source"] = done.source.name if done.source else None
    attributes["scope"] = done.scope.target if done.scope else None
    return {"id": str(done.pk), "type": "imports", "attributes": attributes}


_SHOWN: tuple[str, ...] = tuple(_IMPORT["properties"]["attributes"]["properties"])
