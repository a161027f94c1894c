"""Who sends findings, what came of their reports, and reports from a person's own computer."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings import importers, uploads
from findings.forms import UploadForm
from findings.imports import Sent
from findings.models import Import, Source

SUGGESTED = 200


@require(Permission.FINDINGS_READ)
@require_GET
def list_importers(request: HttpRequest) -> HttpResponse:
    context = {
        "rows": importers.source_rows(),
        "imports": importers.recent_imports(),
        "may_upload": signed_in(request).may(Permission.FINDINGS_INTAKE),
        "base_url": settings.BASE_URL,
    }
    return render(request, "findings/importers.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """A run; as a fragment while it is on its way."""
    run = get_object_or_404(Import.objects.select_related("source"), pk=import_id)
    part = "HX-Request" in request.headers
    context = {"run": run, "label": importers.LABELS.get(run.format, ""), "fragment": part}
    return render(request, f"findings/{'_import' if part else 'import'}.html", context)


@require(Permission.FINDINGS_INTAKE)
@require_http_methods(["GET", "POST"])
def upload_report(request: HttpRequest) -> HttpResponse:
    sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    if form.is_valid():
        file = cast("UploadedFile[bytes]", form.cleaned_data["file"])
        said = Sent(
            source=form.cleaned_data["source"],
            format_name=form.cleaned_data["format"],
            file_name=file.name or "",
            by=signed_in(request).name,
        )
        row = uploads.keep(file, said)
        return redirect("findings:import-show", row.pk)
    names = Source.objects.values_list("name", flat=True)[:SUGGESTED]
    status = 422 if sent else 200
    return render(request, "findings/upload.html", {"form": form, "names": names}, status=status)
