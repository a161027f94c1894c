"""Report files in, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Generic, Literal, cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict, UnreadablePostError
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.accounts import idempotency
from config.accounts.roles import Permission
from config.lib.datadog_api.schemas import our_answers, schema_of
from config.lib.datadog_api.shapes import Count, Data, Error, Moment, PageMeta, Shown, only
from config.lib.jsonapi import ApiError
from config.lib.request_body import stream_of
from config.lib.request_handling import ENVELOPE, Handling, Lane
from findings.formats.registry import FORMATS
from findings.formats.shapes.column_map import WrongColumns, column_map
from findings.formats.streams.records import RefusedReport
from findings.imports.dry_run import dry_run
from findings.imports.queue import store_chunks
from findings.imports.rule_counts import RuleCounts
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import ReportTooLarge, chunks_of, spooled
from findings.models import Import


class ReportParser(BaseParser):
    """Any body is a report: what it is shows in its content. Nothing is read here."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        return {}


class _Unscanned(Struct):
    target: str
    reason: str
    kind: str


class _Outcome(Struct):
    format: str
    new: Count
    seen_again: Count
    reopened: Count
    resolved: Annotated[Count, Meta(description="Closed, because the report no longer holds them.")]
    rejected: Count
    closing_note: str
    missing: Annotated[Count, Meta(description="Of `expected`, when that was decided.")]
    expected: Annotated[Count, Meta(description="Open findings of the scope before the import.")]
    unscanned: Annotated[
        list[_Unscanned],
        Meta(
            description="What the scanner, as the report says, could not look at: a `target` of a "
            "`kind` (`file`, `package`, …), or the scan as a whole (an empty `target`). Findings "
            "there stay open. At most 500."
        ),
    ]
    notes: Annotated[
        list[str],
        Meta(
            description="How the file was read where it was odd: its encoding, columns of a table "
            "of your own that nothing is taken from."
        ),
    ]


class ImportAttributes(_Outcome):
    source: str | None
    scope: Annotated[str | None, Meta(description="What the report covers; see `closing`.")]
    is_partial: bool
    file_name: str
    columns: Annotated[
        dict[str, str], Meta(description="The column map that came with a table, by field.")
    ]
    state: Annotated[str, only(*Import.State.values)]
    reason: Annotated[str, Meta(description="Why the file was refused.")]
    size: Annotated[Count, Meta(description="Bytes, unpacked; 0 until it is known.")]
    bytes_read: Count
    received: Count
    closing: Annotated[
        str,
        only(*Import.Closing.values),
        Meta(
            description="What becomes of open findings of the scope that the report lacks: "
            "`open`: not decided yet. `done`: closed. `held`: so many are missing that a person "
            "decides. `resolving`: a person decided that they are gone, and they are being closed. "
            "`kept`: a person kept them open. `none`: the report closes nothing, as "
            "`closing_note` says."
        ),
    ]
    started_by: str
    started_at: Moment
    finished_at: Moment | None


class PreviewAttributes(_Outcome):
    source: str
    scope: str
    findings: Count
    closing: str
    columns: Annotated[
        list[str], Meta(description="Of a table of your own: what `columns` may name.")
    ]
    unread_columns: Annotated[
        list[str], Meta(description="Columns of a table that nothing is taken from.")
    ]
    severities: dict[str, int]
    types: dict[str, int]
    scanner: str
    changed: Annotated[Count, Meta(description="Of those seen again: with another severity.")]
    kept: Annotated[Count, Meta(description="Open, and of what the scanner could not look at.")]
    rules: Annotated[
        RuleCounts,
        Meta(
            description="What the rules in force, and what is left of today's limits, would make "
            "of the findings that are new or opened again. `over_limit_packages`: the tickets that "
            "those over the limit would take with one per package."
        ),
    ]


ShownImport = Shown[Literal["imports"], ImportAttributes]


class _Preview(Struct):
    id: str
    type: Literal["import_previews"]
    attributes: PreviewAttributes


class _One(Struct, Generic[Data]):
    data: Data
    errors: list[Error]


