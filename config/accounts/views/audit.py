"""The audit log, for those who may read it: as a page and as a file."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts.access import require
from config.accounts.audit.events import record_event
from config.accounts.audit.export import FORMATS, lines
from config.accounts.audit.log import NOBODY, Filter, kinds, page_of_log
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.exports import export
from config.lib.keyset import BadKeyset
from config.lib.log_pages import RANGE_CHOICES, RANGES
from config.lib.request_handling import Lane, handle


@require(Permission.AUDIT_READ)
@require_GET
def show_log(request: HttpRequest) -> HttpResponse:
    search, before = _filter(request), request.GET.get("before", "")
    try:
        log = page_of_log(search, before=before)
    except BadKeyset as error:
        raise Http404 from error
    chosen = {name: request.GET.get(name, "") for name in ("kind", "person", "from")}
    context = {
        "log": log,
        "kinds": kinds().items(),
        "people": [(str(pk), name) for pk, name in User.objects.values_list("pk", "name")],
        "ranges": RANGE_CHOICES,
        "params": chosen | {"before": before},
        "filtered": any(chosen.values()),
        "formats": FORMATS,
    }
    return render(request, "accounts/audit.html", context)


@handle(lane=Lane.EXPORT)
@require(Permission.AUDIT_READ)
@require_GET
def export_log(request: HttpRequest, ending: str) -> HttpResponseBase:
    """What the page lists, all of it; that it was taken is in the log itself."""
    if ending not in FORMATS:
        raise Http404
    search = _filter(request)
    details = {name: request.GET.get(name, "") for name in ("kind", "person", "from")}
    record_event("audit", "exported", details={"format": ending} | details)
    media_type, _ = FORMATS[ending]
    name = f"audit-{timezone.now():%Y%m%d-%H%M}.{ending}"
    return export(request, lines(search, ending=ending), file_name=name, content_type=media_type)


def _filter(request: HttpRequest) -> Filter:
    """What the address asks for. Raises Http404 for what no menu offers."""
    kind, person = request.GET.get("kind", ""), request.GET.get("person", "")
    chosen = request.GET.get("from", "")
    try:
        who = person if person in ("", NOBODY) else str(UUID(person))
    except ValueError as error:
        raise Http404 from error
    if kind and kind not in kinds():
        raise Http404
    since = timezone.now() - RANGES[chosen].length if chosen in RANGES else None
    return Filter(kind=kind, person=who, since=since)
