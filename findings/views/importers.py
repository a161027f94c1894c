"""Who sends findings, what came of their reports, and reports from a person's own computer."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.request_handling import ENVELOPE, Lane, handle
from findings.formats.shapes.column_map import in_words
from findings.forms import count_label, iso
from findings.imports import closing, importers, queue, undo
from findings.imports.column_map_form import ColumnsForm
from findings.imports.results import result_of
from findings.imports.run import ImportOptions
from findings.imports.upload_form import UploadForm
from findings.models import Import, Source

SUGGESTED = 200
SHOWN = 50  # of the findings that a report lacks


@require(Permission.FINDINGS_READ)
@require_GET
def list_importers(request: HttpRequest) -> HttpResponse:
    context = {
        "rows": importers.source_rows(),
        "since": iso(importers.first_day()),
        "imports": importers.recent_imports(),
        "may_upload": signed_in(request).may(Permission.FINDINGS_INTAKE),
        "base_url": settings.BASE_URL,
    }
    return render(request, "findings/importers.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """A run; as a fragment while it is on its way."""
    run = _run(import_id)
    return _shown(request, run, _columns_form(run, None))


def _shown(
    request: HttpRequest, run: Import, form: ColumnsForm | None, *, status: int = 200
) -> HttpResponse:
    part = "HX-Request" in request.headers
    user = signed_in(request)
    may_import = user.may(Permission.FINDINGS_INTAKE)
    summary = run.summary or {}
    context = {
        "run": run,
        "result": result_of(run),
        "label": importers.LABELS.get(summary.get("format", run.format), ""),
        "fragment": part,
        **_missing(run),
        "may_import": may_import,
        "why_not_undone": undo.why_not(run) if run.state == Import.State.DONE else "",
        "columns_form": form if may_import else None,
        "column_map": in_words(run.columns),
        "may_resolve": user.may(Permission.FINDINGS_WRITE),
    }
    name = f"findings/{'_import' if part else 'import'}.html"
    return render(request, name, context, status=status)


def _missing(run: Import) -> dict[str, Any]:
    """What a person decides about, as it is now: some may have been resolved since."""
    if run.closing != Import.Closing.HELD:
        return {}
    missing = closing.missing_from(run)
    return {"missing": missing[:SHOWN], "missing_count": missing.count()}


def _columns_form(run: Import, data: QueryDict | None) -> ColumnsForm | None:
    """While a person decides about a table whose columns they may name."""
    columns = (run.summary or {}).get("columns")
    if run.state != Import.State.WAITING or not columns:
        return None
    return ColumnsForm(data, columns=columns, mapped=run.columns)


@handle(
    lane=Lane.INTAKE,
    max_body=queue.MAX_BYTES + ENVELOPE,
    permission=Permission.FINDINGS_INTAKE,
)
@require(Permission.FINDINGS_INTAKE)
@require_http_methods(["GET", "POST"])
def upload_report(request: HttpRequest) -> HttpResponse:
    sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    if form.is_valid():
        file = cast("UploadedFile[bytes]", form.cleaned_data["file"])
        options = ImportOptions(
            source=form.cleaned_data["source"],
            scope=form.cleaned_data["scope"],
            format_name=form.cleaned_data["format"],
            file_name=file.name or "",
            is_partial=form.cleaned_data["is_partial"],
            by=signed_in(request).name,
        )
        row = queue.store(file, options, asks_first="now" not in request.POST)
        return redirect("findings:import-show", row.pk)
    names = Source.objects.values_list("name", flat=True)[:SUGGESTED]
    status = 422 if sent else 200
    return render(request, "findings/upload.html", {"form": form, "names": names}, status=status)


@require(Permission.FINDINGS_INTAKE)
@require_POST
def confirm(request: HttpRequest, import_id: UUID) -> HttpResponse:
    try:
        if not queue.confirm(_run(import_id)):
            messages.warning(request, "This report has already been decided on.")
    except queue.NewerReport as newer:
        messages.warning(request, str(newer))
    return redirect("findings:import-show", import_id)


@require(Permission.FINDINGS_INTAKE)
@require_POST
def map_columns(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """What the columns of a table mean; it is looked through again."""
    run = _run(import_id)
    form = _columns_form(run, request.POST)
    if form and not form.is_valid():
        return _shown(request, run, form, status=422)
    if form:
        queue.reanalyse(run, form.column_map)
    return redirect("findings:import-show", import_id)


@require(Permission.FINDINGS_INTAKE)
@require_POST
def discard(request: HttpRequest, import_id: UUID) -> HttpResponse:
    if not queue.discard(_run(import_id)):
        messages.warning(request, "Somebody imported this report meanwhile: it was not discarded.")
        return redirect("findings:import-show", import_id)
    messages.success(request, "The report was discarded.")
    return redirect("findings:importer-list")


@require(Permission.FINDINGS_WRITE)
@require_POST
def resolve(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The findings that a report lacked are gone."""
    run = _run(import_id)
    try:
        closing.resolve_held(run, actor=signed_in(request))
    except closing.AlreadyDecided as decided:
        messages.warning(request, str(decided))
    else:
        messages.success(request, f"{count_label(run.resolved)} resolved")
    return redirect("findings:import-show", import_id)


@require(Permission.FINDINGS_WRITE)
@require_POST
def keep_open(request: HttpRequest, import_id: UUID) -> HttpResponse:
    try:
        closing.keep_open(_run(import_id), actor=signed_in(request))
    except closing.AlreadyDecided as decided:
        messages.warning(request, str(decided))
    else:
        messages.success(request, "The findings stay open.")
    return redirect("findings:import-show", import_id)


@require(Permission.FINDINGS_INTAKE)
@require_http_methods(["GET", "POST"])
def undo_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """What it would do, as a question; then it is done behind the page."""
    run = _run(import_id)
    if request.method == "GET" and not undo.why_not(run):
        return render(request, "findings/import_undo.html", {"run": run, "plan": undo.plan_of(run)})
    try:
        if request.method == "POST":
            undo.begin(run, actor=signed_in(request))
    except undo.NotUndone as reason:
        messages.warning(request, str(reason))
    return redirect("findings:import-show", import_id)


def _run(import_id: UUID) -> Import:
    return get_object_or_404(
        Import.objects.select_related("source", "scope", "undone_by"), pk=import_id
    )