class _Many(Struct):
    data: list[ShownImport]
    meta: PageMeta


_ONE = schema_of(_One[ShownImport])
_FILE = {"type": "string", "format": "binary"}
_PAGE = (
    OpenApiParameter("page[number]", int, description="From 0."),
    OpenApiParameter("page[size]", int, description="1 to 100; 25."),
)


class ImportsView(APIView):
    handling = Handling(
        Lane.INTAKE, settings.IMPORT_MAX_BYTES + ENVELOPE, Permission.FINDINGS_INTAKE
    )
    required_permissions = {
        "GET": Permission.FINDINGS_READ,
        "POST": Permission.FINDINGS_INTAKE,
    }
    parser_classes = [MultiPartParser, ReportParser]

    @extend_schema(
        operation_id="import_report",
        summary="Send a report",
        description="A report file as the body (plain, gzip or zip), or as the field `file` of a "
        "form. With `dry_run` nothing is kept (200); with `queued` it is imported later (202): ask "
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
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": _FILE},
                "required": ["file"],
            },
        },
        responses=our_answers(201, _ONE, 409, 422)
        | our_answers(200, schema_of(_One[_Preview]))
        | our_answers(202, _ONE),
    )
    def post(self, request: Request) -> Response:
        _check_size_and_encoding(request)
        given, chunks, file_name = _sent(request)
        options = ImportOptions(
            source=given.get("source", ""),
            scope=given.get("scope", ""),
            format_name=given.get("format", ""),
            columns=_columns(given),
            file_name=given.get("file_name", file_name),
            is_partial=_flag(given, "partial"),
            by=str(request.user),
        )
        return idempotency.answer_upload_once(request, chunks, partial(_taken, options, given))

    @extend_schema(
        operation_id="list_imports",
        summary="List imports",
        parameters=list(_PAGE),
        responses=our_answers(200, schema_of(_Many)),
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
        responses=our_answers(200, _ONE),
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        imports = Import.objects.select_related("source", "scope")
        found = get_object_or_404(imports, pk=import_id)
        return Response({"data": _document(found), "errors": found.errors})


def _taken(options: ImportOptions, given: Mapping[str, str], chunks: Iterator[bytes]) -> Response:
    """Taken in, only looked through, or kept for the queue."""
    try:
        if _flag(given, "dry_run"):
            return _dry_run(options, chunks)
        if _flag(given, "queued"):
            kept = store_chunks(chunks, options)
            return Response({"data": _document(kept), "errors": []}, status=202)
        done = import_report(chunks, options)
    except WrongColumns as wrong:
        raise ApiError(422, "Report refused", wrong.reason, parameter="columns") from None
    except RefusedReport as refusal:
        status = 413 if isinstance(refusal, ReportTooLarge) else 422
        raise ApiError(status, "Report refused", refusal.reason) from None
    return Response({"data": _document(done), "errors": done.errors}, status=201)


def _dry_run(options: ImportOptions, chunks: Iterator[bytes]) -> Response:
    with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
        summary = dry_run(file, options).as_json()
    errors = summary.pop("errors")
    data = {"id": "dry-run", "type": "import_previews", "attributes": summary}
    return Response({"data": data, "errors": errors})


def _columns(given: Mapping[str, str]) -> dict[str, str]:
    try:
        return column_map(given.get("columns", ""))
    except WrongColumns as wrong:
        raise ApiError(422, "Unknown column map", wrong.reason, parameter="columns") from None


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
    if text not in _FLAGS:
        raise ApiError(400, detail=f"`{name}` is true or false.", parameter=name)
    return _FLAGS[text]


_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


def _check_size_and_encoding(request: Request) -> None:
    """Refuse early what a look at the headers shows; what is read is counted again."""
    limit = settings.IMPORT_MAX_BYTES
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit + ENVELOPE:
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
    attributes = {name: getattr(done, name) for name in ImportAttributes.__struct_fields__}
    attributes["source"] = done.source.name if done.source else None
    attributes["scope"] = done.scope.target if done.scope else None
    return {"id": str(done.pk), "type": "imports", "attributes": attributes}
